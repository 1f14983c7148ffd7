//! A full tunnel that keeps the LAN, and the way of the carrier.

use std::net::IpAddr;

use fps_netlink::{Flow, Fwmark, Netlink, Route};
use fps_netns::testing::with_namespaces;

use crate::host::{Host, name};

const FULL: &str = "--tun fpsc0 --tun-address 10.66.0.2/30 --tun-address fd66::2/64 --full-tunnel \
    --except-fwmark 0x465053 --no-dns";

const CARRIER: Fwmark = Fwmark(0x46_5053);

/// A host with a LAN of both families, and a default route by it.
async fn host() -> Host {
    let mut host = Host::new().await;
    host.add_lan().await;
    host.add_address(host.lan, "fd00:2::2/64").await;
    for (to, via) in [("0.0.0.0/0", "192.0.2.1"), ("::/0", "fd00:2::1")] {
        let default = Route::new(to.parse().unwrap()).via(via.parse().unwrap());
        host.netlink.add_route(&default).await.unwrap();
    }
    let second = Route::new("10.9.0.0/16".parse().unwrap());
    let second = second.via("192.0.2.3".parse().unwrap());
    host.netlink.add_route(&second).await.unwrap();
    host
}

impl Host {
    /// By which interface a packet leaves.
    async fn way(&self, to: &str, mark: Fwmark) -> &'static str {
        let flow = Flow::to(to.parse::<IpAddr>().unwrap()).marked(mark);
        let route = self.netlink.lookup(&flow).await.unwrap().unwrap();
        match route.link {
            link if link == Some(self.fpsc0) => "fpsc0",
            link if link == Some(self.lan) => "lan0",
            link => panic!("{to}: {link:?}"),
        }
    }
}

/// What it prints behind the first line.
const PLANNED: &str = "\
+ ip addr replace 10.66.0.2/30 dev fpsc0
+ ip -6 addr replace fd66::2/64 dev fpsc0
+ ip link set dev fpsc0 up
+ ip route replace throw 203.0.113.10/32 table 100
+ ip route replace 198.51.100.0/24 dev fpsc0 table 100
+ ip -6 route replace fd66:1::/48 dev fpsc0 table 100
+ ip route replace 192.0.2.0/24 dev lan0 src 192.0.2.2 table 101
+ ip -6 route replace fd00:2::/64 dev lan0 metric 256 table 101
+ ip route replace 10.9.0.0/16 via 192.0.2.3 dev lan0 table 101
+ ip route replace throw 203.0.113.10/32 table 102
+ ip route replace throw 224.0.0.0/4 table 102
+ ip route replace throw 255.255.255.255/32 table 102
+ ip route replace default dev fpsc0 table 102
+ ip -6 route replace default dev fpsc0 table 102
+ ip rule del priority 10000 not from all fwmark 0x465053 table 100
+ ip rule add priority 10000 not from all fwmark 0x465053 table 100
+ ip rule del priority 10001 not from all fwmark 0x465053 table 101
+ ip rule add priority 10001 not from all fwmark 0x465053 table 101
+ ip rule del priority 10002 not from all fwmark 0x465053 table 102
+ ip rule add priority 10002 not from all fwmark 0x465053 table 102
+ ip -6 rule del priority 10000 not from all fwmark 0x465053 table 100
+ ip -6 rule add priority 10000 not from all fwmark 0x465053 table 100
+ ip -6 rule del priority 10001 not from all fwmark 0x465053 table 101
+ ip -6 rule add priority 10001 not from all fwmark 0x465053 table 101
+ ip -6 rule del priority 10002 not from all fwmark 0x465053 table 102
+ ip -6 rule add priority 10002 not from all fwmark 0x465053 table 102
+ ip route flush cache
";

#[test]
fn keeps_the_lan_out_in_three_tables() {
    with_namespaces("lan::keeps_the_lan_out_in_three_tables", async || {
        let host = host().await;
        let options = format!(
            "{FULL} --keep-lan --lan-route 10.0.0.0/8 --route 198.51.100.0/24 --route fd66:1::/48 \
             --endpoint 203.0.113.10:443"
        );
        let planned = host.succeed(&format!("plan {options}"));
        let header = "# fps_linux_route action=plan tun=fpsc0 execute=false\n";
        assert_eq!(planned, format!("{header}{PLANNED}"));
        let before = host.state().await;
        let applied = host.succeed(&format!("apply {options}"));
        let header = "# fps_linux_route action=apply tun=fpsc0 execute=true\n";
        assert_eq!(applied, format!("{header}{PLANNED}"));
        for (to, way) in [
            ("192.0.2.9", "lan0"),
            ("fd00:2::9", "lan0"),
            ("10.9.0.9", "lan0"),
            ("198.51.100.9", "fpsc0"),
            ("fd66:1::9", "fpsc0"),
            ("9.9.9.9", "fpsc0"),
            ("2001:db8::9", "fpsc0"),
            // What is for everyone, and for the carrier's far end: as main leads it.
            ("224.0.0.251", "lan0"),
            ("203.0.113.10", "lan0"),
        ] {
            assert_eq!(host.way(to, Fwmark(0)).await, way, "{to}");
            if way == "fpsc0" {
                assert_eq!(host.way(to, CARRIER).await, "lan0", "{to}");
            }
        }
        assert_eq!(host.succeed(&format!("apply {options}")), applied);
        host.succeed(&format!("cleanup {options} --down"));
        assert_eq!(host.state().await, before);
    });
}

#[test]
fn without_gateways_in_the_lan_none_is_copied() {
    with_namespaces(
        "lan::without_gateways_in_the_lan_none_is_copied",
        async || {
            let host = host().await;
            host.succeed(&format!("apply {FULL} --keep-lan"));
            let copies = [
                "192.0.2.0/24 dev lan0 src 192.0.2.2",
                "fd00:2::/64 dev lan0 metric 256",
            ];
            assert_eq!(host.table(101).await, copies);
            assert_eq!(host.way("10.9.0.9", Fwmark(0)).await, "fpsc0");
        },
    );
}

/// The operational state of a link is unknown with many drivers, and it is down without a cable,
/// while its routes stand: neither says that there is no LAN.
#[test]
fn a_link_that_is_not_operational_has_a_lan() {
    with_namespaces(
        "lan::a_link_that_is_not_operational_has_a_lan",
        async || {
            let host = host().await;
            let far = host.far.within(Netlink::open).unwrap().unwrap();
            let port = far.link(&name("port1")).await.unwrap().unwrap().index;
            far.set_down(port).await.unwrap();
            // A device without driver or cable: unknown.
            host.netlink.create_bridge(&name("odd0")).await.unwrap();
            let odd = host.netlink.link(&name("odd0")).await.unwrap().unwrap();
            host.add_address(odd.index, "10.7.0.2/24").await;
            let lan = host.netlink.link(&name("lan0")).await.unwrap().unwrap();
            assert!(lan.up && !lan.operational, "{lan:?}");
            host.succeed(&format!("apply {FULL} --keep-lan"));
            let odd = format!("10.7.0.0/24 (index {}) src 10.7.0.2", odd.index);
            let copies = [
                odd.as_str(),
                "192.0.2.0/24 dev lan0 src 192.0.2.2",
                "fd00:2::/64 dev lan0 metric 256",
            ];
            assert_eq!(host.table(101).await, copies);
        },
    );
}

#[test]
fn of_two_interfaces_in_one_lan_the_same_is_taken() {
    with_namespaces(
        "lan::of_two_interfaces_in_one_lan_the_same_is_taken",
        async || {
            let host = host().await;
            // A second interface in the same subnets, which the kernel takes second.
            host.netlink
                .create_bridge(&"lan1".parse().unwrap())
                .await
                .unwrap();
            let lan1 = host.netlink.link(&"lan1".parse().unwrap()).await.unwrap();
            let lan1 = lan1.unwrap().index;
            for net in ["192.0.2.3/24", "fd00:2::3/64"] {
                host.add_address(lan1, net).await;
            }
            let planned = host.succeed(&format!("apply {FULL} --keep-lan"));
            assert!(
                planned.contains("+ ip route append 192.0.2.0/24 dev lan1"),
                "{planned}"
            );
            let lines = |second: &str| {
                let lan1 = format!("(index {lan1})");
                let lines = [
                    "192.0.2.0/24 dev lan0 src 192.0.2.2".to_owned(),
                    format!("192.0.2.0/24 {lan1} src 192.0.2.3"),
                    "fd00:2::/64 dev lan0 metric 256".to_owned(),
                    format!("fd00:2::/64 {lan1} metric 256"),
                ];
                lines
                    .into_iter()
                    .filter(|line| !line.contains(second))
                    .collect::<Vec<_>>()
            };
            assert_eq!(host.table(101).await, lines("none"));
            // The first goes: its place is taken in one step.
            host.netlink.set_down(host.lan).await.unwrap();
            host.succeed(&format!("apply {FULL} --keep-lan"));
            assert_eq!(host.table(101).await, lines("lan0"));
        },
    );
}

#[test]
fn a_network_that_claims_too_much_is_no_lan() {
    with_namespaces(
        "lan::a_network_that_claims_too_much_is_no_lan",
        async || {
            let host = host().await;
            host.add_address(host.lan, "5.6.7.8/7").await;
            host.succeed(&format!("apply {FULL} --keep-lan"));
            assert_eq!(host.way("5.9.9.9", Fwmark(0)).await, "fpsc0");
            assert_eq!(host.way("192.0.2.9", Fwmark(0)).await, "lan0");
        },
    );
}

#[test]
fn the_carriers_way_is_the_underlays_whatever_that_is() {
    with_namespaces(
        "lan::the_carriers_way_is_the_underlays_whatever_that_is",
        async || {
            for keep_lan in ["", " --keep-lan"] {
                let host = host().await;
                let endpoints = "--endpoint 203.0.113.10 --endpoint [2001:db8::10]:443";
                host.succeed(&format!("apply {FULL}{keep_lan} {endpoints}"));
                for to in ["203.0.113.10", "2001:db8::10"] {
                    assert_eq!(host.way(to, Fwmark(0)).await, "lan0");
                }
                // The uplink goes, and with it its routes: the carrier has no way, and so none into
                // the tunnel either.
                host.netlink.set_down(host.lan).await.unwrap();
                let lost = Flow::to("203.0.113.10".parse().unwrap());
                assert!(host.netlink.lookup(&lost).await.unwrap().is_err());
                // Another one comes, and nobody has done anything.
                let via = Route::new("0.0.0.0/0".parse().unwrap());
                host.netlink.set_up(host.lan).await.unwrap();
                let via = via.via("192.0.2.77".parse().unwrap());
                host.netlink.add_route(&via).await.unwrap();
                let found = host.netlink.lookup(&lost).await.unwrap().unwrap();
                assert_eq!(found.gateway, Some("192.0.2.77".parse().unwrap()));
                assert_eq!(host.way("9.9.9.9", Fwmark(0)).await, "fpsc0");
            }
        },
    );
}
