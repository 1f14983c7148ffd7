//! What is named as the cause where a packet is lost at a host that has a way for it, and what is not.

mod common {
    pub(crate) mod played;
}

use common::played::{assert_failed, assert_held, assert_unsure, played};
use fps_lab::play::{Report, Verdict};

/// A laptop, a router, and a server, in both families, and a bystander.
const ROUTED: &str = r#"
sabotage = []
why = "a test of the lab itself"
title = "Two nets"
[net.home]
v4 = "192.168.188.0/24"
v6 = "fd00:188::/64"
[net.internet]
v4 = "203.0.113.0/24"
v6 = "fd00:113::/64"
[host.laptop]
link.eth0 = { net = "home", ip = ["192.168.188.112", "fd00:188::112"], via = ["192.168.188.1", "fd00:188::1"] }
[host.router]
forward = true
link.lan = { net = "home", ip = ["192.168.188.1", "fd00:188::1"] }
link.wan = { net = "internet", ip = ["203.0.113.1", "fd00:113::1"] }
[host.web]
serve = { tcp = [80], udp = [80] }
link.eth0 = { net = "internet", ip = ["203.0.113.80", "fd00:113::80"], via = ["203.0.113.1", "fd00:113::1"] }
# To whom the switch floods what it has no port for.
[host.bystander]
link.eth0 = { net = "internet", ip = "203.0.113.9" }
"#;

/// Plays one step with that act and a `reach` by TCP, `it`, which is to fail.
fn after(act: &str) -> Report {
    after_asking(act, "with = \"tcp\"")
}

fn after_asking(act: &str, how: &str) -> Report {
    let probe =
        format!("name = \"it\", from = \"laptop\", to = \"web\", {how}, within = \"200ms\"");
    let step = format!("[[step]]\ndo = {act}\nexpect = {{ reach = {{ {probe} }} }}\n");
    played(&[ROUTED, &step].concat())
}

/// The causes that are named, as one text.
#[track_caller]
fn causes(report: &Report, name: &str) -> String {
    let Some(Verdict::Failed { explanation, .. }) = report.verdict(name) else {
        panic!("{name} did not fail: {report:#?}");
    };
    let explanation = explanation.as_ref().expect("it is explained");
    assert_eq!(explanation.trouble, None);
    explanation.causes.join("\n")
}

#[test]
fn a_router_that_does_not_forward_is_named() {
    let off = |family: &str| {
        let key = format!("net.{family}.conf.all.forwarding");
        format!("{{ sysctl = {{ on = \"router\", key = \"{key}\", value = 0 }} }}")
    };
    assert_eq!(
        causes(&after_asking(&off("ipv4"), "ip = \"v4\""), "it"),
        "router does not forward (net.ipv4.conf.lan.forwarding = 0), and 203.0.113.80 is somebody \
         else's address"
    );
    assert_eq!(
        causes(&after_asking(&off("ipv6"), "ip = \"v6\""), "it"),
        "router does not forward (net.ipv6.conf.all.forwarding = 0), and fd00:113::80 is somebody \
         else's address"
    );
}

#[test]
fn a_firewall_is_named_by_host_and_chain_wherever_it_stands() {
    let table = "of table `inet fps-lab-firewall`";
    for (rule, cause) in [
        (
            "on = \"router\", chain = \"forward\", to = \"web\"",
            "router has a way for it, and did not pass it on: a firewall there, chain `forward`",
        ),
        (
            "on = \"router\", chain = \"forward\", from = \"web\"",
            "router has a way for it, and did not pass it on: a firewall there, chain `forward`",
        ),
        (
            "on = \"router\", chain = \"forward\", to = \"web\", does = \"reject\"",
            "router itself refused it (ICMP unreachable: port), though its routes do not: a firewall \
             there, chain `forward`",
        ),
        (
            "on = \"web\", chain = \"in\", arrives-by = \"eth0\", with = \"tcp\", does = \"reset\"",
            "web itself refused it (TCP reset), though its routes do not: a firewall there, chain `in`",
        ),
        (
            "on = \"web\", chain = \"in\", arrives-by = \"eth0\", with = \"tcp\"",
            "web took the question in, has a way back, and sent no answer: a firewall there, chain `in`",
        ),
        (
            "on = \"laptop\", chain = \"in\", from = \"web\"",
            "laptop took it in, and nothing came of it: a firewall there, chain `in`",
        ),
        (
            "on = \"laptop\", chain = \"out\", to = \"web\"",
            "laptop has a way for it, and it never left: a firewall there, chain `out`",
        ),
    ] {
        let report = after(&format!("{{ firewall = {{ {rule} }} }}"));
        assert_eq!(causes(&report, "it"), format!("{cause} {table}"), "{rule}");
    }
}

#[test]
fn a_firewall_that_has_no_say_is_not_named() {
    // The packet is lost by a route, behind a firewall that lets it pass.
    let report = after(
        r#"[
  { firewall = { on = "router", chain = "forward", with = "udp" } },
  { route = { on = "router", to = "203.0.113.80/32", type = "blackhole" } },
]"#,
    );
    let causes_of_route = causes(&report, "it");
    assert!(
        causes_of_route.contains("blackhole 203.0.113.80/32"),
        "{causes_of_route}"
    );
    assert!(!causes_of_route.contains("firewall"), "{causes_of_route}");
    // What a router passes on never sees its chain for itself.
    let report = after(
        r#"[
  { firewall = { on = "router", chain = "in", with = "udp" } },
  { run = { on = "web", command = ["ip", "link", "set", "eth0", "down"] } },
]"#,
    );
    let cause = causes(&report, "it");
    assert!(!cause.contains("firewall"), "{cause}");
}

#[test]
fn a_gateway_that_nobody_is_is_named() {
    let replace = r#"{ run = { on = "HOST", command = ["ip", "route", "replace", "default", "via", "GATEWAY"] } }"#;
    for (host, gateway) in [("laptop", "192.168.188.99"), ("web", "203.0.113.99")] {
        let report = after(&replace.replace("HOST", host).replace("GATEWAY", gateway));
        assert_eq!(
            causes(&report, "it"),
            format!(
                "nobody on {host}:eth0 answers for {gateway}, the gateway (ARP): no host there has \
                 that address, or it is down"
            )
        );
    }
}

#[test]
fn what_nobody_took_in_is_neither_filtered_nor_without_a_route() {
    let report = played(&[ROUTED, r#"
[[step]]
expect = { reach = { name = "before", from = "laptop", to = "web" } }
[[step]]
do = { link = { on = "web", link = "eth0", state = "unplugged" } }
expect = [
  { unreachable = { name = "filtered", from = "laptop", to = "web", how = "filtered", for = "100ms" } },
  { unreachable = { name = "unrouted", from = "laptop", to = "web", how = "unrouted", for = "100ms" } },
]
"#].concat());
    for name in ["filtered", "unrouted"] {
        assert_failed(
            &report,
            name,
            "router:wan, by which it left, and nobody took it in",
        );
        assert_eq!(
            causes(&report, name),
            "it left router:wan, and no host took it in: 203.0.113.80 is there no longer, or the link \
             loses it"
        );
    }
}

#[test]
fn nobody_behind_a_router_is_without_a_route() {
    let report = played(&[ROUTED, r#"
[[step]]
do = { link = { on = "web", link = "eth0", state = "unplugged" } }
expect = [
  { unreachable = { name = "filtered", from = "laptop", to = "web", how = "filtered", for = "100ms" } },
  { unreachable = { name = "unrouted", from = "laptop", to = "web", how = "unrouted", for = "100ms" } },
]
"#].concat());
    assert_failed(
        &report,
        "filtered",
        "nobody on a link of router is 203.0.113.80",
    );
    assert_held(&report, "unrouted");
}

#[test]
fn a_neighbour_that_has_answered_is_not_missed() {
    // The gateway is asked for in this step, by the other question, and answers.
    let report = played(&[ROUTED, r#"
[[step]]
do = { firewall = { on = "laptop", chain = "out", to = "web", with = "tcp" } }
expect = [
  { reach = { name = "ping", from = "laptop", to = "web" } },
  { unreachable = { name = "it", from = "laptop", to = "web", with = "tcp", how = "filtered", for = "100ms" } },
]
"#].concat());
    assert_held(&report, "ping");
    assert_held(&report, "it");
}

#[test]
fn a_firewall_that_also_stops_the_control_leaves_it_open() {
    let report = played(
        &[
            ROUTED,
            r#"
[[step]]
do = { firewall = { on = "web", chain = "in", with = "udp" } }
expect = { unreachable = { name = "it", from = "laptop", to = "web", with = "udp", how = "filtered", for = "100ms" } }
"#,
        ]
        .concat(),
    );
    assert_unsure(&report, "it", "does not answer itself");
}
