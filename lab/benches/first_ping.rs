//! How long a lab takes from the parsed file to its first answered pings, and what a host costs.
//!
//! Sandboxes are kept for a while, as a run keeps them: the kernel takes tens of milliseconds to
//! clear a namespace away, and blocks the creation of others meanwhile. They cannot all be kept,
//! since the neighbour tables of all namespaces together hold 1024 entries (gc_thresh3).

use std::cell::RefCell;
use std::fmt::Write;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use fps_lab::lab::{Lab, Site};
use fps_lab::probe::{Answer, ask};
use fps_lab::sandbox::Sandbox;
use fps_lab::scenario::{self, Check, Probe, Scenario, Target};
use fps_netlink::{LinkName, Netlink};
use fps_netns::{Namespace, Switch};
use indexmap::IndexMap;

/// What the lab is to keep to, in milliseconds: the median and the worst of [`RUNS`] runs.
const MEDIAN: f64 = 15.0;
const WORST: f64 = 120.0;
const RUNS: usize = 200;
/// How many sandboxes are kept.
const KEPT: usize = 16;
const PATIENCE: Duration = Duration::from_secs(3);

fn site() -> Site {
    Site {
        helper: env!("CARGO_BIN_EXE_fps-lab").into(),
        programs: IndexMap::new(),
    }
}

fn parse(text: &str) -> Scenario {
    match scenario::parse(Path::new("bench.toml"), text) {
        Ok(file) => file.scenario,
        Err(error) => panic!("{error}"),
    }
}

/// A laptop and a web host, each on a net of its own, with a router between them.
fn three_hosts() -> Scenario {
    parse(
        r#"
title = "Three hosts"
sabotage = []
why = "a benchmark"
[net.home]
v4 = "192.168.1.0/24"
v6 = "fd00:1::/64"
[net.internet]
v4 = "203.0.113.0/24"
v6 = "2001:db8::/64"
[host.laptop]
link.wlan0 = { net = "home", ip = ["192.168.1.2", "fd00:1::2"], via = ["192.168.1.1", "fd00:1::1"] }
[host.router]
nat = "wan"
link.lan = { net = "home", ip = ["192.168.1.1", "fd00:1::1"] }
link.wan = { net = "internet", ip = ["203.0.113.1", "2001:db8::1"] }
[host.web]
link.eth0 = { net = "internet", ip = ["203.0.113.80", "2001:db8::80"] }
[[step]]
expect = [
  { reach = { from = "laptop", to = "web", ip = "v4" } },
  { reach = { from = "laptop", to = "web", ip = "v6" } },
]
"#,
    )
}

/// As many hosts on one net.
fn one_net(hosts: usize) -> Scenario {
    let mut text = String::from(
        "title = \"Many hosts\"\nsabotage = []\nwhy = \"a benchmark\"\n\
         [net.lan]\nv4 = \"10.0.0.0/16\"\nv6 = \"fd00::/64\"\n",
    );
    for host in 1..=hosts {
        writeln!(
            text,
            "[host.h{host}]\nlink.eth0 = {{ net = \"lan\", ip = [\"10.0.1.{host}\", \"fd00::{host:x}\"] }}"
        )
        .expect("a String grows");
    }
    text.push_str("[[step]]\nexpect = [ { reach = { from = \"h1\", to = \"h2\" } } ]\n");
    parse(&text)
}

fn probes(scenario: &Scenario) -> Vec<Probe<IpAddr>> {
    let expectations = scenario.steps.iter().flat_map(|step| &step.expect);
    expectations
        .filter_map(|expectation| match &expectation.check {
            Check::Reach(reach) => match reach.probe.address {
                Target::Fixed(address) => Some(reach.probe.at(address)),
                Target::Given(_) => None,
            },
            _ => None,
        })
        .collect()
}

/// One lab: how long until it stood, how long until all its pings were answered.
async fn one_lab(scenario: &Scenario, site: &Site) -> (Duration, Duration, Sandbox) {
    let start = Instant::now();
    let lab = Lab::build(scenario, site)
        .await
        .expect("a lab can be built: run this as root");
    let built = start.elapsed();
    for probe in probes(scenario) {
        let host = lab.host(&probe.from).id();
        let attempt = ask(lab.sandbox(), host, &probe, PATIENCE)
            .await
            .expect("a probe is sent");
        assert!(
            matches!(attempt.answer, Answer::Echo { .. }),
            "{probe:?}: {}",
            attempt.answer
        );
    }
    (built, start.elapsed(), lab.into_sandbox())
}

fn first_ping(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (scenario, site) = (three_hosts(), site());
    let kept = RefCell::new(Vec::new());
    let times = RefCell::new(Vec::new());
    let mut group = criterion.benchmark_group("lab");
    group.sampling_mode(SamplingMode::Flat).sample_size(RUNS);
    group.bench_function("three hosts, first v4 and v6 ping", |bench| {
        bench.iter_custom(|labs| {
            (0..labs)
                .map(|_| {
                    let (built, answered, sandbox) = runtime.block_on(one_lab(&scenario, &site));
                    runtime.block_on(keep(&kept, sandbox));
                    times.borrow_mut().push((built, answered));
                    answered
                })
                .sum()
        });
    });
    group.finish();
    report(&times.into_inner());
    end(kept.into_inner());

    for hosts in [10, 100] {
        runtime.block_on(cleared_away());
        let scenario = one_net(hosts);
        let (built, answered, sandbox) = runtime.block_on(one_lab(&scenario, &site));
        println!(
            "{hosts} hosts: {:.1} ms, {:.2} ms a host; first ping {:.1} ms after the start",
            millis(built),
            millis(built) / f64::from(u32::try_from(hosts).expect("few")),
            millis(answered)
        );
        end(vec![sandbox]);
    }
}

/// The last runs are the measured ones; those before warmed up.
fn report(times: &[(Duration, Duration)]) {
    let measured = &times[times.len().saturating_sub(RUNS)..];
    let sorted = |pick: fn(&(Duration, Duration)) -> Duration| {
        let mut times: Vec<f64> = measured.iter().map(|pair| millis(pick(pair))).collect();
        times.sort_by(f64::total_cmp);
        times
    };
    let (built, answered) = (sorted(|pair| pair.0), sorted(|pair| pair.1));
    let at = |times: &[f64], part: f64| {
        let last = times.len() - 1;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place among a few hundred"
        )]
        let place = (last as f64 * part) as usize;
        times[place]
    };
    println!(
        "three hosts, {} runs: built in {:.1} ms (median), pings answered after {:.1} ms (median), \
         {:.1} ms (99 %), {:.1} ms (worst)",
        answered.len(),
        at(&built, 0.5),
        at(&answered, 0.5),
        at(&answered, 0.99),
        at(&answered, 1.0)
    );
    let worst = measured.iter().max_by_key(|(_, answered)| *answered);
    if let Some((built, answered)) = worst {
        let pings = millis(answered.saturating_sub(*built));
        println!(
            "the worst of them: built in {:.1} ms, pings {pings:.1} ms",
            millis(*built)
        );
    }
    let kept = at(&answered, 0.5) < MEDIAN && at(&answered, 1.0) < WORST;
    let verdict = if kept { "kept" } else { "NOT KEPT" };
    println!("limits of {MEDIAN} ms (median) and {WORST} ms (worst): {verdict}");
}

/// Keeps a sandbox; when there are many, ends them and waits until the kernel is done with them.
async fn keep(kept: &RefCell<Vec<Sandbox>>, sandbox: Sandbox) {
    kept.borrow_mut().push(sandbox);
    if kept.borrow().len() >= KEPT {
        end(kept.take());
        cleared_away().await;
    }
}

/// Waits until the namespaces that nothing holds any more are gone: the kernel takes them in the
/// order in which they were left, so one that is left now goes last, and the link into it with it.
async fn cleared_away() {
    let (near, far) = (
        Namespace::create().expect("root"),
        Namespace::create().expect("root"),
    );
    let open = |socket: Result<Netlink, _>| socket.expect("a netlink socket");
    let netlink = open(near.within(Netlink::open).expect("root"));
    let name = |text: &str| LinkName::new(text).expect("short");
    let switch = Switch::new(netlink.clone());
    let segment = switch.add_segment(&name("net0")).await.expect("a bridge");
    let plugged = switch
        .plug(segment, &name("port0"), &name("eth0"), far.as_fd())
        .await;
    plugged.expect("a veth pair");
    drop(far);
    while netlink
        .link(&name("port0"))
        .await
        .expect("links are listed")
        .is_some()
    {
        tokio::task::yield_now().await;
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn end(sandboxes: Vec<Sandbox>) {
    drop(sandboxes.into_iter().map(Sandbox::end).collect::<Vec<_>>());
}

criterion_group!(benches, first_ping);
criterion_main!(benches);
