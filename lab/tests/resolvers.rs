//! fps-dns beside the real systemd-resolved: the same questions under the same domains go to the same
//! server, which is the one that docs/dns.md says.
//!
//! Ignored unless it is asked for, since not every machine has systemd-resolved; `ci/resolvers` fetches
//! that and runs it. `FPS_LAB_SEED` has other questions drawn.

mod common {
    #[expect(dead_code, reason = "shared with other tests")]
    pub(crate) mod played;
}

use std::collections::BTreeSet;
use std::fmt::Write;

use common::played::played;
use fps_lab::play::Verdict;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, RngSeed, TestRng, TestRunner};

/// So many configurations, and so many questions for each.
const CONFIGURATIONS: usize = 20;
const QUESTIONS: usize = 10;

const DOMAINS: [&str; 5] = ["fps.test", "sub.fps.test", "test", "example.net", "."];
const BELOW: [&str; 4] = ["", "a.", "www.", "x.y."];
const NAMES: [&str; 8] = [
    "fps.test",
    "sub.fps.test",
    "deep.sub.fps.test",
    "notfps.test",
    "other.test",
    "example.net",
    "fps.test.example.net",
    "example.org",
];

/// What a link is asked for, and some questions.
#[derive(Debug)]
struct Case {
    domains: Vec<&'static str>,
    names: Vec<String>,
}

fn case() -> impl Strategy<Value = Case> {
    let name = (select(&BELOW[..]), select(&NAMES[..]), any::<bool>());
    let name = name.prop_map(|(below, name, shouts)| {
        let name = format!("{below}{name}");
        if shouts { name.to_uppercase() } else { name }
    });
    let names = proptest::collection::vec(name, QUESTIONS);
    let domains = subsequence(&DOMAINS[..], 1..=DOMAINS.len());
    (domains, names).prop_map(|(domains, names)| Case { domains, names })
}

fn cases(seed: u64) -> Vec<Case> {
    let config = proptest::test_runner::Config {
        rng_seed: RngSeed::Fixed(seed),
        ..proptest::test_runner::Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = match seed {
        0 => TestRunner::new_with_rng(config, rng),
        _ => TestRunner::new(config),
    };
    let mut draw = || case().new_tree(&mut runner).expect("no filter").current();
    (0..CONFIGURATIONS).map(|_| draw()).collect()
}

/// Whether a name is one of the domains, or below one, label by label.
fn is_routed(name: &str, domains: &[&str]) -> bool {
    let name = name.to_lowercase();
    let mut domains = domains.iter();
    domains.any(|domain| *domain == "." || name == *domain || name.ends_with(&format!(".{domain}")))
}

/// Both servers know all names, and each says another address.
fn zone(host: &str, address: &str) -> String {
    let names = BELOW
        .iter()
        .flat_map(|below| NAMES.iter().map(move |name| format!("{below}{name}")));
    let names: BTreeSet<_> = names.collect();
    let records: Vec<_> = names
        .iter()
        .map(|name| format!("\"{name}. 0 A {address}\""))
        .collect();
    format!("[host.{host}.dns.zone]\n\".\" = [{}]\n", records.join(", "))
}

const LAB: &str = r#"
title = "Two resolvers under the same domains"
sabotage = []
why = "the test that writes it knows which server must be asked"

[net.lan]
v4 = "192.0.2.0/24"
[net.tunnel]
v4 = "10.66.0.0/24"

[host.lan-server]
link.eth0 = { net = "lan", ip = "192.0.2.1" }
[host.tunnel-server]
link.eth0 = { net = "tunnel", ip = "10.66.0.1" }

[host.resolved]
resolver     = "systemd-resolved"
name-servers = ["192.0.2.1", "10.66.0.1"]
link.eth0    = { net = "lan", ip = "192.0.2.2" }
link.tun     = { net = "tunnel", ip = "10.66.0.2" }

[host.forwarder]
name-servers = "127.0.0.53"
link.eth0    = { net = "lan", ip = "192.0.2.3" }
link.tun     = { net = "tunnel", ip = "10.66.0.3" }
"#;

fn program(number: usize, case: &Case) -> String {
    let domains: Vec<_> = case.domains.iter().map(|it| format!("~{it}")).collect();
    let domains = domains.join(",");
    format!(
        r#"
[program.dns-{number}]
on = "forwarder"
command = ["fps-dns", "--listen", "127.0.0.53:53", "--default", "192.0.2.1", "--route", "{domains}=10.66.0.1"]
ready = {{ output = "READY fps-dns" }}
"#
    )
}

fn step(number: usize, case: &Case) -> String {
    let domains = case.domains.iter().map(|it| format!(", \"~{it}\""));
    let domains: String = domains.collect();
    let mut text = String::from("\n[[step]]\ndo = [\n");
    if let Some(before) = number.checked_sub(1) {
        writeln!(text, "  {{ stop = \"dns-{before}\" }},").unwrap();
    }
    writeln!(text, "  {{ start = \"dns-{number}\" }},").unwrap();
    let command = format!("\"resolvectl\", \"domain\", \"tun\"{domains}");
    writeln!(
        text,
        "  {{ run = {{ on = \"resolved\", command = [{command}] }} }},\n]\nexpect = ["
    )
    .unwrap();
    for (place, name) in case.names.iter().enumerate() {
        let (address, server) = match is_routed(name, &case.domains) {
            true => ("10.66.0.9", "tunnel-server"),
            false => ("192.0.2.9", "lan-server"),
        };
        for host in ["resolved", "forwarder"] {
            let what = format!("{number}.{place} {host}: {name} under {:?}", case.domains);
            let what = what.replace('"', "");
            writeln!(
                text,
                "  {{ resolves = {{ as = \"{what}\", on = \"{host}\", name = \"{name}\", to = \"{address}\", by = \"udp\" }} }}, # {server}"
            )
            .unwrap();
        }
    }
    text + "]\n"
}

#[test]
#[ignore = "needs systemd-resolved; ci/resolvers runs it"]
fn both_ask_the_server_of_the_most_specific_domain() {
    let seed = std::env::var("FPS_LAB_SEED").map_or(0, |seed| seed.parse().expect("a number"));
    let cases = cases(seed);
    let zones = zone("lan-server", "192.0.2.9") + &zone("tunnel-server", "10.66.0.9");
    let programs = cases.iter().enumerate().map(|(at, case)| program(at, case));
    let programs: String = programs.collect();
    let steps = cases.iter().enumerate().map(|(at, case)| step(at, case));
    let steps: String = steps.collect();
    let report = played(&[LAB, &zones, &programs, &steps].concat());
    let differ = report.expectations().filter_map(|it| match &it.verdict {
        Verdict::Held(_) => None,
        Verdict::Failed { why, .. } | Verdict::Inconclusive(why) => {
            Some(format!("{}: {why}", it.name))
        }
    });
    let differ: Vec<_> = differ.collect();
    assert!(differ.is_empty(), "seed {seed}:\n{}", differ.join("\n"));
    let count = report.expectations().count();
    assert_eq!(count, 2 * CONFIGURATIONS * QUESTIONS);
    let routed = cases.iter().flat_map(|case| {
        let routed = |name: &&String| is_routed(name, &case.domains);
        case.names.iter().filter(routed)
    });
    let (routed, all) = (routed.count(), CONFIGURATIONS * QUESTIONS);
    println!("seed {seed}: {all} questions alike, {routed} of them for the tunnel's server");
    assert!(routed > all / 5 && routed < all, "{routed} of {all}");
}
