//! Packets, while routes change: which way each goes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use fps_netlink::{
    Address, FPS_ROUTE_PROTOCOL, Family, Fwmark, Netlink, Route, Rule, RuleAction, RulePriority,
    TableId,
};
use fps_netns::testing::with_namespaces;
use fps_packet::{Capture, Direction, Frame};
use nix::sys::socket::sockopt::Mark;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, setsockopt, socket};

use crate::host::{Host, name};

const MARK: Fwmark = Fwmark(0x46_5053);

/// What is sent all the time, and what it is to.
const LAN: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 9);
const CARRIER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
const TUNNEL: Ipv4Addr = Ipv4Addr::new(9, 9, 9, 9);
const ALL: [Ipv4Addr; 3] = [LAN, CARRIER, TUNNEL];

/// At least a packet a millisecond to each.
const EVERY: Duration = Duration::from_micros(500);

const FULL: &str = "--tun fpsc0 --full-tunnel --except-fwmark 0x465053 --no-dns --keep-lan \
    --endpoint 203.0.113.10:443";

/// Sends until it is dropped.
struct Traffic {
    stop: Option<Sender<()>>,
    sender: Option<JoinHandle<u32>>,
}

impl Traffic {
    /// The carrier's socket bears the mark, as its client gives it one; the others bear none.
    fn start(host: &Host) -> Self {
        let open = |to: Ipv4Addr| {
            let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
            if to == CARRIER {
                setsockopt(&socket, Mark, &MARK.0).unwrap();
            }
            (socket, SocketAddr::from((to, 4242)))
        };
        let sockets = host.namespace.within(|| ALL.map(open)).unwrap();
        let (stop, stopped) = channel::<()>();
        let sender = std::thread::spawn(move || {
            let mut rounds = 0;
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                for (socket, to) in &sockets {
                    // Refused for a moment, while rules change, is not sent the wrong way.
                    let _ = socket.send_to(b"?", to);
                }
                rounds += 1;
            }
            rounds
        });
        Self {
            stop: Some(stop),
            sender: Some(sender),
        }
    }

    /// How many rounds there were.
    fn stop(mut self) -> u32 {
        drop(self.stop.take());
        self.sender.take().unwrap().join().unwrap()
    }
}

/// A host with a LAN in which everyone answers for every address, and a tap on its interfaces.
struct Scene {
    host: Host,
    capture: Capture,
    seen: Vec<Frame>,
}

impl Scene {
    async fn new() -> Self {
        let mut host = Host::new().await;
        host.add_lan().await;
        let beyond = host.far.within(Netlink::open).unwrap().unwrap();
        for (bridge, net) in [
            ("br1", "192.0.2.1/24"),
            ("br1", "192.0.2.9/32"),
            ("br1", "203.0.113.10/32"),
            ("br0", "9.9.9.9/32"),
        ] {
            let link = beyond.link(&name(bridge)).await.unwrap().unwrap().index;
            beyond.set_up(link).await.unwrap();
            let address = Address::new(link, net.parse().unwrap());
            beyond.add_address(&address).await.unwrap();
        }
        let default = Route::new("0.0.0.0/0".parse().unwrap());
        let default = default.via("192.0.2.1".parse().unwrap());
        host.netlink.add_route(&default).await.unwrap();
        let (kind, flags) = (SockType::Datagram, SockFlag::SOCK_CLOEXEC);
        let open = || socket(AddressFamily::Packet, kind, flags, None).unwrap();
        let tap = host.namespace.within(open).unwrap();
        Self {
            host,
            capture: Capture::arm(tap).unwrap(),
            seen: Vec::new(),
        }
    }

    fn look(&mut self) {
        self.seen.extend(self.capture.drain().unwrap());
        assert_eq!(self.capture.dropped().unwrap(), 0);
    }

    /// Waits until a packet for an address has left by an interface from now on.
    async fn until_sent(&mut self, to: Ipv4Addr, by: &str) {
        self.look();
        let begin = self.seen.len();
        let wait = async {
            while !self.ways_from(begin, to).contains(&by) {
                self.capture.readable().await.unwrap();
                self.look();
            }
        };
        let patience = Duration::from_secs(20);
        tokio::time::timeout(patience, wait)
            .await
            .expect("a packet");
    }

    /// The interfaces by which packets for an address have left, or by which it was asked who has
    /// it, in order; each once as long as it stays the same.
    fn ways(&self, to: Ipv4Addr) -> Vec<&'static str> {
        self.ways_from(0, to)
    }

    fn ways_from(&self, begin: usize, to: Ipv4Addr) -> Vec<&'static str> {
        let frames = self.seen[begin..].iter();
        let sent = frames
            .filter(|frame| frame.direction == Direction::Sent && concerns(frame) == Some(to));
        let mut ways: Vec<_> = sent
            .map(|frame| match frame.ifindex {
                index if index == self.host.fpsc0.get() => "fpsc0",
                index if index == self.host.lan.get() => "lan0",
                index => panic!("interface {index}"),
            })
            .collect();
        ways.dedup();
        ways
    }
}

/// Where a packet goes, or whom an ARP request asks for.
fn concerns(frame: &Frame) -> Option<Ipv4Addr> {
    if frame.protocol == 0x0806 {
        // RFC 826: the operation, 1 for a request, and behind the sender's the target's address.
        let target: [u8; 4] = frame.bytes.get(24..28)?.try_into().ok()?;
        return (frame.bytes.get(6..8)? == [0, 1]).then_some(target.into());
    }
    match frame.packet()?.destination {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    }
}

#[test]
fn no_packet_goes_the_wrong_way_while_routes_change() {
    with_namespaces(
        "passage::no_packet_goes_the_wrong_way_while_routes_change",
        async || {
            let mut scene = Scene::new().await;
            let traffic = Traffic::start(&scene.host);
            scene.until_sent(TUNNEL, "lan0").await;
            for options in [
                "--tun-address 10.66.0.2/24",
                // Another address of the same subnet, with which the kernel drops the first one's
                // routes; of another subnet; and then more routes, and the guard of other rules.
                "--tun-address 10.66.0.3/24",
                "--tun-address 10.77.0.2/30",
                "--tun-address 10.77.0.2/30 --route 9.0.0.0/8 --route 10.66.1.0/24",
                "--tun-address 10.77.0.2/30 --priority 9000",
                "--tun-address 10.77.0.2/30 --table 300",
                "--tun-address 10.77.0.2/30",
            ] {
                scene.host.succeed(&format!("apply {FULL} {options}"));
                for (to, by) in [(TUNNEL, "fpsc0"), (LAN, "lan0"), (CARRIER, "lan0")] {
                    scene.until_sent(to, by).await;
                }
            }
            scene.host.succeed("cleanup --tun fpsc0 --no-dns");
            scene.until_sent(TUNNEL, "lan0").await;
            let rounds = traffic.stop();
            scene.look();
            assert!(rounds > 50, "{rounds}");
            assert_eq!(scene.ways(LAN), ["lan0"]);
            assert_eq!(scene.ways(CARRIER), ["lan0"]);
            // Into the tunnel once, and out of it once.
            assert_eq!(scene.ways(TUNNEL), ["lan0", "fpsc0", "lan0"]);
        },
    );
}

#[test]
fn a_packet_that_goes_the_wrong_way_is_seen() {
    with_namespaces(
        "passage::a_packet_that_goes_the_wrong_way_is_seen",
        async || {
            let mut scene = Scene::new().await;
            let traffic = Traffic::start(&scene.host);
            let options = "--tun-address 10.66.0.2/24";
            scene.host.succeed(&format!("apply {FULL} {options}"));
            let rule = |number: u32| {
                let action = RuleAction::Lookup(TableId(100 + number));
                let rule = Rule::new(Family::V4, RulePriority(10000 + number), action);
                let protocol = FPS_ROUTE_PROTOCOL;
                Rule {
                    protocol,
                    ..rule.marked(MARK).inverted()
                }
            };
            // Without the LAN's rule the LAN is in the tunnel, as in the first design of firezone.
            scene.host.netlink.delete_rule(&rule(1)).await.unwrap();
            scene.until_sent(LAN, "fpsc0").await;
            // Without the mark the carrier is.
            scene.host.netlink.delete_rule(&rule(2)).await.unwrap();
            let all = Rule {
                mark: None,
                inverted: false,
                ..rule(2)
            };
            let throw = Route::new("203.0.113.10/32".parse().unwrap()).in_table(TableId(102));
            let protocol = FPS_ROUTE_PROTOCOL;
            let throw = throw.of_kind(fps_netlink::RouteKind::Throw);
            let throw = Route { protocol, ..throw };
            scene.host.netlink.delete_route(&throw).await.unwrap();
            scene.host.netlink.add_rule(&all).await.unwrap();
            scene.until_sent(CARRIER, "fpsc0").await;
            // And without the last rule what belongs into the tunnel is out of it.
            scene.host.netlink.delete_rule(&all).await.unwrap();
            scene.until_sent(TUNNEL, "lan0").await;
            traffic.stop();
        },
    );
}
