//! A customer's host, collected, imported and played again, has the same kernel state.
//!
//! Both hosts are hosts of real runs: the snapshots are those that a run keeps of a step that failed.

mod common {
    pub(crate) mod round_trip;
}

use common::round_trip::{Trip, changes};
use rstest::rstest;

/// The lab that a customer's host is in: an uplink, a second one that is down, an office's network, a
/// container's bridge and the device of another VPN.
const LAB: &str = r#"
title    = "A customer's host"
sabotage = []
why      = "a test of collect and import"
needs    = ["ip", "nft"]

[net.home]
v4 = "192.168.188.0/24"
v6 = "fd00:188::/64"

[net.office]
v4 = "10.20.0.0/16"

[net.bridge]
v4 = "172.17.0.0/16"

[net.vpn]
v4 = "10.8.0.0/24"
v6 = "fd08::/64"

[host.customer]
name-servers    = ["192.168.188.1", "10.8.0.1"]
link.wlan0      = { net = "home", ip = ["192.168.188.112", "fd00:188::112"] }
link."eth0.10"  = { net = "office", ip = "10.20.3.4", metric = 50 }
link.docker0    = { net = "bridge", ip = "172.17.0.1" }
link.wg0        = { net = "vpn", ip = ["10.8.0.2", "fd08::2"] }

[host.router]
nat      = "lan"
link.lan = { net = "home", ip = ["192.168.188.1", "fd00:188::1"] }

[[step]]
name = "the customer's doing"
do   = [
  { run = { on = "customer", command = ["sh", "-exc", '''SCRIPT'''] } },
]
"#;

/// What somebody has done to the host.
#[rstest]
#[case::nothing("true")]
#[case::uplinks(
    "ip route add default via 192.168.188.1 dev wlan0 proto dhcp src 192.168.188.112 metric 600
     ip route add default via 10.20.0.1 dev eth0.10 proto static metric 100
     ip -6 route add default via fe80::1 dev wlan0 proto ra metric 600 pref high
     ip route add 203.0.113.7 via 192.168.188.1 dev wlan0
     ip route add 10.66.0.0/16 dev wg0 mtu 1280"
)]
#[case::policy(
    "ip rule add pref 100 fwmark 0x1/0xff lookup 77
     ip rule add pref 101 not fwmark 0x465053 lookup 51820 protocol 70
     ip rule add pref 102 lookup main suppress_prefixlength 0
     ip -6 rule add pref 102 lookup main suppress_prefixlength 0
     ip rule add pref 103 from 10.8.0.2 to 10.66.0.0/16 iif lo ipproto tcp dport 443 lookup 77
     ip rule add pref 104 uidrange 0-0 ipproto udp sport 1-99 dport 53 prohibit
     ip rule add pref 105 fwmark 0x9 goto 200
     ip rule add pref 200 nop
     ip rule add pref 201 oif wg0 unreachable
     ip -6 rule add pref 202 iif docker0 blackhole
     ip rule add pref 203 not from 10.0.0.0/8 lookup default
     ip rule add pref 204 tos 0x10 lookup 78
     ip route add default dev wg0 table 51820
     ip route add 10.66.1.0/24 via 10.8.0.1 dev wg0 table 77 metric 5
     ip -6 route add default via fd08::1 dev wg0 table 51820
     ip route add throw 192.168.0.0/16 table 77"
)]
#[case::refusals(
    "ip route add unreachable 10.99.0.0/16 metric 4000
     ip route add blackhole 10.98.0.0/16 table 100
     ip route add prohibit default table 101
     ip -6 route add unreachable fd99::/16
     ip -6 route add blackhole default metric 4294967295"
)]
#[case::exotic(
    "ip route add 10.50.0.0/16 nexthop via 192.168.188.1 dev wlan0 weight 2 nexthop via 10.20.0.1 dev eth0.10
     ip -6 route add fd50::/64 nexthop via fe80::1 dev wlan0 nexthop via fd08::1 dev wg0
     ip route add 10.51.0.0/16 via 10.77.77.77 dev wlan0 onlink table 55
     ip route add 10.52.0.0/16 via inet6 fe80::1 dev wlan0
     ip route add 10.57.0.0/16 nexthop via inet6 fe80::1 dev wlan0 nexthop via 10.20.0.1 dev eth0.10
     ip route add local 10.53.0.0/16 dev lo table 100
     ip route add tos 0x10 10.54.0.0/16 dev wg0
     ip route add 10.55.0.0/16 dev wg0 advmss 1200 initcwnd 20 realm 3
     ip route add 10.56.0.0/16 dev wg0 scope global"
)]
#[case::addresses(
    "ip addr add 192.168.188.113/24 brd + dev wlan0
     ip addr add 10.20.9.9/24 dev eth0.10 label eth0.10:1
     ip addr add 10.9.0.1 peer 10.9.0.2 dev wg0
     ip addr add 10.10.10.10/32 dev lo
     ip addr add 10.30.0.5/24 brd + dev eth0.10 noprefixroute
     ip addr add 10.31.0.5/24 brd + dev eth0.10 metric 700
     ip -6 addr add fd31::5/64 dev wlan0 nodad noprefixroute
     ip -6 route add fd31::/64 dev wlan0 proto ra metric 600
     ip -6 addr flush dev wg0 scope link
     ip route del 10.8.0.0/24 dev wg0"
)]
#[case::single_addresses(
    "ip -6 addr add fd42::2/128 dev wg0 nodad
     ip -6 addr add fd43::1/128 dev lo
     ip -6 addr add fd44::1 peer fd44:1::2/64 dev wg0 nodad
     ip -6 addr add fe80::a peer fe80::b/128 dev wg0 nodad"
)]
#[case::no_subnet(
    "ip addr flush dev wg0
     ip addr add 10.66.0.2/32 dev wg0
     ip -6 route add fd00::/8 dev wg0
     sysctl -q net.ipv4.conf.default.rp_filter=2 net.ipv4.conf.wg0.rp_filter=0"
)]
#[case::figures(
    "ip route add 10.58.0.0/16 dev wg0 rto_min 50ms rtt 100ms rttvar 50ms
     ip route add 10.59.0.0/16 dev wg0 congctl reno features ecn fastopen_no_cookie 1"
)]
#[case::links(
    "ip link set dev wg0 mtu 1420
     ip addr replace fd08::2/64 dev wg0 nodad
     ip link set dev docker0 down"
)]
#[case::sysctls(
    "sysctl -qw net.ipv4.ip_forward=1
     sysctl -qw net.ipv4.conf.eth0/10.forwarding=0
     sysctl -qw net.ipv4.conf.all.rp_filter=2
     sysctl -qw net.ipv4.conf.wlan0.rp_filter=1
     sysctl -qw net.ipv4.conf.all.src_valid_mark=1
     sysctl -qw net.ipv6.conf.docker0.disable_ipv6=1
     sysctl -qw net.ipv6.conf.all.forwarding=1"
)]
#[case::no_v6("sysctl -qw net.ipv6.conf.all.disable_ipv6=1")]
#[case::moved_local_rule(
    "ip rule add pref 2000 lookup local
     ip rule del pref 0
     ip rule del pref 32767"
)]
#[case::firewall(
    "nft -f - <<END
     table inet vpn {
       set peers { type ipv4_addr; flags interval; elements = { 10.8.0.0/24, 192.0.2.7 }; }
       chain out {
         type filter hook output priority filter; policy accept;
         oifname \"wg0\" ip daddr @peers counter accept
         meta mark 0x1 ct state established drop comment \"a mark\"
       }
       chain nat {
         type nat hook postrouting priority srcnat;
         ip saddr 172.17.0.0/16 oifname != \"docker0\" masquerade
       }
     }
END"
)]
#[case::names(
    "printf 'search corp.example\nnameserver 10.8.0.1\noptions edns0 trust-ad\n' > /etc/resolv.conf"
)]
#[case::names_of_another(
    "mkdir -p /run/NetworkManager
     echo 'nameserver 192.168.188.1' > /run/NetworkManager/resolv.conf
     ln -sf ../run/NetworkManager/resolv.conf /etc/resolv.conf"
)]
#[case::no_names("rm /etc/resolv.conf")]
#[case::names_that_are_gone("ln -sf /run/resolvconf/resolv.conf /etc/resolv.conf")]
fn has_the_same_state(#[case] script: &str) {
    let trip = Trip::make(&LAB.replace("SCRIPT", script));
    let text = &trip.scenario;
    let changes = changes(&trip.before, &trip.after());
    assert_eq!(changes, <[String; 0]>::default(), "{text}");
}

/// What other programs leave in a host, as the footprints of the lab have it.
#[rstest]
#[case::wg_quick(
    "{ footprint = { use = 'wg-quick', on = 'customer', tun = 'wg0', gateway = '10.8.0.1' } }"
)]
#[case::tailscale(
    "{ footprint = { use = 'tailscale', on = 'customer', tun = 'wg0', gateway = '10.8.0.1', accept = ['10.66.0.0/16'], keep = ['192.168.188.0/24'] } }"
)]
#[case::mullvad(
    "{ footprint = { use = 'mullvad', on = 'customer', tun = 'wg0', gateway = '10.8.0.1' } }"
)]
#[case::docker("{ footprint = { use = 'docker', on = 'customer' } }")]
fn has_the_same_state_as_with(#[case] footprint: &str) {
    let lab = LAB.replace("SCRIPT", "true");
    let lab = lab.replace("do   = [", &format!("do   = [\n  {footprint},"));
    let trip = Trip::make(&lab);
    let text = &trip.scenario;
    let changes = changes(&trip.before, &trip.after());
    assert_eq!(changes, <[String; 0]>::default(), "{text}");
}

/// What the snapshots do not tell: the group of a link, and that an address is not for what begins.
#[test]
fn has_groups_and_deprecated_addresses() {
    let script = "ip link set dev wg0 group 7
     ip -6 addr add fd33::5/64 dev wlan0 nodad preferred_lft 0";
    let trip = Trip::make(&LAB.replace("SCRIPT", script));
    for words in [
        r#""ip", "link", "set", "dev", "wg0", "group", "7""#,
        r#""preferred_lft", "0""#,
    ] {
        assert!(trip.scenario.contains(words), "{}", trip.scenario);
    }
    let changes = changes(&trip.before, &trip.after());
    assert_eq!(changes, <[String; 0]>::default(), "{}", trip.scenario);
}

/// The positive control: what an import lacks, the comparison tells, and nothing else.
#[rstest]
#[case::rule("fwmark = \"0x11\"", "- rule", "fwmark 0x11")]
#[case::route("10.67.0.0/16", "- route", "to 10.67.0.0/16")]
#[case::address("10.68.0.1/32", "- address", "10.68.0.1/32")]
#[case::sysctl(
    "wg0.src_valid_mark",
    "- sysctl",
    "net.ipv4.conf.wg0.src_valid_mark = 1"
)]
fn tells_what_an_import_lacks(#[case] lacks: &str, #[case] kind: &str, #[case] told: &str) {
    let script = "ip rule add pref 100 fwmark 0x11 lookup 77
     ip rule add pref 101 fwmark 0x12 lookup 77
     ip route add 10.67.0.0/16 via 10.8.0.1
     ip route add 10.69.0.0/16 via 10.8.0.1
     ip addr add 10.68.0.1/32 dev wg0
     sysctl -qw net.ipv4.conf.wg0.src_valid_mark=1 net.ipv4.conf.wlan0.src_valid_mark=1";
    let mut trip = Trip::make(&LAB.replace("SCRIPT", script));
    trip.drop_acts(lacks);
    let changes = changes(&trip.before, &trip.after());
    let gone = changes
        .iter()
        .filter(|line| line.starts_with(kind) && line.contains(told));
    let more = changes
        .iter()
        .filter(|line| !line.contains("10.68.0.1") || kind != "- address");
    // An address takes its own routes along.
    let more = if kind == "- address" {
        more.count() + 1
    } else {
        changes.len()
    };
    assert_eq!(
        (gone.count(), more),
        (1, if kind == "- sysctl" { 2 } else { 1 }),
        "{changes:#?}"
    );
}
