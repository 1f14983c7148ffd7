//! What probes carry and how they fail.

mod common {
    pub(crate) mod played;
}

use common::played::{assert_failed, assert_held, assert_unsure, played};
use fps_lab::play::{Report, Verdict};

/// Fails unless the expectation held, by what holds `sign`.
#[track_caller]
fn assert_held_as(report: &Report, name: &str, sign: &str) {
    match report.verdict(name) {
        Some(Verdict::Held(seen)) if seen.contains(sign) => {}
        other => panic!("{name} did not hold with {sign:?}: {other:#?}"),
    }
}

/// A laptop, a router that translates addresses, and a server.
const ROUTED: &str = r#"
sabotage = []
why = "a test of the lab itself"
title = "Two nets"
[net.home]
v4 = "192.168.188.0/24"
[net.internet]
v4 = "203.0.113.0/24"
[host.laptop]
link.eth0 = { net = "home", ip = ["192.168.188.112", "192.168.188.113"], via = "192.168.188.1" }
[host.router]
nat = "wan"
link.lan = { net = "home", ip = "192.168.188.1" }
link.wan = { net = "internet", ip = "203.0.113.1" }
[host.web]
serve = { tcp = [80], udp = [80] }
link.eth0 = { net = "internet", ip = "203.0.113.80" }
"#;

fn routed(steps: &str) -> String {
    [ROUTED, steps].concat()
}

#[test]
fn a_reset_in_the_targets_name_is_not_the_targets() {
    let report = played(&routed(
        r#"
[[step]]
do = { firewall = { on = "router", chain = "forward", with = "tcp", does = "reset" } }
expect = [
  { unreachable = { name = "refused", from = "laptop", to = "web", with = "tcp", how = "refused", for = "100ms" } },
  { unreachable = { name = "filtered", from = "laptop", to = "web", with = "tcp", how = "filtered", for = "100ms" } },
]
"#,
    ));
    assert_failed(&report, "refused", "its own capture has not sent that");
    assert_held(&report, "filtered");
}

#[test]
fn a_reset_of_the_target_is_known_behind_a_router_that_translates_addresses() {
    let report = played(&routed(
        r#"
[[step]]
do = { firewall = { on = "web", chain = "in", arrives-by = "eth0", with = "tcp", does = "reset" } }
expect = { unreachable = { name = "refused", from = "laptop", to = "web", with = "tcp", how = "refused", for = "100ms" } }
"#,
    ));
    assert_held(&report, "refused");
}

#[test]
fn what_the_senders_own_firewall_loses_is_not_without_a_route() {
    let report = played(&routed(
        r#"
[[step]]
do = { firewall = { on = "laptop", chain = "out", to = "web" } }
expect = [
  { unreachable = { name = "tcp", from = "laptop", to = "web", with = "tcp", how = "unrouted", for = "100ms" } },
  { unreachable = { name = "udp", from = "laptop", to = "web", with = "udp", how = "filtered", for = "100ms" } },
]
"#,
    ));
    assert_failed(&report, "tcp", "though it has a route");
    assert_held(&report, "udp");
}

#[test]
fn nobody_on_the_link_is_not_a_firewall() {
    let report = played(&routed(
        r#"
[[step]]
do = { run = { on = "laptop", command = ["ip", "route", "replace", "default", "via", "192.168.188.99"] } }
expect = { unreachable = { name = "it", from = "laptop", to = "web", with = "tcp", how = "unrouted", for = "100ms" } }
"#,
    ));
    assert_held(&report, "it");
}

#[test]
fn a_source_that_is_gone_is_no_closed_network() {
    let report = played(&routed(
        r#"
[[step]]
expect = { reach = { name = "before", from = "laptop", to = "web", with = "udp", source = "192.168.188.113" } }
[[step]]
do = { run = { on = "laptop", command = ["ip", "address", "del", "192.168.188.113/24", "dev", "eth0"] } }
expect = [
  { reach = { name = "reach", from = "laptop", to = "web", source = "192.168.188.113", within = "100ms" } },
  { unreachable = { name = "not", from = "laptop", to = "web", source = "192.168.188.113", for = "100ms" } },
]
"#,
    ));
    assert_held(&report, "before");
    assert_failed(&report, "reach", "0 were answered");
    assert_unsure(&report, "not", "laptop has no address 192.168.188.113 now");
}

#[test]
fn a_transfer_that_stalls_is_not_answered_though_its_connection_stands() {
    let report = played(&routed(
        r#"
[[step]]
do = [
  { run = { on = "router", command = ["ip", "link", "set", "wan", "mtu", "1000"] } },
  { firewall = { on = "router", chain = "out", icmp = "too-big" } },
]
expect = [
  { reach = { name = "short", from = "laptop", to = "web", with = "tcp" } },
  { reach = { name = "long", from = "laptop", to = "web", with = "tcp", bulk = { up = "1MB" }, within = "400ms" } },
  { unreachable = { name = "not long", from = "laptop", to = "web", with = "tcp", bulk = { up = "1MB" }, for = "400ms", how = "filtered" } },
]
"#,
    ));
    assert_held(&report, "short");
    assert_failed(&report, "long", "0 were answered");
    assert_held(&report, "not long");
}

#[test]
fn a_way_is_not_compared_with_one_that_is_closed() {
    let report = played(&routed(
        r#"
[[step]]
expect = { throughput = { name = "alike", from = "laptop", to = "web", at-least = 0.1, for = "100ms", of = { from = "router", to = "web" } } }
[[step]]
do = { firewall = { on = "router", chain = "out", to = "web", with = "tcp", port = 80 } }
expect = { throughput = { name = "closed", from = "laptop", to = "web", at-least = 0.1, for = "100ms", of = { from = "router", to = "web" } } }
"#,
    ));
    assert_held(&report, "alike");
    assert_unsure(&report, "closed", "203.0.113.80 does not answer router");
}

/// The same with a web server, and a router that has pages of its own.
const WEB: &str = r#"
sabotage = []
why = "a test of the lab itself"
title = "Two nets"
needs = ["nft"]
[net.home]
v4 = "192.168.188.0/24"
v6 = "fd00:188::/64"
[net.internet]
v4 = "203.0.113.0/24"
v6 = "2001:db8:203::/64"
[host.laptop]
link.eth0 = { net = "home", ip = ["192.168.188.112", "fd00:188::112"], via = ["192.168.188.1", "fd00:188::1"] }
[host.router]
nat = "wan"
serve = { http = [80], https = [443], status = STATUS, names = ["web"] }
link.lan = { net = "home", ip = ["192.168.188.1", "fd00:188::1"] }
link.wan = { net = "internet", ip = ["203.0.113.1", "2001:db8:203::1"] }
[host.web]
serve = { tcp = [7], http = [80, 8080], https = [443, 8443], names = "www.example.net" }
link.eth0 = { net = "internet", ip = ["203.0.113.80", "2001:db8:203::80"] }
"#;

/// What a captive portal does.
const REDIRECT: &str = r#"{ nft = { on = "router", ruleset = """
table inet portal {
  chain prerouting {
    type nat hook prerouting priority dstnat
    iifname "lan" tcp dport { 80, 443 } redirect
  }
}
""" } }"#;

fn web(status: u16, steps: &str) -> String {
    [&WEB.replace("STATUS", &status.to_string()), steps].concat()
}

#[test]
fn a_page_tells_who_has_answered_by_which_tls() {
    let report = played(&web(
        511,
        r#"
[[step]]
expect = [
  { reach = { name = "http", from = "laptop", to = "web", with = "http", port = 8080, path = "/x?y=1", ip = "v4", via = "eth0" } },
  { reach = { name = "https", from = "laptop", to = "web", with = "https", port = 443, ip = "v6", via = "eth0" } },
  { reach = { name = "all the time", from = "laptop", to = "web", with = "https", port = 8443, ip = "v4", for = "100ms" } },
  { reach = { name = "by its other name", from = "laptop", to = "web", with = "https", port = 443, ip = "v4", server-name = "www.example.net" } },
  { reach = { name = "by its address", from = "laptop", to = "web", with = "https", port = 443, ip = "v6", server-name = "2001:db8:203::80" } },
  { reach = { name = "another status", from = "laptop", to = "router:lan", with = "http", ip = "v4", status = 511 } },
  { reach = { name = "200", from = "laptop", to = "router:lan", with = "http", ip = "v4", within = "100ms" } },
  { path = { name = "path", from = "laptop", to = "web", with = "https", port = 443, ip = "v4", hops = ["laptop:eth0", "router:lan", "web:eth0"] } },
]
[[step]]
do = { run = { on = "laptop", command = ["true"] } }
expect = { outage = { name = "outage", from = "laptop", to = "web", with = "http", port = 80, ip = "v4", at-most = "1s", for = "100ms" } }
"#,
    ));
    assert_held_as(&report, "http", "HTTP 200 by web");
    let seen = "HTTP 200 by web, TLS 1.3 with the certificate of web, www.example.net";
    assert_held_as(&report, "https", seen);
    for name in [
        "all the time",
        "by its other name",
        "by its address",
        "path",
        "outage",
    ] {
        assert_held(&report, name);
    }
    assert_held_as(&report, "another status", "HTTP 511 by router");
    assert_failed(
        &report,
        "200",
        "another answer than that asked for: HTTP 511 by router",
    );
}

#[test]
fn a_portals_page_and_certificate_are_not_the_targets() {
    let steps = format!(
        r#"
[[step]]
do = {REDIRECT}
expect = [
  {{ unreachable = {{ name = "http", from = "laptop", to = "web", with = "http", port = 80, ip = "v4", for = "100ms" }} }},
  {{ unreachable = {{ name = "https", from = "laptop", to = "web", with = "https", port = 443, ip = "v4", server-name = "www.example.net", for = "100ms" }} }},
  {{ unreachable = {{ name = "http refused", from = "laptop", to = "web", with = "http", port = 80, ip = "v4", for = "100ms", how = ["refused", "filtered", "unrouted"] }} }},
  {{ unreachable = {{ name = "https refused", from = "laptop", to = "web", with = "https", port = 443, ip = "v4", server-name = "www.example.net", for = "100ms", how = ["refused", "filtered", "unrouted"] }} }},
]
"#
    );
    let report = played(&web(511, &steps));
    let page = "HTTP 511 by router";
    let certificate =
        "a wrong certificate came, that of router, web: it is not for www.example.net";
    assert_held_as(&report, "http", page);
    assert_held_as(&report, "https", certificate);
    assert_failed(&report, "http refused", page);
    assert_failed(&report, "https refused", certificate);
}

#[test]
fn a_page_that_looks_like_the_targets_is_not_without_its_own_capture() {
    let steps = format!(
        r#"
[[step]]
do = {REDIRECT}
expect = [
  {{ reach = {{ name = "http", from = "laptop", to = "web", with = "http", port = 80, ip = "v4", within = "100ms" }} }},
  {{ reach = {{ name = "https", from = "laptop", to = "web", with = "https", port = 443, ip = "v6", within = "300ms" }} }},
  {{ reach = {{ name = "somebody else's", from = "router", to = "web", with = "https", port = 443, ip = "v6" }} }},
]
"#
    );
    let report = played(&web(200, &steps));
    assert_held(&report, "somebody else's");
    assert_failed(&report, "http", "the question never came to web");
    assert_failed(&report, "https", "the question never came to web");
}

#[test]
fn a_certificate_that_fits_no_packet_leaves_the_handshake_stuck() {
    let steps = r#"
[[step]]
expect = { reach = { name = "before", from = "laptop", to = "web", with = "https", port = 443, ip = "v4", server-name = "web" } }
[[step]]
do = [
  { run = { on = "router", command = ["ip", "link", "set", "lan", "mtu", "1280"] } },
  { firewall = { on = "router", chain = "out", icmp = "too-big" } },
]
expect = [
  { reach = { name = "http", from = "laptop", to = "web", with = "http", port = 80, ip = "v4" } },
  { unreachable = { name = "https", from = "laptop", to = "web", with = "https", port = 443, ip = "v4", for = "300ms", how = "filtered" } },
  { reach = { name = "reach", from = "laptop", to = "web", with = "https", port = 443, ip = "v4", within = "200ms" } },
]
"#;
    let report = played(&web(200, steps));
    assert_held(&report, "before");
    assert_held(&report, "http");
    assert_held_as(
        &report,
        "https",
        "the connection stood, but the TLS handshake got stuck",
    );
}

#[test]
fn a_handshake_that_is_cut_is_no_refusal() {
    // A ClientHello is longer than what opens a connection.
    let report = played(&web(
        200,
        r#"
[[step]]
do = [
  { nft = { on = "router", ruleset = """
table inet cut {
  chain forward {
    type filter hook forward priority filter
    iifname "lan" tcp dport 443 meta length > 150 reject with tcp reset
  }
}
""" } },
  { firewall = { on = "web", chain = "in", arrives-by = "eth0", with = "tcp", port = 8443, does = "reset" } },
]
expect = [
  { unreachable = { name = "cut", from = "laptop", to = "web", with = "https", port = 443, ip = "v4", for = "100ms" } },
  { unreachable = { name = "not one of the three", from = "laptop", to = "web", with = "https", port = 443, ip = "v4", for = "100ms", how = ["refused", "filtered", "unrouted"] } },
  { unreachable = { name = "refused", from = "laptop", to = "web", with = "https", port = 8443, ip = "v4", for = "100ms", how = "refused" } },
]
"#,
    ));
    let cut = "reset in the TLS handshake by somebody in the target's name";
    assert_held_as(&report, "cut", cut);
    assert_failed(&report, "not one of the three", cut);
    assert_held_as(&report, "refused", "refused: the target itself");
}
