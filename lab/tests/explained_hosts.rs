//! What is named as the cause where a packet is lost at a host that has a way for it, and what is not.

mod common {
    pub(crate) mod played;
}

use rstest::rstest;

use common::played::{assert_failed, assert_held, assert_unsure, played};
use fps_lab::explain::Explanation;
use fps_lab::play::{Report, Verdict};
use fps_netns::testing::may_load_bpf;

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
    explanation(report, name).causes.join("\n")
}

#[track_caller]
fn explanation<'a>(report: &'a Report, name: &str) -> &'a Explanation {
    let Some(Verdict::Failed { explanation, .. }) = report.verdict(name) else {
        panic!("{name} did not fail: {report:#?}");
    };
    let explanation = explanation.as_ref().expect("it is explained");
    assert_eq!(explanation.trouble, None);
    explanation
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
fn the_rule_of_a_firewall_is_named_wherever_it_stands() {
    let port = "refuses the question by rule 1 of chain `forward`";
    for (rule, does, text) in [
        (
            "on = \"router\", chain = \"forward\", to = \"web\"",
            "router drops the question by rule 1 of chain `forward`",
            "meta nfproto ipv4 ip daddr 203.0.113.80/32 drop",
        ),
        (
            "on = \"router\", chain = \"forward\", from = \"web\"",
            "router drops the answer by rule 1 of chain `forward`",
            "meta nfproto ipv4 ip saddr 203.0.113.80/32 drop",
        ),
        (
            "on = \"router\", chain = \"forward\", to = \"web\", does = \"reject\"",
            &format!("router {port}"),
            "meta nfproto ipv4 ip daddr 203.0.113.80/32 reject",
        ),
        (
            "on = \"web\", chain = \"in\", arrives-by = \"eth0\", with = \"tcp\", does = \"reset\"",
            "web refuses the question by rule 1 of chain `in`",
            "meta nfproto ipv4 iifname eth0 meta l4proto tcp reject with tcp reset",
        ),
        (
            "on = \"web\", chain = \"in\", arrives-by = \"eth0\", with = \"tcp\"",
            "web drops the question by rule 1 of chain `in`",
            "meta nfproto ipv4 iifname eth0 meta l4proto tcp drop",
        ),
        (
            "on = \"laptop\", chain = \"in\", from = \"web\"",
            "laptop drops the answer by rule 1 of chain `in`",
            "meta nfproto ipv4 ip saddr 203.0.113.80/32 drop",
        ),
        (
            "on = \"laptop\", chain = \"out\", to = \"web\"",
            "laptop drops the question by rule 1 of chain `out`",
            "meta nfproto ipv4 ip daddr 203.0.113.80/32 drop",
        ),
    ] {
        let report = after(&format!("{{ firewall = {{ {rule} }} }}"));
        assert_eq!(
            causes(&report, "it"),
            format!("{does} of table `inet fps-lab-firewall`, {TRACED}: {text}"),
            "{rule}"
        );
    }
}

/// How the lab knows.
const TRACED: &str = "as the kernel traced it when asked again";

/// By each protocol and in each family, with a rule before it that only others fall to.
#[rstest]
#[case::icmp("with = \"icmp\", ip = \"v4\"", "ipv4 meta l4proto icmp")]
#[case::icmp6("with = \"icmp\", ip = \"v6\"", "ipv6 meta l4proto icmpv6")]
#[case::udp("with = \"udp\", ip = \"v4\"", "ipv4 meta l4proto udp")]
#[case::udp6("with = \"udp\", ip = \"v6\"", "ipv6 meta l4proto udp")]
#[case::tcp6("with = \"tcp\", ip = \"v6\"", "ipv6 meta l4proto tcp")]
fn the_rule_of_a_firewall_is_named_for_each_protocol(#[case] how: &str, #[case] text: &str) {
    let with = how.split('"').nth(1).expect("a protocol is named");
    let ip = if how.contains("v6") { "v6" } else { "v4" };
    let report = after_asking(
        &format!(
            r#"[
  {{ firewall = {{ on = "router", chain = "forward", from = "bystander" }} }},
  {{ firewall = {{ on = "router", chain = "forward", with = "{with}", ip = "{ip}" }} }},
]"#
        ),
        how,
    );
    assert_eq!(
        causes(&report, "it"),
        format!(
            "router drops the question by rule 2 of chain `forward` of table `inet fps-lab-firewall`, \
             {TRACED}: meta nfproto {text} drop"
        )
    );
}

/// In words of nft(8), as a rule has them; what has been counted is left out.
#[rstest]
#[case::rule(
    "add rule ip f c tcp dport 80 counter drop comment \"no web\"",
    "rule 2 of chain `c` of table `ip f`",
    ": tcp dport 80 counter drop comment \"no web\""
)]
#[case::jump(
    "add chain ip f j; add rule ip f j ip daddr 203.0.113.80 drop; add rule ip f c jump j",
    "rule 1 of chain `j` of table `ip f`",
    ": ip daddr 203.0.113.80 drop"
)]
#[case::policy(
    "chain ip f c { policy drop; }",
    "the policy of chain `c` of table `ip f`",
    ""
)]
#[case::later(
    "add table inet g; add chain inet g late { type filter hook postrouting priority 300; }; \
     add rule inet g late ip protocol tcp drop",
    "rule 1 of chain `late` of table `inet g`",
    ": ip protocol tcp drop"
)]
fn the_rule_of_any_table_is_named(#[case] rules: &str, #[case] by: &str, #[case] text: &str) {
    let base = "add table ip f; add chain ip f c { type filter hook forward priority 0; }; \
                add rule ip f c udp dport 80 drop";
    let command = serde_json::to_string(&format!("{base}; {rules}")).expect("a text");
    let report = after(&format!(
        "{{ run = {{ on = \"router\", command = [\"nft\", {command}] }} }}"
    ));
    assert_eq!(
        causes(&report, "it"),
        format!("router drops the question by {by}, {TRACED}{text}")
    );
}

/// A packet is known by its number when NAT has given it another target, and stays the question, which a
/// datagram's addresses do not tell any more.
#[rstest]
fn the_rule_is_named_behind_a_translated_target(#[values("tcp", "udp")] with: &str) {
    let router = format!("forward = true\nserve = {{ {with} = [80] }}");
    let step = r#"
[[step]]
do = { run = { on = "router", command = ["nft", "add table ip n; add chain ip n d { type nat hook prerouting priority -100; }; add rule ip n d ip daddr 192.168.188.1 WITH dport 80 dnat to 203.0.113.80:80; add chain ip n f { type filter hook forward priority 0; }; add rule ip n f ip daddr 203.0.113.80 drop"] } }
expect = { reach = { name = "it", from = "laptop", to = "router:lan", with = "WITH", ip = "v4", within = "200ms" } }
"#
    .replace("WITH", with);
    let report = played(&[ROUTED.replace("forward = true", &router), step].concat());
    assert_eq!(
        causes(&report, "it"),
        format!(
            "router drops the question by rule 1 of chain `f` of table `ip n`, {TRACED}: ip daddr \
             203.0.113.80 drop"
        )
    );
}

/// What is traced leaves nothing, and others that look at the ruleset meanwhile see nothing of it.
#[test]
fn a_trace_leaves_the_ruleset_as_it_was() {
    let report = played(
        &[
            ROUTED,
            r#"
[[step]]
name = "closed"
do = { firewall = { on = "router", chain = "forward", to = "web" } }
[[step]]
expect = [
  { reach = { name = "it", from = "laptop", to = "web", within = "200ms" } },
  { reach = { name = "again", from = "laptop", to = "web", with = "udp", within = "200ms" } },
  { unchanged = { name = "meanwhile", on = "router", since = "closed" } },
]
[[step]]
expect = { unchanged = { name = "after", on = "router", since = "closed" } }
[[step]]
do = { run = { on = "router", command = ["sh", "-c", "! nft list ruleset | grep trace"] } }
"#,
        ]
        .concat(),
    );
    for name in ["it", "again"] {
        assert!(causes(&report, name).contains("by rule 1 of chain `forward`"));
    }
    assert_held(&report, "meanwhile");
    assert_held(&report, "after");
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
    // Its rules see the packet, and let it pass: the answer is lost where no firewall is asked.
    let report = after(
        r#"[
  { firewall = { on = "web", chain = "in", with = "udp" } },
  { run = { on = "web", command = ["ip", "route", "replace", "default", "via", "203.0.113.99"] } },
]"#,
    );
    let cause = causes(&report, "it");
    assert!(!cause.contains("firewall"), "{cause}");
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

/// So that each knows his neighbours before a sysctl or a route keeps ARP from asking.
const ASKED: &str = r#"
[[step]]
expect = [
  { reach = { from = "laptop", to = "web", ip = "v4" } },
  { reach = { from = "laptop", to = "web", ip = "v6" } },
]
"#;

/// The kernel's own reason. Who may not hear it, without CAP_BPF in the first user namespace, is told
/// nothing, and that is what is looked at then.
#[rstest]
#[case::filtered(
    r#"{ sysctl = { on = "router", key = "net.ipv4.conf.lan.rp_filter", value = 1 } },
    { route = { on = "router", to = "192.168.188.112/32", link = "wan" } }"#,
    r#"ip = "v4""#,
    "the kernel of router dropped the question on lan when asked again: IP_RPFILTER (reverse path \
     filtering: the way back is not by that link)"
)]
#[case::not_forwarded(
    r#"{ sysctl = { on = "router", key = "net.ipv4.conf.lan.forwarding", value = 0 } }"#,
    r#"ip = "v4""#,
    "the kernel of router dropped the question on lan when asked again: IP_INADDRERRORS (neither for the \
     host itself nor to be passed on)"
)]
#[case::not_forwarded_v6(
    r#"{ sysctl = { on = "router", key = "net.ipv6.conf.all.forwarding", value = 0 } }"#,
    r#"ip = "v6""#,
    "the kernel of router dropped the question on lan when asked again: IP_INADDRERRORS (neither for the \
     host itself nor to be passed on)"
)]
// That says so is lost as well, or the question that is asked again would fit.
#[case::too_big(
    r#"{ run = { on = "router", command = ["ip", "link", "set", "wan", "mtu", "1300"] } },
    { firewall = { on = "router", chain = "out", icmp = "too-big" } }"#,
    r#"ip = "v4", with = "udp", size = 1400, dont-fragment = true"#,
    "the kernel of router dropped the question on lan when asked again: PKT_TOO_BIG (larger than the MTU \
     of the way out)"
)]
#[case::in_front_of_what_is_traced(
    r#"{ run = { on = "router", command = ["nft", "add table netdev f; add chain netdev f c { type filter hook ingress device lan priority 0; }; add rule netdev f c ip protocol icmp drop"] } }"#,
    r#"ip = "v4""#,
    "the kernel of router dropped the question on lan when asked again: NETFILTER_DROP (a rule or a \
     policy of nftables or iptables, or the tracking of connections)"
)]
// The rule is named, which says more.
#[case::firewalled(
    r#"{ firewall = { on = "router", chain = "forward", to = "web" } }"#,
    r#"ip = "v4""#,
    ""
)]
fn the_kernels_own_reason_is_told(#[case] acts: &str, #[case] how: &str, #[case] expected: &str) {
    let probe =
        format!("name = \"it\", from = \"laptop\", to = \"web\", {how}, within = \"200ms\"");
    let step = format!("[[step]]\ndo = [{acts}]\nexpect = {{ reach = {{ {probe} }} }}\n");
    let report = played(&[ROUTED, ASKED, &step].concat());
    let explanation = explanation(&report, "it");
    let lines = explanation.lines();
    let told: Vec<_> = lines
        .iter()
        .filter(|it| it.starts_with("the kernel of"))
        .collect();
    match may_load_bpf() {
        true => assert_eq!(
            told,
            Vec::from_iter([expected].iter().filter(|it| !it.is_empty()))
        ),
        false => assert!(told.is_empty(), "{told:?}"),
    }
}
