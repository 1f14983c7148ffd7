//! Expectations about a host's state: `kernel`, `unchanged` and `counter`.

mod common {
    pub(crate) mod played;
    pub(crate) mod texts;
}

use common::played::{assert_failed, assert_held, assert_unsure, played};
use common::texts::{NO_SABOTAGE, PAIR};
use fps_lab::play::{Report, Verdict};

fn steps(steps: &str) -> Report {
    played(&[NO_SABOTAGE, PAIR, steps].concat())
}

/// What a failure shows.
fn evidence(report: &Report, name: &str) -> String {
    match report.verdict(name) {
        Some(Verdict::Failed { evidence, .. }) => {
            let lines: Vec<String> = evidence.iter().map(ToString::to_string).collect();
            lines.join("\n")
        }
        other => panic!("{name}: {other:#?}"),
    }
}

/// Rules and routes as another program sets them.
const OTHER: &str = r#"
[[step]]
name = "other"
do   = { run = { on = "laptop", command = ["sh", "-ec", """
    ip rule add pref 32764 not fwmark 0xca6c lookup 51820
    ip -6 rule add pref 900 from fd00::/8 lookup 77 suppress_prefixlength 0
    ip route add default dev eth0 metric 50 table 51820 proto static
    ip route add unreachable 10.0.0.0/8
    ip -6 route add 2001:db8::/32 dev eth0 metric 3
    ip link set eth0 mtu 1400
    sysctl -qw net.ipv4.conf.all.src_valid_mark=1"""] } }
"#;

#[test]
fn objects_are_there_as_ip_prints_them() {
    let report = steps(&format!(
        r#"{OTHER}
expect = {{ kernel = {{ name = "there", on = "laptop",
  rules     = ["32764: not from all fwmark 0xca6c lookup 51820", "-6 from fd00::/8 table 77 suppress_prefixlength 0", "0: from all lookup local"],
  routes    = ["default dev eth0 table 51820 proto static metric 50", "default dev eth0 table 51820", "unreachable 10.0.0.0/8", "-6 2001:db8::/32 dev eth0", "local 192.168.188.112 dev eth0 table local"],
  addresses = ["192.168.188.112/24 dev eth0 scope global"],
  links     = ["eth0 mtu 1400 up type veth"],
  sysctls   = ["net.ipv4.conf.all.src_valid_mark = 1", "net/ipv4/conf/eth0/rp_filter=0"],
  absent    = {{ routes = ["default dev eth0", "10.0.0.0/8"], rules = ["from all fwmark 0xca6c lookup 51820", "-6 lookup 51820"], links = ["wg0", "eth0 down"], sysctls = "net.ipv4.ip_forward = 1" }} }} }}
"#
    ));
    assert_held(&report, "there");
}

#[test]
fn what_differs_is_shown_beside_the_nearest() {
    let report = steps(&format!(
        r#"{OTHER}
expect = [
  {{ kernel = {{ name = "rule", on = "laptop", rules = "32764: not from all fwmark 0xca6d lookup 51820", within = "60ms" }} }},
  {{ kernel = {{ name = "route", on = "laptop", routes = "default dev eth0 metric 60 table 51820", within = "60ms" }} }},
  {{ kernel = {{ name = "link", on = "laptop", links = "fpsc0 mtu 1400", within = "60ms" }} }},
  {{ kernel = {{ name = "sysctl", on = "laptop", sysctls = "net.ipv4.conf.all.src_valid_mark = 0", within = "60ms" }} }},
  {{ kernel = {{ name = "absent", on = "laptop", absent = {{ rules = "not fwmark 0xca6c lookup 51820" }}, within = "60ms" }} }},
]
"#
    ));
    for (name, sign) in [
        ("rule", "fwmark: wanted 0xca6d, is 0xca6c"),
        ("route", "metric: wanted 60, is 50"),
        ("link", "dev: wanted fpsc0, is eth0"),
        ("sysctl", "wanted 0, is 1"),
        (
            "absent",
            "there is: -4 priority 32764 not from all fwmark 0xca6c lookup 51820",
        ),
    ] {
        assert_failed(&report, name, "is not as expected");
        let evidence = evidence(&report, name);
        assert!(evidence.contains(sign), "{name}: {evidence}");
    }
}

#[test]
fn what_comes_later_is_waited_for_and_what_goes_is_noticed() {
    let report = steps(
        r#"
[program.later]
on      = "laptop"
command = ["sh", "-ec", "sleep 0.2; ip rule add pref 900 lookup 77; sleep 0.2; ip rule del pref 900"]
may-end = true

[[step]]
do     = { start = "later" }
expect = [
  { kernel = { name = "comes", on = "laptop", rules = "900: from all lookup 77", within = "3s" } },
  { kernel = { name = "comes and goes", on = "laptop", absent = { rules = "from all lookup 77" }, for = "600ms" } },
  { kernel = { name = "stays", on = "laptop", routes = "192.168.188.0/24 dev eth0", for = "300ms" } },
]
"#,
    );
    assert_held(&report, "comes");
    assert_held(&report, "stays");
    assert_failed(&report, "comes and goes", "is not as expected, for");
}

#[test]
fn a_host_is_compared_with_what_it_was() {
    let report = steps(&format!(
        r#"{OTHER}
expect = [
  {{ unchanged = {{ name = "changed", on = "laptop", since = "start", within = "60ms" }} }},
  {{ unchanged = {{ on = "printer", since = "start" }} }},
  {{ unchanged = {{ name = "but for its link", on = "laptop", since = "start", except = "eth0", within = "60ms" }} }},
]

[[step]]
do     = {{ run = {{ on = "laptop", command = ["sh", "-ec", "ip rule del pref 32764; ip route flush table 51820; ip -6 rule del pref 900; ip route del 10.0.0.0/8; ip -6 route del 2001:db8::/32; ip link set eth0 mtu 1500; sysctl -qw net.ipv4.conf.all.src_valid_mark=0"] }} }}
expect = [
  {{ unchanged = {{ on = "laptop", since = "start" }} }},
  {{ unchanged = {{ name = "as the step left it", on = "laptop", since = "other", within = "60ms" }} }},
]
"#
    ));
    assert_held(&report, "printer unchanged since start");
    assert_held(&report, "laptop unchanged since start");
    assert_failed(&report, "changed", "lines that differ");
    let changed = evidence(&report, "changed");
    for sign in [
        "+ rule -4 priority 32764 not from all",
        "+ route to 0.0.0.0/0 dev eth0 table 51820",
        "- sysctl net.ipv4.conf.all.src_valid_mark = 0",
        "+ sysctl net.ipv4.conf.all.src_valid_mark = 1",
    ] {
        assert!(changed.contains(sign), "{changed}");
    }
    let but_for_its_link = evidence(&report, "but for its link");
    assert!(!but_for_its_link.contains("eth0"), "{but_for_its_link}");
    assert!(
        but_for_its_link.contains("+ route type unreachable"),
        "{but_for_its_link}"
    );
    assert_failed(&report, "as the step left it", "lines that differ");
}

#[test]
fn what_is_not_read_may_hide_a_change() {
    // It stands for a systemd-resolved that has died: its files are there, nobody answers.
    let report = steps(
        r#"
[[step]]
do = { run = { on = "laptop", command = ["sh", "-c", "mkdir -p /run/systemd/resolve; echo > /run/systemd/resolve/resolv.conf"] } }
expect = { unchanged = { name = "resolved", on = "laptop", since = "start", within = "60ms" } }
"#,
    );
    assert_unsure(&report, "resolved", "systemd-resolved has run");
}

#[test]
fn the_kernel_counts_what_a_step_does() {
    let report = steps(
        r#"
[[step]]
do     = { run = { on = "laptop", command = ["bash", "-c", "for i in 1 2 3; do echo > /dev/udp/192.168.188.20/9; done; true"] } }
expect = [
  { counter = { as = "three", on = "printer", name = "Udp.NoPorts", exactly = 3 } },
  { counter = { as = "two at least", on = "printer", name = "Udp.NoPorts", at-least = 2 } },
  { counter = { as = "four", on = "printer", name = "Udp.NoPorts", at-least = 4, within = "100ms" } },
  { counter = { as = "two at most", on = "printer", name = "Udp.NoPorts", at-most = 2, for = "50ms" } },
  { counter = { as = "elsewhere", on = "laptop", name = "Udp.NoPorts", exactly = 0 } },
  { counter = { as = "by the link", on = "laptop", name = "eth0.tx_packets", at-least = 3 } },
  { counter = { as = "by type", on = "printer", name = "IcmpMsg.OutType3", exactly = 3 } },
  { counter = { as = "of a type that never came", on = "printer", name = "IcmpMsg.OutType5", exactly = 0 } },
  { counter = { as = "unknown", on = "printer", name = "Udp.NoPort", exactly = 0 } },
]

[[step]]
expect = { counter = { as = "since this step", on = "printer", name = "Udp.NoPorts", exactly = 0 } }
"#,
    );
    for name in [
        "three",
        "two at least",
        "elsewhere",
        "by the link",
        "by type",
        "of a type that never came",
        "since this step",
    ] {
        assert_held(&report, name);
    }
    assert_failed(&report, "four", "expected at least 4 of Udp.NoPorts");
    assert_failed(&report, "two at most", "3 came");
    assert_unsure(&report, "unknown", "did you mean Udp.NoPorts?");
}

#[test]
fn a_link_that_is_made_anew_has_no_difference() {
    let report = steps(
        r#"
[[step]]
do     = { run = { on = "laptop", command = ["sh", "-ec", "ip link del eth0"] } }
expect = { counter = { as = "gone", on = "laptop", name = "eth0.rx_packets", exactly = 0 } }
"#,
    );
    assert_unsure(&report, "gone", "its link went in this step");
    let report = steps(
        r#"
[[step]]
do     = [
  { link = { on = "laptop", link = "eth0", state = "deleted" } },
  { link = { on = "laptop", link = "eth0", state = "recreated" } },
]
expect = { counter = { as = "anew", on = "laptop", name = "eth0.tx_packets", at-most = 1000000 } }
[[step]]
expect = { counter = { as = "later", on = "laptop", name = "eth0.tx_packets", at-most = 1000000 } }
"#,
    );
    assert_unsure(&report, "anew", "was made anew in this step");
    assert_held(&report, "later");
}

#[test]
fn a_sysctl_that_there_is_not_has_no_other_value() {
    let report = steps(
        r#"
[[step]]
expect = [
  { kernel = { name = "other", on = "laptop", absent = { sysctls = "net.ipv4.conf.eth0.rp_filter = 1" } } },
  { kernel = { name = "none", on = "laptop", absent = { sysctls = "net.ipv4.conf.eth9.rp_filter = 1" }, within = "60ms" } },
]
"#,
    );
    assert_held(&report, "other");
    assert_failed(&report, "none", "is not as expected");
}

/// A program that says something before the step, in it once /run/go is there, and a little later.
const TALKER: &str = r#"
[program.talker]
on      = "laptop"
command = ["sh", "-c", "echo hello 1; until [ -e /run/go ]; do sleep 0.01; done; echo hello 2; sleep 0.1; echo bye 3; sleep 60"]
ready   = { output = "hello 1" }

[program.quiet]
on      = "laptop"
command = ["sleep", "60"]

[program.gone]
on      = "laptop"
command = ["sh", "-c", "sleep 60 & echo done"]
ready   = { output = "done" }
may-end = true

[[step]]
do = [{ start = "talker" }, { start = "quiet" }, { start = "gone" }]
"#;

#[test]
fn lines_are_counted_and_missed() {
    let report = steps(&format!(
        r#"{TALKER}
[[step]]
do     = {{ run = {{ on = "laptop", command = ["touch", "/run/go"] }} }}
expect = [
  {{ log = {{ name = "text", who = "talker", text = "hello" }} }},
  {{ log = {{ name = "expression", who = "talker", matches = "^(hello|bye) [23]$", exactly = 2, for = "600ms" }} }},
  {{ log = {{ name = "only once since the step", who = "talker", text = "hello", exactly = 1, for = "600ms" }} }},
  {{ log = {{ name = "twice since its start", who = "talker", text = "hello", exactly = 2, since = "start", for = "600ms" }} }},
  {{ log = {{ name = "never", who = "talker", text = "goodbye", exactly = 0, for = "600ms" }} }},
  {{ log = {{ name = "never, but it is said", who = "talker", text = "bye", exactly = 0, for = "600ms" }} }},
  {{ log = {{ name = "too few", who = "talker", text = "hello", at-least = 3, within = "600ms" }} }},
  {{ log = {{ name = "silence", who = "quiet", matches = ".", at-most = 0 }} }},
  {{ log = {{ name = "the silence of one that has ended", who = "gone", matches = "ok", at-most = 0 }} }},
]
"#
    ));
    for name in [
        "text",
        "expression",
        "only once since the step",
        "twice since its start",
        "never",
        "silence",
    ] {
        assert_held(&report, name);
    }
    assert_failed(&report, "never, but it is said", "there are 1");
    assert_failed(&report, "too few", "at least 3 lines with `hello`");
    // Its child could still write, and nobody waits for it.
    let ended = "the silence of one that has ended";
    assert_unsure(&report, ended, "proves nothing");
}

#[test]
fn what_was_said_in_the_step_counts_though_the_program_was_started_again_in_it() {
    let report = steps(
        r#"
[program.talker]
on      = "laptop"
command = ["sh", "-c", "echo hello $$; sleep 60"]
ready   = { output = "hello" }

[[step]]
do = { start = "talker" }
[[step]]
do = [{ stop = "talker" }, { start = "talker" }, { kill = "talker" }, { start = "talker" }]
expect = [
  { log = { name = "of the step", who = "talker", text = "hello", exactly = 2 } },
  { log = { name = "since the last start", who = "talker", text = "hello", exactly = 1, since = "start" } },
  { log = { name = "not more", who = "talker", text = "hello", at-most = 1 } },
]
[[step]]
expect = { log = { name = "not of the step before", who = "talker", text = "hello", exactly = 0 } }
"#,
    );
    assert_held(&report, "of the step");
    assert_held(&report, "since the last start");
    assert_failed(&report, "not more", "there are 2");
    assert_held(&report, "not of the step before");
}

#[test]
fn one_that_was_never_started_says_nothing() {
    let report = steps(
        r#"
[program.talker]
on      = "laptop"
command = ["echo", "hello"]

[[step]]
expect = { log = { name = "never started", who = "talker", text = "hello", exactly = 0 } }
"#,
    );
    assert_unsure(&report, "never started", "no step has started talker");
}
