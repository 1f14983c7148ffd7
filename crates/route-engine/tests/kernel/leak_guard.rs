//! `--dns-leak-guard`: which queries are seen on the underlay.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use fps_netlink::{
    FPS_ROUTE_PROTOCOL, Family, Fwmark, IfIndex, Netlink, Route, RouteKind, Rule, RuleAction,
    RulePriority, TableId, VethPair,
};
use fps_netns::testing::with_namespaces;
use fps_packet::{Direction, Frame, Transport};
use nix::sys::signal::Signal;
use nix::sys::socket::sockopt::{BindToDevice, Broadcast, Mark};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrStorage, connect, sendto, setsockopt,
    socket,
};

use crate::host::{Host, TABLE, name};
use crate::traffic::Scene;
use crate::watcher::Watcher;

const FULL: &str = "--tun fpsc0 --tun-address 10.66.0.2/30 --tun-address fd66::2/64 --full-tunnel \
    --except-fwmark 0x465053 --keep-lan --no-dns";
const MARK: Fwmark = Fwmark(0x46_5053);

/// Resolvers on the LAN, and beyond its router.
const LAN: [&str; 2] = ["192.0.2.9", "fd00:2::9"];
const BEYOND: [&str; 2] = ["9.9.9.9", "2001:db8:9::9"];
/// Ports of DNS, and one that is not.
const PORTS: [u16; 2] = [53, 853];
const OTHER: u16 = 5353;

/// How a query is sent.
#[derive(Clone, Copy, Debug, Default)]
struct Manner {
    /// Its socket is bound to `lan0`, as systemd-resolved's are to a link.
    bound: bool,
    mark: Option<Fwmark>,
}

const UNBOUND: Manner = Manner {
    bound: false,
    mark: None,
};
const BOUND: Manner = Manner {
    bound: true,
    mark: None,
};

/// Sends a query, whether the kernel lets it or not; TCP goes on as long as the socket is there.
fn send(to: &str, port: u16, kind: SockType, how: Manner) -> OwnedFd {
    let to: IpAddr = to.parse().unwrap();
    let family = match to {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(family, kind, flags, None).unwrap();
    if how.bound {
        setsockopt(&socket, BindToDevice, &OsString::from("lan0")).unwrap();
    }
    if let Some(mark) = how.mark {
        setsockopt(&socket, Mark, &mark.0).unwrap();
    }
    let to = SockaddrStorage::from(SocketAddr::new(to, port));
    if kind == SockType::Datagram {
        // Go's programs may send to all, by default.
        setsockopt(&socket, Broadcast, &true).unwrap();
        let _ = sendto(socket.as_raw_fd(), b"?", &to, MsgFlags::empty());
    } else {
        let _ = connect(socket.as_raw_fd(), &to);
    }
    socket
}

/// A query that has left by an interface.
fn query(frame: &Frame, by: IfIndex) -> Option<(String, u16)> {
    if frame.direction != Direction::Sent || frame.ifindex != by.get() {
        return None;
    }
    let packet = frame.packet()?;
    let (protocol, port) = match packet.transport {
        Transport::Udp {
            destination_port, ..
        } => ("udp", destination_port),
        Transport::Tcp {
            destination_port, ..
        } => ("tcp", destination_port),
        _ => return None,
    };
    Some((format!("{protocol} {} {port}", packet.destination), port))
}

impl Scene {
    /// Sends all queries in a manner, and tells those that leave by the LAN. What is sent behind them
    /// to another port leaves by it, too, so that they have been waited for.
    async fn leaks(&mut self, how: Manner) -> BTreeSet<String> {
        self.look();
        let begin = self.seen.len();
        let send_all = || {
            let mut sockets = Vec::new();
            for to in LAN.iter().chain(&BEYOND) {
                for port in PORTS {
                    for kind in [SockType::Datagram, SockType::Stream] {
                        sockets.push(send(to, port, kind, how));
                    }
                }
                sockets.push(send(to, OTHER, SockType::Datagram, BOUND));
            }
            for to in LAN {
                sockets.push(send(to, OTHER, SockType::Stream, UNBOUND));
            }
            sockets
        };
        let sockets = self.host.namespace.within(send_all).unwrap();
        let by = self.host.lan;
        let left = |scene: &Self| -> BTreeSet<(String, u16)> {
            let frames = scene.seen[begin..].iter();
            frames.filter_map(|frame| query(frame, by)).collect()
        };
        let wait = async {
            let other = |it: &&(String, u16)| it.1 == OTHER;
            while left(self).iter().filter(other).count() < 6 {
                self.capture.readable().await.unwrap();
                self.look();
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), wait).await;
        assert!(waited.is_ok(), "{:?}", left(self));
        drop(sockets);
        let left = left(self).into_iter();
        let queries = left.filter(|(_, port)| *port != OTHER);
        queries.map(|(text, _)| text).collect()
    }

    /// Fails where any query leaves by the LAN, whatever its socket is bound to.
    async fn assert_tight(&mut self, when: &str) {
        for how in [UNBOUND, BOUND] {
            let leaks = self.leaks(how).await;
            assert!(leaks.is_empty(), "{when}: {how:?}: {leaks:?}");
        }
    }

    /// Sends a query, and waits until it has left by the TUN device.
    async fn until_tunnelled(&mut self, to: &str, port: u16, kind: SockType) {
        let begin = self.seen.len();
        let asks = || send(to, port, kind, UNBOUND);
        let _socket = self.host.namespace.within(asks).unwrap();
        let by = self.host.fpsc0;
        let left = |frame: &Frame| {
            let is_it = |packet: fps_packet::Packet<'_>| packet.destination.to_string() == to;
            query(frame, by).is_some_and(|it| it.1 == port) && frame.packet().is_some_and(is_it)
        };
        let wait = async {
            while !self.seen[begin..].iter().any(left) {
                self.capture.readable().await.unwrap();
                self.look();
            }
        };
        let sent = tokio::time::timeout(Duration::from_secs(20), wait).await;
        sent.unwrap_or_else(|_| panic!("no query to {to} is in the tunnel"));
    }
}

fn all(to: &[&str]) -> BTreeSet<String> {
    let each = to.iter().flat_map(|to| {
        let ports = PORTS.into_iter();
        ports.flat_map(move |port| ["udp", "tcp"].map(|kind| format!("{kind} {to} {port}")))
    });
    each.collect()
}

fn is_guard(rule: &Rule) -> bool {
    rule.is_narrow() || matches!(rule.action, RuleAction::Nop | RuleAction::Goto(_))
}

#[test]
fn no_query_leaves_by_the_underlay() {
    with_namespaces("leak_guard::no_query_leaves_by_the_underlay", async || {
        let mut scene = Scene::new().await;
        let every = [LAN, BEYOND].concat();
        assert_eq!(scene.leaks(UNBOUND).await, all(&every));
        // The LAN is kept, its resolver with it.
        scene.host.succeed(&format!("apply {FULL}"));
        assert_eq!(scene.leaks(UNBOUND).await, all(&LAN));
        assert_eq!(scene.leaks(BOUND).await, all(&every));
        scene
            .host
            .succeed(&format!("apply {FULL} --dns-leak-guard"));
        scene.assert_tight("guarded").await;
        // The far end answers for an IPv6 address by its own link alone, so not for fd00:2::9 here.
        for to in [BEYOND[0], BEYOND[1], LAN[0]] {
            scene.until_tunnelled(to, 53, SockType::Datagram).await;
            scene.until_tunnelled(to, 853, SockType::Stream).await;
        }
        // The carrier goes where it went, by its mark.
        for bound in [false, true] {
            let mark = Some(MARK);
            assert_eq!(scene.leaks(Manner { bound, mark }).await, all(&every));
        }
        scene.host.netlink.set_down(scene.host.fpsc0).await.unwrap();
        scene.assert_tight("the device is down").await;
        let fpsc0 = scene.host.fpsc0;
        scene.host.netlink.delete_link(fpsc0).await.unwrap();
        scene.assert_tight("the device is gone").await;
        scene.host.succeed("cleanup --tun fpsc0 --no-dns");
        assert_eq!(scene.leaks(BOUND).await, all(&every));
        assert_eq!(scene.host.own_rules().await, [""; 0]);
        assert_eq!(scene.host.own_routes().await, [""; 0]);
    });
}

#[test]
fn sockets_that_are_connected_already_are_led_too() {
    with_namespaces(
        "leak_guard::sockets_that_are_connected_already_are_led_too",
        async || {
            let mut scene = Scene::new().await;
            scene.host.succeed(&format!("apply {FULL}"));
            let open = || {
                LAN.map(|to| {
                    let any = if to.contains(':') {
                        "[::]:0"
                    } else {
                        "0.0.0.0:0"
                    };
                    let socket = UdpSocket::bind(any).unwrap();
                    socket.connect((to, 53)).unwrap();
                    socket.send(b"?").unwrap();
                    socket
                })
            };
            let sockets = scene.host.namespace.within(open).unwrap();
            let before = scene.leaks(UNBOUND).await;
            assert_eq!(before, all(&LAN));
            scene
                .host
                .succeed(&format!("apply {FULL} --dns-leak-guard"));
            scene.look();
            scene.seen.clear();
            for socket in &sockets {
                // The far end has said that nobody listens.
                let _ = socket.take_error();
                socket.send(b"?").unwrap();
            }
            scene.assert_tight("connected before").await;
            let by = scene.host.lan;
            let mut left = scene.seen.iter().filter_map(|frame| query(frame, by));
            assert!(left.all(|(_, port)| port == OTHER), "{:?}", scene.seen);
        },
    );
}

#[test]
fn an_endpoint_with_a_port_of_dns_stays_out() {
    with_namespaces(
        "leak_guard::an_endpoint_with_a_port_of_dns_stays_out",
        async || {
            let mut scene = Scene::new().await;
            let line = FULL.replace("--except-fwmark 0x465053", "--fwmark 17");
            scene.host.succeed(&format!(
                "apply {line} --dns-leak-guard --endpoint 9.9.9.9:853 --endpoint 192.0.2.9:443"
            ));
            let out = BTreeSet::from(["tcp", "udp"].map(|kind| format!("{kind} 9.9.9.9 853")));
            assert_eq!(scene.leaks(UNBOUND).await, out);
            assert_eq!(scene.leaks(BOUND).await, out);
            let said = scene.host.run("verify --tun fpsc0");
            let said = String::from_utf8(said.stdout).unwrap();
            assert!(
                said.contains("ok           the carrier to 9.9.9.9:853 leaves by lan0"),
                "{said}"
            );
        },
    );
}

#[test]
fn a_second_apply_changes_nothing_and_cleanup_all() {
    with_namespaces(
        "leak_guard::a_second_apply_changes_nothing_and_cleanup_all",
        async || {
            let mut host = Host::new().await;
            host.add_lan().await;
            let before = host.state().await;
            host.succeed(&format!("apply {FULL} --dns-leak-guard"));
            let applied = host.state().await;
            assert_eq!(host.table(101).await.len(), 1);
            host.succeed(&format!("apply {FULL} --dns-leak-guard"));
            assert_eq!(host.state().await, applied);
            host.succeed(&format!("verify {FULL} --dns-leak-guard"));
            // Without it the layers move up, and back.
            host.succeed(&format!("apply {FULL}"));
            assert!(!host.rules().await.iter().any(is_guard));
            host.succeed(&format!("apply {FULL} --dns-leak-guard"));
            assert_eq!(host.state().await, applied);
            // As after a crash with the record lost.
            let empty = tempfile::tempdir().unwrap();
            let empty = empty.path().display();
            host.succeed(&format!(
                "cleanup --tun fpsc0 --no-dns --state-dir {empty} --down"
            ));
            assert_eq!(host.state().await.rules, before.rules);
            assert_eq!(host.state().await.routes, before.routes);
        },
    );
}

#[test]
fn verify_finds_it_missing() {
    with_namespaces("leak_guard::verify_finds_it_missing", async || {
        let mut host = Host::new().await;
        host.add_lan().await;
        host.succeed(&format!("apply {FULL} --dns-leak-guard"));
        let rules = host.rules().await.into_iter();
        for rule in rules.filter(is_guard) {
            host.netlink.delete_rule(&rule).await.unwrap();
            let output = host.run(&format!("verify {FULL} --dns-leak-guard"));
            assert_eq!(output.status.code(), Some(1), "{rule}");
            let said = String::from_utf8(output.stdout).unwrap();
            let line = said.lines().find(|line| line.starts_with("missing "));
            let line = line.unwrap_or_else(|| panic!("{rule}: {said}"));
            let priority = format!("priority {} ", rule.priority);
            assert!(line.contains(&priority), "{rule}: {said}");
            host.netlink.add_rule(&rule).await.unwrap();
        }
        let kept = host.routes().await.into_iter();
        let mut kept = kept.filter(|route| route.kind == RouteKind::Local);
        host.netlink
            .delete_route(&kept.next().unwrap())
            .await
            .unwrap();
        let output = host.run("verify --tun fpsc0 --no-dns");
        let said = String::from_utf8(output.stdout).unwrap();
        let line = "missing      ip route replace local default dev lan0 metric";
        assert!(said.contains(line), "{said}");
    });
}

async fn remove_guard(host: &Host) {
    for rule in host.rules().await.into_iter().filter(is_guard) {
        host.netlink.delete_rule(&rule).await.unwrap();
    }
}

#[test]
fn watch_keeps_it_up_whatever_hinders_the_rest() {
    with_namespaces(
        "leak_guard::watch_keeps_it_up_whatever_hinders_the_rest",
        async || {
            let mut scene = Scene::new().await;
            let line = format!("{FULL} --dns-leak-guard");
            let mut watcher = Watcher::start(&scene.host, &line);
            // Somebody's route in a table of ours hinders all else, and goes with the device.
            let mut foreign = Route::new("198.51.100.0/24".parse().unwrap());
            foreign = foreign.on_link(scene.host.fpsc0);
            foreign.table = TableId(102);
            for hindrance in ["none", "somebody's route", "no device"] {
                let host = &scene.host;
                match hindrance {
                    "somebody's route" => {
                        host.netlink.add_route(&foreign).await.unwrap();
                        watcher.wait_for("failed");
                    }
                    "no device" => {
                        host.netlink.delete_link(host.fpsc0).await.unwrap();
                        watcher.wait_for("waiting");
                    }
                    _ => {}
                }
                // Bound queries count on a route, which goes with its link.
                host.netlink.set_down(host.lan).await.unwrap();
                host.netlink.set_up(host.lan).await.unwrap();
                remove_guard(host).await;
                watcher
                    .until(async || {
                        let rules = host.rules().await.into_iter().filter(is_guard).count();
                        rules == 24 && host.table(101).await.len() == 1
                    })
                    .await;
            }
            // A link that comes meanwhile has its own.
            let beyond = scene.host.far.within(Netlink::open).unwrap().unwrap();
            let bridge = beyond.link(&name("br1")).await.unwrap().unwrap().index;
            let pair = VethPair {
                port: &name("port2"),
                bridge,
                peer: &name("wlan0"),
                namespace: scene.host.namespace.as_fd(),
            };
            beyond.create_veth(pair).await.unwrap();
            let host = &scene.host;
            let wlan0 = host.netlink.link(&name("wlan0")).await.unwrap().unwrap();
            host.netlink.set_up(wlan0.index).await.unwrap();
            watcher
                .until(async || host.table(101).await.len() == 2)
                .await;
            watcher.end(Signal::SIGKILL);
            // With the link went its addresses of IPv6 and its default routes.
            host.add_address(host.lan, "fd00:2::2/64").await;
            for (to, via) in [("0.0.0.0/0", "192.0.2.1"), ("::/0", "fd00:2::1")] {
                let default = Route::new(to.parse().unwrap());
                let default = default.via(via.parse().unwrap());
                host.netlink.add_route(&default).await.unwrap();
            }
            scene.assert_tight("the watch was killed").await;
            scene.host.succeed("cleanup --tun fpsc0 --no-dns");
            assert_eq!(scene.host.own_rules().await, [""; 0]);
            assert_eq!(scene.host.own_routes().await, [""; 0]);
        },
    );
}

#[test]
fn a_refusal_alone_does_not_hold_what_is_bound() {
    with_namespaces(
        "leak_guard::a_refusal_alone_does_not_hold_what_is_bound",
        async || {
            let mut scene = Scene::new().await;
            scene
                .host
                .succeed(&format!("apply {FULL} --dns-leak-guard"));
            let netlink = &scene.host.netlink;
            // Of IPv4 the kernel takes what is refused for a neighbour of the link.
            let rules = scene.host.rules().await;
            for rule in rules.iter().filter(|rule| rule.output.is_some()) {
                netlink.delete_rule(rule).await.unwrap();
            }
            // Of IPv6 a route that refuses is not looked at.
            let v6 =
                |rule: &&Rule| rule.family == Family::V6 && rule.action == RuleAction::Unreachable;
            for rule in rules.iter().filter(v6) {
                netlink.delete_rule(rule).await.unwrap();
            }
            let refusing = Route {
                metric: Some(u32::MAX),
                ..Route::new("::/0".parse().unwrap())
                    .in_table(TABLE)
                    .of_kind(RouteKind::Unreachable)
            };
            netlink.add_route(&refusing).await.unwrap();
            let every = [LAN, BEYOND].concat();
            assert_eq!(scene.leaks(BOUND).await, all(&every));
        },
    );
}

#[test]
fn gives_way_to_the_numbers_of_others() {
    with_namespaces(
        "leak_guard::gives_way_to_the_numbers_of_others",
        async || {
            let mut host = Host::new().await;
            host.add_lan().await;
            let lookup = RuleAction::Lookup(TableId(77));
            let theirs = Rule::new(Family::V6, RulePriority(10002), lookup);
            host.netlink.add_rule(&theirs).await.unwrap();
            let line = FULL.replace("--except-fwmark 0x465053", "--fwmark 17");
            let said = host.fail(&format!("apply {line} --dns-leak-guard"), 5);
            assert!(said.contains("--priority 10002"), "{said}");
            host.succeed(&format!("apply {line} --dns-leak-guard --auto"));
            let rules = host.rules().await.into_iter();
            let ours = rules.filter(|rule| rule.protocol == FPS_ROUTE_PROTOCOL);
            let priorities: BTreeSet<_> = ours.map(|rule| rule.priority.0).collect();
            // Without a mark to except there is nothing to jump for.
            let first = priorities.first().unwrap() - 1;
            assert!(first > 10002, "{priorities:?}");
            assert!(priorities.last().unwrap() - first <= 7, "{priorities:?}");
            host.succeed("cleanup --tun fpsc0 --no-dns");
            assert_eq!(host.own_rules().await, [""; 0]);
        },
    );
}
