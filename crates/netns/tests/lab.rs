//! A switch, a router and two hosts, built and pinged in namespaces of this test's own.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, FromRawFd, IntoRawFd, OwnedFd};
use std::time::{Duration, Instant};

use fps_netlink::{Family, LinkName, Netlink};
use fps_netns::testing::with_namespaces;
use fps_netns::{
    Configuration, FirewallChain, FirewallContent, FirewallPorts, FirewallRule, FirewallVerdict,
    IcmpKind, Namespace, Station, Switch, add_firewall_rules, clear_firewall, masquerade, sysctl,
};
use netlink_sys::Socket;
use netlink_sys::protocols::NETLINK_NETFILTER;

fn name(text: &str) -> LinkName {
    LinkName::new(text).unwrap()
}

/// A namespace of a lab.
fn namespace() -> Namespace {
    let namespace = Namespace::create().unwrap();
    namespace
        .within(|| sysctl::set_all(sysctl::BASELINE))
        .unwrap()
        .unwrap();
    namespace
}

fn station(namespace: &Namespace) -> Station {
    Station::new(namespace.within(Netlink::open).unwrap().unwrap())
}

struct Lab {
    switch: Switch,
    inside: fps_netns::Segment,
    outside: fps_netns::Segment,
}

impl Lab {
    async fn new(ground: &Namespace) -> Self {
        let switch = Switch::new(ground.within(Netlink::open).unwrap().unwrap());
        let inside = switch.add_segment(&name("inside")).await.unwrap();
        let outside = switch.add_segment(&name("outside")).await.unwrap();
        Self {
            switch,
            inside,
            outside,
        }
    }

    async fn plug(
        &self,
        segment: fps_netns::Segment,
        (host, link): (&Namespace, &str),
        addresses: &[&str],
        gateways: &[&str],
    ) -> fps_netns::Port {
        let port = name(&format!("p{}", host.as_fd().as_raw()));
        let port = name(&format!("{port}{link}"));
        let port = self
            .switch
            .plug(segment, &port, &name(link), host.as_fd())
            .await
            .unwrap();
        let station = station(host);
        station.loopback_up().await.unwrap();
        let index = station.link(&name(link)).await.unwrap().index;
        station.bring_up(index).await.unwrap();
        let configuration = Configuration {
            addresses: addresses.iter().map(|a| a.parse().unwrap()).collect(),
            gateways: gateways.iter().map(|g| g.parse().unwrap()).collect(),
            metric: None,
        };
        station.configure(index, &configuration).await.unwrap();
        self.switch.settle_port(port).await.unwrap();
        self.switch.settle_segment(segment).await.unwrap();
        assert!(station.settle(index).await.unwrap().carrier);
        port
    }
}

trait Raw {
    fn as_raw(&self) -> i32;
}

impl Raw for std::os::fd::BorrowedFd<'_> {
    fn as_raw(&self) -> i32 {
        std::os::fd::AsRawFd::as_raw_fd(self)
    }
}

fn socket(namespace: &Namespace, at: &str) -> UdpSocket {
    let socket = namespace.within(|| UdpSocket::bind(at)).unwrap().unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(3)))
        .unwrap();
    socket
}

/// Sends one datagram; gives the source that the receiver saw and the time that it took.
fn send(from: &UdpSocket, to: &UdpSocket, address: &str) -> (IpAddr, Duration) {
    let start = Instant::now();
    let port = to.local_addr().unwrap().port();
    from.send_to(b"hello", SocketAddr::new(address.parse().unwrap(), port))
        .unwrap();
    let (_, source) = to.recv_from(&mut [0; 16]).expect("the datagram arrives");
    (source.ip(), start.elapsed())
}

#[test]
fn a_router_masquerades_both_families_and_the_first_packet_is_not_lost() {
    with_namespaces(
        "a_router_masquerades_both_families_and_the_first_packet_is_not_lost",
        async || {
            let ground = namespace();
            let (laptop, router, web) = (namespace(), namespace(), namespace());
            router
                .within(|| sysctl::set_all(sysctl::FORWARDING))
                .unwrap()
                .unwrap();
            let lab = Lab::new(&ground).await;
            let laptop_addresses = ["192.168.1.2/24", "fd00:1::2/64"];
            lab.plug(
                lab.inside,
                (&laptop, "eth0"),
                &laptop_addresses,
                &["192.168.1.1", "fd00:1::1"],
            )
            .await;
            lab.plug(
                lab.inside,
                (&router, "lan"),
                &["192.168.1.1/24", "fd00:1::1/64"],
                &[],
            )
            .await;
            lab.plug(
                lab.outside,
                (&router, "wan"),
                &["203.0.113.1/24", "2001:db8::1/64"],
                &[],
            )
            .await;
            lab.plug(
                lab.outside,
                (&web, "eth0"),
                &["203.0.113.80/24", "2001:db8::80/64"],
                &[],
            )
            .await;

            let netfilter = router
                .within(|| Socket::new(NETLINK_NETFILTER))
                .unwrap()
                .unwrap();
            // SAFETY: `into_raw_fd` gives up the only owner of an open descriptor.
            let netfilter = unsafe { OwnedFd::from_raw_fd(netfilter.into_raw_fd()) };
            masquerade(netfilter, &[name("wan")]).unwrap();

            let cases = [
                ("0.0.0.0:0", "203.0.113.80", "203.0.113.1"),
                ("[::]:0", "2001:db8::80", "2001:db8::1"),
            ];
            for (any, target, seen) in cases {
                let (source, took) = send(&socket(&laptop, any), &socket(&web, any), target);
                assert_eq!(source, seen.parse::<IpAddr>().unwrap());
                assert!(
                    took < Duration::from_millis(500),
                    "the first packet took {took:?}"
                );
            }
        },
    );
}

#[test]
fn a_pulled_cable_is_seen_at_once_and_a_put_in_one_carries_at_once() {
    with_namespaces(
        "a_pulled_cable_is_seen_at_once_and_a_put_in_one_carries_at_once",
        async || {
            let ground = namespace();
            let (one, two) = (namespace(), namespace());
            let lab = Lab::new(&ground).await;
            let port = lab
                .plug(lab.inside, (&one, "eth0"), &["10.0.0.1/24"], &[])
                .await;
            lab.plug(lab.inside, (&two, "eth0"), &["10.0.0.2/24"], &[])
                .await;
            let station = station(&one);
            let index = station.link(&name("eth0")).await.unwrap().index;

            lab.switch.set_plugged(port, false).await.unwrap();
            assert!(!station.settle(index).await.unwrap().carrier);
            lab.switch.set_plugged(port, true).await.unwrap();
            assert!(station.settle(index).await.unwrap().carrier);

            let (_, took) = send(
                &socket(&one, "0.0.0.0:0"),
                &socket(&two, "0.0.0.0:0"),
                "10.0.0.2",
            );
            assert!(
                took < Duration::from_millis(500),
                "the first packet took {took:?}"
            );
        },
    );
}

#[test]
fn an_unconfigured_link_keeps_no_address_and_no_default_route() {
    with_namespaces(
        "an_unconfigured_link_keeps_no_address_and_no_default_route",
        async || {
            let ground = namespace();
            let one = namespace();
            let lab = Lab::new(&ground).await;
            lab.plug(
                lab.inside,
                (&one, "eth0"),
                &["10.0.0.1/24", "fd00::1/64"],
                &["10.0.0.254"],
            )
            .await;
            let station = station(&one);
            let index = station.link(&name("eth0")).await.unwrap().index;
            let configuration = Configuration {
                gateways: vec!["10.0.0.254".parse().unwrap()],
                ..Configuration::default()
            };
            station.unconfigure(index, &configuration).await.unwrap();
            let left = station.netlink().addresses(Some(index)).await.unwrap();
            assert!(left.iter().all(|address| address.automatic), "{left:?}");
            station.unconfigure(index, &configuration).await.unwrap();
        },
    );
}

#[test]
fn a_thread_is_back_home_after_a_visit() {
    with_namespaces("a_thread_is_back_home_after_a_visit", async || {
        let before = std::fs::read_link("/proc/thread-self/ns/net").unwrap();
        let away = namespace();
        let inside = away
            .within(|| std::fs::read_link("/proc/thread-self/ns/net").unwrap())
            .unwrap();
        assert_ne!(before, inside);
        assert_eq!(
            before,
            std::fs::read_link("/proc/thread-self/ns/net").unwrap()
        );
    });
}

/// Every kind of content, for one family.
fn contents() -> Vec<Option<FirewallContent>> {
    let ports = FirewallPorts {
        from: Some(7443),
        to: Some(53),
    };
    let kinds = [
        IcmpKind::TooBig,
        IcmpKind::Unreachable,
        IcmpKind::TimeExceeded,
        IcmpKind::EchoRequest,
        IcmpKind::EchoReply,
        IcmpKind::Redirect,
        IcmpKind::RouterSolicitation,
        IcmpKind::RouterAdvertisement,
    ];
    let icmp = kinds.map(|kind| Some(FirewallContent::Icmp(Some(kind))));
    let others = [
        None,
        Some(FirewallContent::Tcp(ports)),
        Some(FirewallContent::Udp(FirewallPorts::default())),
        Some(FirewallContent::Icmp(None)),
    ];
    others.into_iter().chain(icmp).collect()
}

/// Every rule of one chain that the types allow, but for its addresses and links.
fn rules(chain: FirewallChain) -> Vec<FirewallRule> {
    let mut rules = Vec::new();
    for (family, net) in [(Family::V4, "10.0.0.0/8"), (Family::V6, "fd00::/8")] {
        for content in contents() {
            let is_tcp = matches!(content, Some(FirewallContent::Tcp(_)));
            let verdicts = [
                Some(FirewallVerdict::Drop),
                Some(FirewallVerdict::Reject),
                is_tcp.then_some(FirewallVerdict::Reset),
            ];
            rules.extend(verdicts.into_iter().flatten().map(|does| FirewallRule {
                chain,
                family,
                arrives_by: (chain != FirewallChain::Out).then(|| name("lan")),
                leaves_by: (chain != FirewallChain::In).then(|| name("wan")),
                from: Some(net.parse().unwrap()),
                to: None,
                content,
                does,
            }));
        }
    }
    rules
}

#[test]
fn the_kernel_takes_every_rule_of_a_firewall_and_gives_them_all_up() {
    let test = "the_kernel_takes_every_rule_of_a_firewall_and_gives_them_all_up";
    with_namespaces(test, async || {
        let host = namespace();
        let socket = || {
            let socket = host.within(|| Socket::new(NETLINK_NETFILTER)).unwrap();
            // SAFETY: `into_raw_fd` gives up the only owner of an open descriptor.
            unsafe { OwnedFd::from_raw_fd(socket.unwrap().into_raw_fd()) }
        };
        for chain in [
            FirewallChain::In,
            FirewallChain::Out,
            FirewallChain::Forward,
        ] {
            for rule in rules(chain) {
                add_firewall_rules(socket(), std::slice::from_ref(&rule))
                    .unwrap_or_else(|error| panic!("{rule}: {error:?}"));
            }
        }
        clear_firewall(socket()).unwrap();
        let again = clear_firewall(socket()).unwrap_err();
        assert!(
            matches!(again, fps_netns::Error::NoFirewall),
            "the control: {again:?}"
        );
    });
}
