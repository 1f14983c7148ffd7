//! DNS servers of hosts: who is asked, by which way, and what it does.

mod common {
    pub(crate) mod played;
    pub(crate) mod texts;
}

use common::played::{assert_failed, assert_held, assert_unsure, played};
use common::texts::{NO_SABOTAGE, PAIR};
use fps_lab::play::Verdict;

const LAB: &str = r#"
title = "A laptop, and two DNS servers of which it knows one"

[net.home]
v4 = "192.168.188.0/24"
v6 = "fd00:188::/64"

[host.laptop]
name-servers = "192.168.188.1"
link.eth0 = { net = "home", ip = ["192.168.188.112", "fd00:188::112"] }

[host.router]
link.eth0 = { net = "home", ip = ["192.168.188.1", "fd00:188::1"] }
[host.router.dns.zone]
"fps.test" = [
  "www A 10.66.1.20",
  "www A 10.66.1.21",
  "www AAAA fd66:1::20",
  "20.1.66.10.in-addr.arpa.fps.test. PTR www",
]

[host.other]
link.eth0 = { net = "home", ip = ["192.168.188.2", "fd00:188::2"] }
[host.other.dns.zone]
"fps.test" = ["www A 10.66.1.99"]
"#;

fn steps(steps: &str) -> fps_lab::play::Report {
    played(&[NO_SABOTAGE, LAB, steps].concat())
}

const WWW: &str = r#"to = ["10.66.1.21", "10.66.1.20"]"#;

#[test]
fn a_name_is_asked_for_as_programs_ask() {
    let report = steps(&format!(
        r#"
[[step]]
expect = [
  {{ resolves = {{ as = "right", on = "laptop", name = "www.fps.test", {WWW}, asked = "router", via = "eth0" }} }},
  {{ resolves = {{ as = "v6", on = "laptop", name = "WWW.fps.test", type = "AAAA", to = "fd66:1::20", asked = "router" }} }},
  {{ resolves = {{ as = "too few", on = "laptop", name = "www.fps.test", to = "10.66.1.20", within = "100ms" }} }},
  {{ resolves = {{ as = "another server", on = "laptop", name = "www.fps.test", {WWW}, asked = "other", within = "100ms" }} }},
  {{ resolves = {{ as = "refused", on = "laptop", name = "www.example.net", to = "refused", by = "tcp" }} }},
  {{ resolves = {{ as = "itself", on = "router", name = "www.fps.test", {WWW}, within = "100ms" }} }},
]
"#
    ));
    for name in ["right", "v6", "refused"] {
        assert_held(&report, name);
    }
    assert_failed(&report, "too few", "nss: 10.66.1.20, 10.66.1.21");
    assert_failed(&report, "another server", "answered, but router was asked");
    assert_failed(&report, "itself", "/etc/resolv.conf names no server");
    let Some(Verdict::Failed { evidence, .. }) = report.verdict("another server") else {
        panic!("{report:#?}");
    };
    let line = "router asked by 192.168.188.112";
    assert!(evidence[0].to_string().contains(line), "{evidence:?}");
}

/// A second host, which asks the other server.
const PHONE: &str = r#"
[host.phone]
name-servers = "192.168.188.2"
link.eth0 = { net = "home", ip = "192.168.188.113" }

[[step]]
expect = [
  { resolves = { as = "laptop", on = "laptop", name = "www.fps.test", to = ["10.66.1.20", "10.66.1.21"], asked = "router", by = ["nss", "udp", "tcp"], within = "20ms" } },
  { resolves = { as = "phone", on = "phone", name = "www.fps.test", to = "10.66.1.99", asked = "other", by = ["nss", "udp", "tcp"], within = "20ms" } },
  { resolves = { as = "again", on = "phone", name = "www.fps.test", to = "10.66.1.99", by = ["udp", "tcp", "nss"] } },
  { resolves = { as = "of the other", on = "phone", name = "www.fps.test", to = "10.66.1.99", asked = "router", within = "20ms" } },
]
"#;

#[test]
fn two_hosts_may_ask_for_one_name_at_once() {
    let report = steps(PHONE);
    for name in ["laptop", "phone", "again"] {
        assert_held(&report, name);
    }
    assert_failed(&report, "of the other", "answered, but other was asked");
}

#[test]
fn the_labs_own_questions_are_none_that_a_server_is_asked() {
    let expect = r#"
[[step]]
expect = [
  { not-asked = { as = "first", on = "router", name = ".", for = "20ms" } },
  { not-asked = { as = "second", on = "router", name = ".", for = "120ms" } },
  { not-asked = { as = "third", on = "router", name = "invalid", for = "120ms" } },
]
"#;
    let report = steps(expect);
    for name in ["first", "second", "third"] {
        assert_held(&report, name);
    }
    let act = r#"do = { run = { on = "laptop", command = ["getent", "ahosts", "a.invalid"], exit = 2 } }"#;
    let report = steps(&expect.replace("[[step]]", &format!("[[step]]\n{act}")));
    for name in ["first", "second", "third"] {
        assert_failed(&report, name, "it was, ");
    }
}

#[test]
fn a_server_that_is_asked_is_seen_to_be() {
    let report = steps(
        r#"
[[step]]
do = { run = { on = "laptop", command = ["getent", "ahosts", "www.fps.test"] } }
expect = [
  { not-asked = { on = "router", name = "fps.test" } },
  { not-asked = { as = "another name", on = "router", name = "tps.test" } },
  { not-asked = { on = "other", name = ".", for = "50ms" } },
]
[[step]]
expect = [ { not-asked = { as = "a step later", on = "router", name = "fps.test" } } ]
"#,
    );
    let name = "router is not asked for fps.test";
    assert_failed(&report, name, "it was, 2 times since the step began");
    for name in ["another name", "other is not asked for .", "a step later"] {
        assert_held(&report, name);
    }
}

#[test]
fn a_server_misbehaves_as_it_is_told() {
    let report = steps(&format!(
        r#"
[[step]]
do = {{ dns = {{ on = "router", manner = [ {{ name = "fps.test", does = "truncates" }} ] }} }}
expect = [
  {{ resolves = {{ as = "short", on = "laptop", name = "www.fps.test", {WWW}, by = "udp", within = "100ms" }} }},
  {{ resolves = {{ as = "whole", on = "laptop", name = "www.fps.test", {WWW}, by = ["tcp", "nss"] }} }},
]
[[step]]
do = {{ dns = {{ on = "router", manner = [
  {{ name = "fps.test", does = "fails" }},
  {{ name = "www.fps.test", does = "ignores" }},
  {{ name = "slow.fps.test", does = "delays", by = "150ms" }},
] }} }}
expect = [
  {{ resolves = {{ as = "ignored", on = "laptop", name = "www.fps.test", {WWW}, by = "udp", within = "100ms" }} }},
  {{ resolves = {{ as = "failure", on = "laptop", name = "a.fps.test", to = "failure", by = "udp" }} }},
  {{ resolves = {{ as = "slow", on = "laptop", name = "slow.fps.test", to = "no-name", by = "udp" }} }},
]
[[step]]
do = {{ dns = {{ on = "router", manner = [], zone = {{ "fps.test" = ["www A 10.66.1.7"] }} }} }}
expect = [ {{ resolves = {{ as = "changed", on = "laptop", name = "www.fps.test", to = "10.66.1.7" }} }} ]
"#
    ));
    assert_failed(&report, "short", "udp: truncated");
    assert_failed(&report, "ignored", "no answer within 1s");
    for name in ["whole", "failure", "slow", "changed"] {
        assert_held(&report, name);
    }
    let mut checked = report.expectations();
    let slow = checked.find(|it| it.name == "slow").unwrap().took;
    assert!(slow.as_millis() >= 150, "{slow:?}");
}

#[test]
fn the_silence_of_a_server_that_cannot_be_asked_proves_nothing() {
    let server = "[host.printer.dns.zone]\n\"fps.test\" = []\n";
    let steps = r#"
[[step]]
do = { run = { on = "printer", command = ["ip", "link", "set", "lo", "down"] } }
expect = [ { not-asked = { on = "printer", name = "fps.test" } } ]
"#;
    let report = played(&[NO_SABOTAGE, PAIR, server, steps].concat());
    let name = "printer is not asked for fps.test";
    assert_unsure(
        &report,
        name,
        "has not seen the question that the lab asked",
    );
}
