//! Who is in reach, and who is not.

use std::thread;
use std::time::Duration;

use fps_lab::play::{Event, Verdict};

use crate::pair;
use crate::played::{assert_failed, assert_held, assert_unsure, played, played_under};

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

/// Whoever asks waits for 200 ms, and the answer takes 250: too long for the questions, not for the one by
/// which the target shows that it answers itself.
#[test]
fn who_answers_when_nobody_waits_any_more_is_not_unreachable() {
    let slow = r#"
[program.slow]
on      = "printer"
command = ["perl", "-MIO::Socket::INET", "-e", """
    $| = 1;
    my $socket = IO::Socket::INET->new(LocalPort => 7001, Proto => "udp") or die "no socket";
    print "ready\n";
    $SIG{CHLD} = "IGNORE";
    while (defined $socket->recv(my $question, 2048)) {
        next if fork;
        select undef, undef, undef, 0.25;
        $socket->send($question);
        exit;
    }
"""]
ready   = { output = "ready" }

[[step]]
do = [
  { nft = { on = "printer", ruleset = "table ip slow { chain i { type nat hook prerouting priority dstnat; udp dport 7000 dnat to 192.168.188.20:7001; }; chain o { type nat hook output priority -100; udp dport 7000 dnat to 192.168.188.20:7001; }; }" } },
  { start = "slow" },
]
expect = [ { unreachable = { from = "laptop", to = "printer", with = "udp", for = "200ms" } } ]
[[step]]
do = { nft = { on = "laptop", ruleset = "table ip f { chain i { type filter hook input priority filter; udp sport 7000 drop; }; }" } }
expect = [ { unreachable = { name = "dropped", from = "laptop", to = "printer", with = "udp", for = "300ms" } } ]
"#;
    let text = format!("needs = [\"nft\", \"perl\"]\n{}", pair(slow));
    let text = text.replacen(
        "[host.printer]",
        "[host.printer]\nserve = { udp = [7000] }",
        1,
    );
    let report = played(&text);
    let sign = "expected no answer; 192.168.188.20 answered";
    assert_failed(&report, "unreachable laptop -> printer (udp 7000)", sign);
    // Answers come in time, and the host does not take them.
    assert_held(&report, "dropped");
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

/// What is said at the end of a connection comes after the answer. The kernel says it for a socket that is
/// gone, without that socket's mark and user.
#[test]
fn the_end_of_a_connection_may_go_another_way() {
    let step = r#"
[[step]]
do = [
  { nft = { on = "laptop", ruleset = "table ip f { chain o { type route hook output priority mangle; tcp flags fin meta mark set 1; }; }" } },
  { route = { on = "laptop", to = "0.0.0.0/0", via = "10.2.0.1", link = "wlan0", table = 7 } },
  { rule = { on = "laptop", priority = 100, fwmark = "0x1", table = 7 } },
]
expect = [
  { reach = { name = "answered", from = "laptop", to = "web", with = "tcp", via = "eth0" } },
  { reach = { name = "all the time", from = "laptop", to = "web", with = "tcp", via = "eth0", for = "200ms" } },
]
[[step]]
do = { run = { on = "laptop", command = ["nft", "add rule ip f o tcp flags & (syn | ack) == ack meta mark set 1"] } }
expect = [
  { reach = { name = "its middle", from = "laptop", to = "web", with = "tcp", via = "eth0", within = "200ms" } },
]
"#;
    let report = played(&format!("needs = [\"nft\"]\n{}{step}", two_ways()));
    assert_held(&report, "answered");
    assert_held(&report, "all the time");
    assert_failed(&report, "its middle", "left by eth0 and wlan0");
}

/// [`TWO_WAYS`] without its step.
fn two_ways() -> &'static str {
    let (lab, _) = TWO_WAYS.split_once("[[step]]").expect("a step");
    lab
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
