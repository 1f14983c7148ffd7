//! Checks cannot lie: one that could not see does not pass, and one that passed has seen.
//!
//! Packets are sent by bash(1), whose `/dev/udp/…` needs no further program.

mod common {
    pub(crate) mod played;
    pub(crate) mod sabotaged;
    pub(crate) mod texts;
}

use std::fs;
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use common::played::{assert_failed, assert_held, assert_unsure, played, played_under};
use common::sabotaged::run_with_sabotages;
use common::texts::{NO_SABOTAGE, PAIR};
use fps_lab::play::{End, Event, Evidence, Verdict};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

/// Two hosts on one net, and these tables.
fn pair(tables: &str) -> String {
    [NO_SABOTAGE, PAIR, tables].concat()
}

#[test]
fn silence_on_a_link_that_is_not_there_proves_nothing() {
    let report = played(&pair(
        r#"
[program.vpn]
on = "laptop"
command = ["true"]
tun = "tun9"
[[step]]
expect = [ { silent = { on = "laptop", link = "tun9", for = "50ms" } } ]
"#,
    ));
    assert_unsure(&report, "silent laptop:tun9", "laptop has no link tun9");
}

#[test]
fn silence_on_a_link_that_is_down_proves_nothing() {
    let report = played(&pair(
        r#"
[[step]]
do = { link = { on = "laptop", link = "eth0", state = "down" } }
[[step]]
expect = [ { silent = { on = "laptop", link = "eth0", for = "50ms" } } ]
"#,
    ));
    let sign = "no control packet could be put onto laptop:eth0";
    assert_unsure(&report, "silent laptop:eth0", sign);
}

#[test]
fn silence_on_a_link_that_is_up_holds() {
    let report = played(&pair(
        r#"
[[step]]
expect = [ { silent = { on = "laptop", link = "eth0", to = "printer", for = "50ms" } } ]
"#,
    ));
    assert_held(&report, "silent laptop:eth0 to printer");
}

#[test]
fn silence_is_broken_by_a_packet_sent_while_an_act_is_done() {
    let report = played(&pair(
        r#"
[[step]]
do = { run = { on = "laptop", command = ["bash", "-c", "echo > /dev/udp/192.168.188.20/9"] } }
expect = [
  { silent = { name = "own end", on = "laptop", link = "eth0", to = "printer", for = "50ms" } },
  { silent = { name = "far end", on = "printer", link = "eth0", to = "laptop", for = "50ms" } },
]
[[step]]
expect = [ { silent = { name = "later", on = "laptop", link = "eth0", to = "printer", for = "50ms" } } ]
"#,
    ));
    assert_failed(&report, "own end", "expected silence on laptop:eth0");
    assert_failed(&report, "far end", "expected silence on printer:eth0");
    // What the first step saw is not held against the second.
    assert_held(&report, "later");
}

#[test]
fn silence_one_way_is_broken_by_what_goes_that_way() {
    let report = played(&pair(
        r#"
[[step]]
# Nothing comes back.
do = [
  { firewall = { on = "printer", chain = "in", from = "laptop" } },
  { run = { on = "laptop", command = ["bash", "-c", "echo > /dev/udp/192.168.188.20/9"] } },
]
expect = [
  { silent = { on = "laptop", link = "eth0", direction = "out", for = "50ms" } },
  { silent = { on = "laptop", link = "eth0", direction = "in", to = "printer", for = "50ms" } },
  { silent = { on = "printer", link = "eth0", direction = "in", for = "50ms" } },
  { silent = { on = "printer", link = "eth0", direction = "out", for = "50ms" } },
]
"#,
    ));
    let left = "expected silence on laptop:eth0; 1 packets left since";
    assert_failed(&report, "silent laptop:eth0 (out)", left);
    assert_held(&report, "silent laptop:eth0 (in) to printer");
    let came = "expected silence on printer:eth0; 1 packets came in since";
    assert_failed(&report, "silent printer:eth0 (in)", came);
    assert_held(&report, "silent printer:eth0 (out)");
}

#[test]
fn silence_is_broken_by_a_packet_sent_after_the_act() {
    let report = played(&pair(
        r#"
[program.late]
on = "laptop"
command = ["bash", "-c", "sleep 0.2; echo > /dev/udp/192.168.188.20/9; sleep 60"]
[[step]]
do = { start = "late" }
expect = [
  { silent = { name = "long enough", on = "laptop", link = "eth0", to = "printer", for = "1s" } },
]
"#,
    ));
    assert_failed(&report, "long enough", "packets passed");
}

/// The client is restarted after a packet has entered its tunnel.
const RESTART: &str = r#"
[tunnel]
client = "laptop"
server = "printer"
[[step]]
name = "first"
do = { routes = { on = "laptop", tun-address = "10.66.0.2/30", mtu = 1280 } }
[[step]]
do = [
  { run = { on = "laptop", command = ["bash", "-c", "echo > /dev/udp/10.66.0.1/9"] } },
  { kill = "client" },
  { start = "client" },
  { routes = { on = "laptop", tun-address = "10.66.0.2/30", mtu = 1280 } },
]
expect = [ { silent = { name = "tunnel", on = "laptop", link = "fpsc0", to = "10.66.0.1", for = "50ms" } } ]
"#;

#[test]
fn silence_is_broken_by_a_packet_on_a_link_that_was_made_anew() {
    // The device has its old name and another index.
    let report = played(&pair(RESTART));
    assert_failed(&report, "tunnel", "expected silence on laptop:fpsc0");
}

/// A client whose device nobody has seen before or after has had a packet.
const BETWEEN: &str = r#"
[tunnel]
client = "laptop"
server = "printer"
[[step]]
do = [
  { kill = "client" },
  { start = "client" },
  { routes = { on = "laptop", tun-address = "10.66.0.2/30", mtu = 1280 } },
  { run = { on = "laptop", command = ["bash", "-c", "echo > /dev/udp/10.66.0.1/9"] } },
  { kill = "client" },
  { start = "client" },
  { routes = { on = "laptop", tun-address = "10.66.0.2/30", mtu = 1280 } },
]
expect = [
  { silent = { name = "tunnel", on = "laptop", link = "fpsc0", to = "10.66.0.1", for = "50ms" } },
  { silent = { name = "others", on = "laptop", link = "fpsc0", to = "10.9.9.9", for = "50ms" } },
]
"#;

#[test]
fn silence_is_broken_by_a_packet_on_a_link_that_came_and_went() {
    let report = played(&pair(BETWEEN));
    assert_failed(&report, "tunnel", "expected silence on laptop:fpsc0");
    assert_held(&report, "others");
}

#[test]
fn nobody_is_unreachable_whose_service_is_dead() {
    let report = played(&pair(
        r#"
[[step]]
do = { sysctl = { on = "printer", key = "net.ipv4.icmp_echo_ignore_all", value = 1 } }
expect = [ { unreachable = { from = "laptop", to = "printer", for = "100ms" } } ]
"#,
    ));
    let name = "unreachable laptop -> printer";
    assert_unsure(
        &report,
        name,
        "printer does not answer itself on 192.168.188.20",
    );
}

#[test]
fn no_address_is_unreachable_that_nobody_has() {
    let report = played(&pair(
        r#"
[[step]]
expect = [ { unreachable = { name = "nobody", from = "laptop", to = "192.168.188.99", for = "100ms" } } ]
"#,
    ));
    assert_unsure(
        &report,
        "nobody",
        "192.168.188.99 belongs to no host of the lab",
    );
}

#[test]
fn who_answers_is_not_unreachable() {
    let report = played(&pair(
        r#"
[[step]]
expect = [ { unreachable = { from = "laptop", to = "printer", for = "100ms" } } ]
"#,
    ));
    let sign = "expected no answer; 192.168.188.20 answered";
    assert_failed(&report, "unreachable laptop -> printer", sign);
}

/// A laptop with two links into one router; what comes from it to the web goes by eth0.
const TWO_WAYS: &str = r#"
title    = "Two ways to the web"
sabotage = []
why      = "a test of the lab itself"

[net.wired]
v4 = "10.1.0.0/24"
[net.wireless]
v4 = "10.2.0.0/24"
[net.internet]
v4 = "203.0.113.0/24"

[host.laptop]
link.eth0  = { net = "wired", ip = "10.1.0.2", via = "10.1.0.1", metric = 100 }
link.wlan0 = { net = "wireless", ip = "10.2.0.2", via = "10.2.0.1", metric = 600 }
[host.router]
nat = "wan"
link.wired    = { net = "wired", ip = "10.1.0.1" }
link.wireless = { net = "wireless", ip = "10.2.0.1" }
link.wan      = { net = "internet", ip = "203.0.113.1" }
[host.web]
serve = { tcp = [80], udp = [53] }
link.eth0 = { net = "internet", ip = "203.0.113.80" }

[[step]]
expect = [
  { reach = { name = "any", from = "laptop", to = "web" } },
  { reach = { name = "eth0", from = "laptop", to = "web", via = "eth0" } },
  { reach = { name = "icmp", from = "laptop", to = "web", via = "wlan0", within = "200ms" } },
  { reach = { name = "tcp", from = "laptop", to = "web", with = "tcp", via = "wlan0", within = "200ms" } },
  { reach = { name = "udp", from = "laptop", to = "web", with = "udp", via = "wlan0", for = "200ms" } },
]
"#;

#[test]
fn an_answer_by_another_link_is_none() {
    let report = played(TWO_WAYS);
    assert_held(&report, "any");
    assert_held(&report, "eth0");
    for name in ["icmp", "tcp", "udp"] {
        assert_failed(&report, name, "they left by eth0");
    }
    let Some(Verdict::Failed { why, .. }) = report.verdict("icmp") else {
        unreachable!("it was just seen to fail");
    };
    assert!(!why.contains(" 0 were answered"), "nobody answered: {why}");
}

#[test]
fn who_falls_silent_in_between_was_not_in_reach_all_the_time() {
    let report = played(&pair(
        r#"
[program.dies]
on = "printer"
command = ["bash", "-c", "sleep 0.3; echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all; sleep 60"]
[[step]]
do = { start = "dies" }
expect = [
  { reach = { name = "at some time", from = "laptop", to = "printer", within = "100ms" } },
  { reach = { name = "all the time", from = "laptop", to = "printer", for = "800ms" } },
]
"#,
    ));
    assert_held(&report, "at some time");
    assert_failed(&report, "all the time", "expected answers");
}

/// There is a way in 400 ms, and from 100 ms on the lab has no turn for 700 ms.
#[test]
fn time_in_which_the_lab_has_no_turn_does_not_count() {
    let stalled = |reach: &str| {
        let text = pair(&format!(
            r#"
[program.plugs]
on = "laptop"
command = ["sh", "-c", "ip route add blackhole 192.168.188.20; echo down; sleep 0.1; echo stall; sleep 0.3; ip route del blackhole 192.168.188.20; sleep 60"]
ready = {{ output = "down" }}
[[step]]
do = {{ start = "plugs" }}
expect = [
  {{ says = {{ name = "stalls", who = "plugs", text = "stall" }} }},
  {{ {reach} }},
]
"#
        ));
        let text = text.replace("[host.printer]", "[host.printer]\nserve = { tcp = [80] }");
        played_under(&text, &mut |event| {
            if let Event::Expectation { report } = event
                && report.name == "stalls"
            {
                #[expect(clippy::disallowed_methods, reason = "a stall is what it is about")]
                thread::sleep(Duration::from_millis(700));
            }
        })
    };
    let report = stalled(
        r#"reach = { name = "it", from = "laptop", to = "printer", with = "tcp", within = "400ms" }"#,
    );
    assert_held(&report, "it");
    // What nobody answers has its end all the same.
    let report = stalled(
        r#"reach = { name = "it", from = "laptop", to = "192.168.188.99", within = "400ms" }"#,
    );
    assert_failed(&report, "it", "0 were answered");
}

/// More packets than fit in the buffer of a capture that nobody reads.
const FLOOD: &str = r#"
[program.flood]
on = "laptop"
command = ["bash", "-c", "exec 3> /dev/udp/192.168.188.20/9; for i in {1..60000}; do echo >&3; done; echo > FIFO; sleep 60"]
[[step]]
do = { start = "flood" }
expect = [
  { silent = { name = "silence", on = "laptop", link = "eth0", to = "192.168.188.99", for = "50ms" } },
  { reach = { name = "by eth0", from = "laptop", to = "printer", via = "eth0" } },
  { reach = { name = "by any", from = "laptop", to = "printer" } },
  { path = { name = "path", from = "laptop", to = "printer", hops = ["laptop:eth0", "printer:eth0"] } },
]
"#;

#[test]
fn a_capture_that_lost_packets_proves_no_absence() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fifo = folder.path().join("fifo");
    mkfifo(&fifo, Mode::from_bits_truncate(0o666)).expect("make a pipe");
    let text = pair(&FLOOD.replace("FIFO", &fifo.to_string_lossy()));
    // Nothing is read from any capture while the observer looks on.
    let report = played_under(&text, &mut |event| {
        if let Event::Act { .. } = event {
            await_writer(&fifo, Duration::from_secs(60));
        }
    });
    assert_unsure(&report, "silence", "the capture on laptop lost");
    assert_unsure(&report, "by eth0", "the capture on laptop lost");
    // It may have passed further links, too.
    assert_unsure(&report, "path", "the capture on laptop lost");
    // What has come back has been there, whatever else was lost.
    assert_held(&report, "by any");
}

/// Waits until somebody has written to a named pipe.
fn await_writer(fifo: &Path, within: Duration) {
    let (tell, told) = channel();
    let fifo = fifo.to_owned();
    thread::spawn(move || {
        let read = fs::read(fifo);
        tell.send(read).ok();
    });
    let read = told.recv_timeout(within).expect("the flood ends");
    read.expect("the pipe can be read");
}

#[test]
fn a_sabotage_after_which_too_much_fails_does_not_bite() {
    let text = [
        PAIR,
        r#"
[[step]]
expect = [ { reach = { name = "before", from = "laptop", to = "printer", within = "200ms" } } ]
[[step]]
expect = [ { reach = { name = "aimed at", from = "laptop", to = "printer", within = "200ms" } } ]

[[sabotage]]
name = "too early"
change = { seed = { link = { on = "laptop", link = "eth0", state = "unplugged" } } }
must-fail = ["aimed at"]

[[sabotage]]
name = "in time"
change = { add = { before = 2, do = { link = { on = "laptop", link = "eth0", state = "unplugged" } } } }
must-fail = ["aimed at"]
"#,
    ]
    .concat();
    let (outcome, said) = run_with_sabotages(&text);
    let [too_early, in_time] = outcome.sabotages.as_slice() else {
        panic!("two sabotages\n{said}");
    };
    let why = too_early.no_bite.as_deref();
    let why = why.unwrap_or_default();
    assert!(
        why.starts_with("`before` did not hold either"),
        "{why}\n{said}"
    );
    assert_eq!(in_time.no_bite, None, "{said}");
    assert!(outcome.play.passed() && !outcome.passed(), "{said}");
}

#[test]
fn a_sabotage_that_only_blinds_a_check_does_not_bite() {
    let text = [
        PAIR,
        r#"
[[step]]
name = "act"
do = { route = { on = "laptop", to = "10.9.9.0/24", link = "eth0" } }
[[step]]
expect = [ { silent = { name = "quiet", on = "laptop", link = "eth0", to = "10.9.9.9", for = "50ms" } } ]

[[sabotage]]
name = "nobody can see"
change = { add = { after = "act", do = { link = { on = "laptop", link = "eth0", state = "down" } } } }
must-fail = ["quiet"]
"#,
    ]
    .concat();
    let (outcome, said) = run_with_sabotages(&text);
    let why = outcome.sabotages[0].no_bite.as_deref().unwrap_or_default();
    assert!(
        why.starts_with("`quiet` could not be told"),
        "{why}\n{said}"
    );
}

#[test]
fn a_sabotage_of_what_fails_anyway_does_not_bite() {
    let text = [
        PAIR,
        r#"
[[step]]
expect = [ { reach = { name = "nobody", from = "laptop", to = "192.168.188.99", within = "200ms" } } ]

[[sabotage]]
name = "no cable"
change = { seed = { link = { on = "laptop", link = "eth0", state = "unplugged" } } }
must-fail = ["nobody"]
"#,
    ]
    .concat();
    let (outcome, said) = run_with_sabotages(&text);
    let why = outcome.sabotages[0].no_bite.as_deref();
    let wanted = "`nobody` does not hold without the sabotage either";
    assert_eq!(why, Some(wanted), "{said}");
}

/// A program that says one thing and ends.
const GREETER: &str = r#"
[program.greeter]
on      = "laptop"
command = ["bash", "-c", "echo well met"]
may-end = true
"#;

#[test]
fn a_line_that_was_printed_holds_though_its_program_has_ended() {
    let steps = r#"
[[step]]
do     = { start = "greeter" }
expect = [ { says = { who = "greeter", text = "met" } } ]
[[step]]
expect = [ { says = { name = "later", who = "greeter", text = "well" } } ]
"#;
    let report = played(&pair(&[GREETER, steps].concat()));
    assert_held(&report, "greeter says `met`");
    assert_held(&report, "later");
}

#[test]
fn a_line_that_was_not_printed_fails_and_shows_what_was() {
    let steps = r#"
[[step]]
do     = { start = "greeter" }
expect = [ { says = { who = "greeter", text = "farewell", within = "200ms" } } ]
"#;
    let report = played(&pair(&[GREETER, steps].concat()));
    match report.verdict("greeter says `farewell`") {
        Some(Verdict::Failed { evidence, .. }) => {
            assert_eq!(evidence, &[Evidence::Line("well met".to_owned())]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_program_that_was_never_started_proves_nothing_by_its_silence() {
    let steps = "[[step]]\nexpect = [ { says = { who = \"greeter\", text = \"met\" } } ]\n";
    let report = played(&pair(&[GREETER, steps].concat()));
    assert_unsure(&report, "greeter says `met`", "no step has started greeter");
}

#[test]
fn a_program_that_ends_fails_the_step_unless_it_may() {
    let steps = r#"
[[step]]
do     = { start = "greeter" }
expect = [ { says = { who = "greeter", text = "farewell", within = "200ms" } } ]
"#;
    let (may, said) = run_with_sabotages(&pair(&[GREETER, steps].concat()));
    assert_eq!(may.play.end, End::Played, "{said}");
    let must_not = GREETER.replace("may-end = true", "");
    let (must_not, said) = run_with_sabotages(&pair(&[&must_not, steps].concat()));
    let ended = "greeter on laptop has ended: exit code 0; it said: well met".to_owned();
    let end = End::ActFailed {
        step: "step 1".to_owned(),
        error: ended,
    };
    assert_eq!(must_not.play.end, end, "{said}");
}
