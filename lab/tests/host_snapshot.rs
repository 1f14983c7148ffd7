//! Snapshots of a host's network: each kind of change is seen, and what was undone is none.

mod common {
    pub(crate) mod live;
}

use common::live::{build, host, shell};
use fps_lab::lab::Lab;
use fps_lab::snapshot::{Change, Snapshot};
use rstest::rstest;

const LAPTOP: &str = r#"
title    = "A laptop and its router"
sabotage = []
why      = "a test of the lab itself"

[net.home]
v4 = "192.168.188.0/24"
v6 = "fd00:188::/64"

[host.laptop]
link.eth0 = { net = "home", ip = ["192.168.188.112", "fd00:188::112"], via = "192.168.188.1" }

[host.router]
nat = "eth0"
link.eth0 = { net = "home", ip = ["192.168.188.1", "fd00:188::1"] }

[[step]]
expect = [ { reach = { from = "laptop", to = "router" } } ]
"#;

/// What stands before each change, so that there is something of each kind.
const BEFORE: &str = "
    ip link add dum0 type bridge
    ip rule add pref 900 fwmark 0x1/0xff lookup 77
    ip route add 198.51.100.0/24 via 192.168.188.1 table 77
    nft -f - <<RULESET
    table inet t {
      set s { type ipv4_addr; elements = { 192.0.2.1 }; }
      counter n { }
      chain c {
        type filter hook output priority 0;
        counter accept
        ip daddr @s drop
      }
      chain d {
      }
    }
RULESET
";

async fn lab() -> Lab {
    let lab = build(env!("CARGO_BIN_EXE_fps-lab").as_ref(), LAPTOP).await;
    shell(&lab, "laptop", BEFORE).await;
    lab
}

async fn taken(lab: &Lab) -> Snapshot {
    let snapshot = Snapshot::take(lab.sandbox(), host(lab, "laptop")).await;
    let snapshot = snapshot.expect("a snapshot");
    assert_eq!(snapshot.unseen, <[String; 0]>::default());
    snapshot
}

fn shown(changes: &[Change]) -> Vec<String> {
    changes.iter().map(Change::to_string).collect()
}

/// A change, the line by which it is to be seen, and how it is undone.
#[rstest]
#[case::link_new("ip link add x0 type bridge", "+ link dev x0", "ip link del x0")]
#[case::link_mtu(
    "ip link set eth0 mtu 1400",
    "+ link dev eth0 state up mtu 1400",
    "ip link set eth0 mtu 1500; ip -6 addr replace fd00:188::112/64 dev eth0 nodad"
)]
#[case::link_up(
    "ip link set dum0 up",
    "+ link dev dum0 state up",
    "ip link set dum0 down"
)]
#[case::address(
    "ip addr add 10.0.0.1/32 dev eth0",
    "+ address inet 10.0.0.1/32 dev eth0",
    "ip addr del 10.0.0.1/32 dev eth0"
)]
#[case::address_v6(
    "ip addr add 2001:db8::1/128 dev eth0 nodad",
    "+ address inet6 2001:db8::1/128 dev eth0",
    "ip addr del 2001:db8::1/128 dev eth0"
)]
#[case::address_label(
    "ip addr add 10.0.0.1/32 dev eth0 label eth0:vpn",
    "label eth0:vpn",
    "ip addr del 10.0.0.1/32 dev eth0"
)]
#[case::route(
    "ip route add 192.0.2.0/24 via 192.168.188.1",
    "+ route to 192.0.2.0/24 via 192.168.188.1 dev eth0 table main",
    "ip route del 192.0.2.0/24"
)]
#[case::route_metric(
    "ip route add default via 192.168.188.1 metric 7",
    "metric 7",
    "ip route del default metric 7"
)]
#[case::route_mtu(
    "ip route change 198.51.100.0/24 via 192.168.188.1 table 77 mtu 1300",
    "mtu 1300",
    "ip route change 198.51.100.0/24 via 192.168.188.1 table 77"
)]
#[case::route_table(
    "ip route add unreachable 192.0.2.0/24 table 51820",
    "+ route type unreachable to 192.0.2.0/24 table 51820",
    "ip route flush table 51820"
)]
#[case::route_v6(
    "ip -6 route add 2001:db8::/32 dev eth0",
    "+ route to 2001:db8::/32 dev eth0",
    "ip -6 route del 2001:db8::/32"
)]
#[case::route_hops(
    "ip route add 192.0.2.0/24 nexthop via 192.168.188.1 weight 2 nexthop via 192.168.188.2",
    "nexthops via 192.168.188.1 dev eth0 weight 2; via 192.168.188.2",
    "ip route del 192.0.2.0/24"
)]
#[case::route_gone(
    "ip route del default",
    "- route to 0.0.0.0/0 via 192.168.188.1",
    "ip route add default via 192.168.188.1 proto dhcp"
)]
#[case::rule(
    "ip rule add pref 901 not fwmark 0x2 lookup 78 suppress_prefixlength 0",
    "+ rule -4 priority 901 not from all fwmark 0x2 lookup 78 suppress_prefixlength 0",
    "ip rule del pref 901"
)]
#[case::rule_v6(
    "ip -6 rule add pref 901 from 2001:db8::/32 lookup 78",
    "+ rule -6 priority 901 from 2001:db8::/32 lookup 78",
    "ip -6 rule del pref 901"
)]
#[case::rule_mask(
    "ip rule del pref 900; ip rule add pref 900 fwmark 0x1/0xfff lookup 77",
    "- rule -4 priority 900 from all fwmark 0x1/0xff lookup 77",
    "ip rule del pref 900; ip rule add pref 900 fwmark 0x1/0xff lookup 77"
)]
#[case::rule_uids(
    "ip rule add pref 901 uidrange 0-0 lookup 78",
    // Whoever reads it finds the number that the user has in his own namespace.
    "+ rule -4 priority 901 from all uidrange ",
    "ip rule del pref 901"
)]
#[case::nft_table("nft add table ip x", "+ nft table ip x", "nft delete table ip x")]
#[case::nft_chain(
    "nft add chain inet t e",
    "+ nft chain inet t e",
    "nft delete chain inet t e"
)]
#[case::nft_policy(
    "nft 'chain inet t c { policy drop; }'",
    "+ nft chain inet t c",
    "nft 'chain inet t c { policy accept; }'"
)]
#[case::nft_rule(
    "nft add rule inet t d meta mark 0x1 accept",
    "+ nft rule inet t d #1",
    "nft flush chain inet t d"
)]
#[case::nft_rule_value(
    "nft add rule inet t d meta mark 0x2 accept",
    "cmp(",
    "nft flush chain inet t d"
)]
#[case::nft_set(
    "nft add set inet t u '{ type ipv4_addr; }'",
    "+ nft set inet t u",
    "nft delete set inet t u"
)]
#[case::nft_element(
    "nft add element inet t s '{ 192.0.2.2 }'",
    "+ nft element inet t s",
    "nft delete element inet t s '{ 192.0.2.2 }'"
)]
#[case::nft_object(
    "nft add counter inet t m",
    "+ nft object inet t m",
    "nft delete counter inet t m"
)]
#[case::sysctl(
    "sysctl -qw net.ipv4.conf.all.src_valid_mark=1",
    "+ sysctl net.ipv4.conf.all.src_valid_mark = 1",
    "sysctl -qw net.ipv4.conf.all.src_valid_mark=0"
)]
#[case::sysctl_link(
    "sysctl -qw net.ipv4.conf.eth0.rp_filter=2",
    "- sysctl net.ipv4.conf.eth0.rp_filter = 0",
    "sysctl -qw net.ipv4.conf.eth0.rp_filter=0"
)]
#[case::resolv_conf(
    "cp -p /etc/resolv.conf /run/before; echo '# vpn' >> /etc/resolv.conf",
    "# vpn",
    "cp -p /run/before /etc/resolv.conf"
)]
#[case::resolv_conf_link(
    "mv /etc/resolv.conf /run/before; ln -s /run/before /etc/resolv.conf",
    "+ resolver /etc/resolv.conf -> /run/before",
    "rm /etc/resolv.conf; mv /run/before /etc/resolv.conf"
)]
#[case::resolv_conf_gone(
    "mv /etc/resolv.conf /run/before",
    "+ resolver /etc/resolv.conf is not there",
    "mv /run/before /etc/resolv.conf"
)]
#[tokio::test]
async fn a_change_is_seen_and_its_undoing_too(
    #[case] change: &str,
    #[case] sign: &str,
    #[case] undo: &str,
) {
    let lab = lab().await;
    let before = taken(&lab).await;
    shell(&lab, "laptop", change).await;
    let changes = shown(&Snapshot::diff(&before, &taken(&lab).await));
    assert!(
        changes.iter().any(|line| line.contains(sign)),
        "{changes:#?}"
    );
    shell(&lab, "laptop", undo).await;
    let changes = shown(&Snapshot::diff(&before, &taken(&lab).await));
    assert_eq!(changes, <[String; 0]>::default());
}

#[tokio::test]
async fn two_snapshots_of_what_rests_are_equal() {
    let lab = lab().await;
    let before = taken(&lab).await;
    // Traffic moves counters, and fills the caches of neighbours and routes.
    let script =
        "for to in 192.168.188.1 192.168.188.77; do bash -c \"echo > /dev/udp/$to/9\"; done";
    shell(&lab, "laptop", script).await;
    assert_eq!(before, taken(&lab).await);
}

#[tokio::test]
async fn rules_in_another_order_are_another_ruleset() {
    let lab = lab().await;
    let rules = [
        "nft add rule inet t d meta mark 1 accept",
        "nft add rule inet t d meta mark 2 drop",
    ];
    shell(&lab, "laptop", &rules.join("; ")).await;
    let before = taken(&lab).await;
    let [one, two] = rules;
    shell(
        &lab,
        "laptop",
        &format!("nft flush chain inet t d; {two}; {one}"),
    )
    .await;
    assert_eq!(Snapshot::diff(&before, &taken(&lab).await).len(), 4);
    // The same again, with other handles.
    shell(
        &lab,
        "laptop",
        &format!("nft flush chain inet t d; {one}; {two}"),
    )
    .await;
    assert_eq!(
        shown(&Snapshot::diff(&before, &taken(&lab).await)),
        <[String; 0]>::default()
    );
}

#[tokio::test]
async fn a_snapshot_is_the_same_after_json() {
    let lab = lab().await;
    let snapshot = taken(&lab).await;
    let text = serde_json::to_string(&snapshot).expect("JSON");
    let read: Snapshot = serde_json::from_str(&text).expect("the same again");
    assert_eq!(read, snapshot);
    assert!(snapshot.sysctls.len() > 100, "{}", snapshot.sysctls.len());
}
