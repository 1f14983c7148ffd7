//! What probes carry and how they fail.

mod common {
    pub(crate) mod played;
}

use common::played::{assert_failed, assert_held, assert_unsure, played};

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
