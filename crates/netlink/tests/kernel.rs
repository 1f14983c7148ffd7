//! What the kernel makes of the requests, in namespaces of its own.

use std::net::IpAddr;
use std::os::fd::AsFd;
use std::time::Duration;

use fps_netlink::{
    Address, Event, Events, FPS_ROUTE_PROTOCOL, Family, Fwmark, Group, IfIndex, LinkName, Netlink,
    Route, RouteFilter, RouteKind, RouteProtocol, Rule, RuleAction, RulePriority, TableId,
    VethPair,
};
use fps_netns::Namespace;
use fps_netns::testing::with_namespaces;
use nix::errno::Errno;

/// The longest that an event may take on a busy machine.
const DEADLINE: Duration = Duration::from_secs(10);

const TABLE: TableId = TableId(4242);

fn name(text: &str) -> LinkName {
    text.parse().unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A host whose bridge `br0` is up; a bridge stands for any link.
struct Host {
    namespace: Namespace,
    netlink: Netlink,
    br0: IfIndex,
}

impl Host {
    async fn new() -> Self {
        let namespace = Namespace::create().unwrap();
        let netlink = namespace.within(Netlink::open).unwrap().unwrap();
        netlink.create_bridge(&name("br0")).await.unwrap();
        let br0 = netlink.link(&name("br0")).await.unwrap().unwrap().index;
        Self {
            namespace,
            netlink,
            br0,
        }
    }

    /// The addresses of `br0` that the kernel did not make by itself.
    async fn addresses(&self) -> Vec<Address> {
        let mut addresses = self.netlink.addresses(Some(self.br0)).await.unwrap();
        addresses.retain(|address| !address.automatic);
        addresses
    }

    async fn routes(&self, family: Family, table: TableId) -> Vec<Route> {
        let table = Some(table);
        let filter = RouteFilter { family, table };
        self.netlink.routes(filter).await.unwrap()
    }

    async fn add_address(&self, net: &str) {
        let address = Address::new(self.br0, net.parse().unwrap());
        self.netlink.add_address(&address).await.unwrap();
    }
}

#[test]
fn a_link_is_made_changed_and_deleted() {
    with_namespaces("a_link_is_made_changed_and_deleted", async || {
        let (host, other) = (Host::new().await, Namespace::create().unwrap());
        let netlink = &host.netlink;
        let pair = VethPair {
            port: &name("port0"),
            bridge: host.br0,
            peer: &name("eth0"),
            namespace: other.as_fd(),
        };
        netlink.create_veth(pair).await.unwrap();
        let names: Vec<_> = netlink.links().await.unwrap();
        let names: Vec<_> = names.iter().map(|link| link.name.as_str()).collect();
        assert_eq!(names, ["lo", "br0", "port0"]);

        let port = netlink.link(&name("port0")).await.unwrap().unwrap();
        assert_eq!((port.up, port.mtu), (true, 1500));
        assert_eq!(port.master, Some(host.br0));
        netlink.set_mtu(port.index, 1280).await.unwrap();
        netlink.set_down(port.index).await.unwrap();
        let port = netlink.link_by_index(port.index).await.unwrap().unwrap();
        assert_eq!((port.up, port.carrier, port.mtu), (false, false, 1280));

        netlink.delete_link(port.index).await.unwrap();
        assert_eq!(netlink.link(&name("port0")).await.unwrap(), None);
        assert_eq!(netlink.link_by_index(port.index).await.unwrap(), None);
    });
}

#[test]
fn an_address_is_usable_at_once() {
    with_namespaces("an_address_is_usable_at_once", async || {
        let host = Host::new().await;
        let nets = ["10.0.0.1/24", "fd00::1/64"];
        for net in nets {
            let address = Address {
                metric: Some(7),
                ..Address::new(host.br0, net.parse().unwrap())
            };
            host.netlink.add_address(&address).await.unwrap();
            let again = host.netlink.add_address(&address).await.unwrap_err();
            assert_eq!(again.errno(), Some(Errno::EEXIST));
            host.netlink.replace_address(&address).await.unwrap();
            assert!(host.addresses().await.contains(&address), "{net}");
            let bound = host.namespace.within(|| {
                // With duplicate address detection an IPv6 address could not be bound to yet.
                std::net::UdpSocket::bind((address.net.addr(), 0))
            });
            bound.unwrap().unwrap();
        }
        for net in nets {
            let address = Address::new(host.br0, net.parse().unwrap());
            host.netlink.delete_address(&address).await.unwrap();
            let again = host.netlink.delete_address(&address).await.unwrap_err();
            assert_eq!(again.errno(), Some(Errno::EADDRNOTAVAIL));
        }
        assert_eq!(host.addresses().await, []);
    });
}

#[test]
fn a_route_is_added_replaced_and_deleted() {
    with_namespaces("a_route_is_added_replaced_and_deleted", async || {
        let host = Host::new().await;
        for (family, net, to, gateways) in [
            (
                Family::V4,
                "10.0.0.1/24",
                "10.9.0.0/16",
                ["10.0.0.2", "10.0.0.3"],
            ),
            (
                Family::V6,
                "fd00::1/64",
                "fd09::/32",
                ["fd00::2", "fd00::3"],
            ),
        ] {
            host.add_address(net).await;
            let [first, second] = gateways.map(|gateway| Route {
                table: TABLE,
                metric: Some(5),
                protocol: FPS_ROUTE_PROTOCOL,
                ..Route::new(to.parse().unwrap())
                    .via(ip(gateway))
                    .on_link(host.br0)
            });
            host.netlink.add_route(&first).await.unwrap();
            assert_eq!(
                host.routes(family, TABLE).await,
                std::slice::from_ref(&first)
            );
            let again = host.netlink.add_route(&first).await.unwrap_err();
            assert_eq!(again.errno(), Some(Errno::EEXIST));
            host.netlink.replace_route(&second).await.unwrap();
            assert_eq!(
                host.routes(family, TABLE).await,
                std::slice::from_ref(&second)
            );
            host.netlink.delete_route(&second).await.unwrap();
            assert_eq!(host.routes(family, TABLE).await, []);
            let again = host.netlink.delete_route(&second).await.unwrap_err();
            assert_eq!(again.errno(), Some(Errno::ESRCH));
        }
    });
}

#[test]
fn tells_which_route_a_packet_takes() {
    with_namespaces("tells_which_route_a_packet_takes", async || {
        let host = Host::new().await;
        for (net, gateway, hole, within, beyond) in [
            (
                "10.0.0.1/24",
                "10.0.0.2",
                "10.6.0.0/16",
                "10.6.1.1",
                "10.7.0.1",
            ),
            ("fd00::1/64", "fd00::2", "fd06::/32", "fd06::1", "fd07::1"),
        ] {
            let nowhere = host.netlink.route_to(ip(beyond)).await.unwrap();
            assert_eq!(nowhere, Err(Errno::ENETUNREACH));
            host.add_address(net).await;
            let all = if ip(net.split('/').next().unwrap()).is_ipv4() {
                "0.0.0.0/0"
            } else {
                "::/0"
            };
            let default = Route::new(all.parse().unwrap()).via(ip(gateway));
            host.netlink.add_route(&default).await.unwrap();
            let hole = Route {
                kind: RouteKind::BlackHole,
                ..Route::new(hole.parse().unwrap())
            };
            host.netlink.add_route(&hole).await.unwrap();
            let route = host.netlink.route_to(ip(beyond)).await.unwrap().unwrap();
            assert_eq!(route.gateway, Some(ip(gateway)));
            assert_eq!(route.link, Some(host.br0));
            let swallowed = host.netlink.route_to(ip(within)).await.unwrap();
            assert_eq!(swallowed, Err(Errno::EINVAL), "a blackhole's errno");
        }
    });
}

/// The rules that every namespace starts with.
fn kernel_rules(family: Family) -> Vec<Rule> {
    let main = (32766, TableId::MAIN);
    let default = (32767, TableId(253));
    let known: &[_] = match family {
        Family::V4 => &[(0, TableId::LOCAL), main, default],
        Family::V6 => &[(0, TableId::LOCAL), main],
    };
    let rule = |(priority, table): &(u32, TableId)| Rule {
        protocol: RouteProtocol::Kernel,
        ..Rule::new(family, RulePriority(*priority), RuleAction::Lookup(*table))
    };
    known.iter().map(rule).collect()
}

#[test]
fn a_rule_is_added_read_and_deleted() {
    with_namespaces("a_rule_is_added_read_and_deleted", async || {
        let host = Host::new().await;
        for family in Family::BOTH {
            let known = kernel_rules(family);
            assert_eq!(host.netlink.rules(family).await.unwrap(), known);
            let rule = |priority, action| Rule::new(family, RulePriority(priority), action);
            let source = match family {
                Family::V4 => "10.66.0.0/30".parse().unwrap(),
                Family::V6 => "fd66::/64".parse().unwrap(),
            };
            let own = [
                rule(10, RuleAction::Unreachable).marked(Fwmark(0x46_5053)),
                rule(11, RuleAction::Lookup(TABLE)).marked(Fwmark(0)),
                rule(12, RuleAction::Lookup(TABLE)).sent_from(source),
                rule(13, RuleAction::Lookup(TABLE))
                    .marked(Fwmark(0x46_5053))
                    .inverted(),
                Rule {
                    protocol: FPS_ROUTE_PROTOCOL,
                    ..rule(14, RuleAction::Lookup(TABLE))
                },
            ];
            for rule in &own {
                host.netlink.add_rule(rule).await.unwrap();
                let again = host.netlink.add_rule(rule).await.unwrap_err();
                assert_eq!(again.errno(), Some(Errno::EEXIST));
            }
            let all = [&known[..1], &own, &known[1..]].concat();
            assert_eq!(host.netlink.rules(family).await.unwrap(), all);
            for rule in own {
                let protocol = RouteProtocol::Static;
                let theirs = host.netlink.delete_rule(&Rule { protocol, ..rule }).await;
                assert_eq!(theirs.unwrap_err().errno(), Some(Errno::ENOENT));
                host.netlink.delete_rule(&rule).await.unwrap();
                let again = host.netlink.delete_rule(&rule).await.unwrap_err();
                assert_eq!(again.errno(), Some(Errno::ENOENT));
            }
            let first = Rule {
                protocol: RouteProtocol::Unspec,
                ..known[0]
            };
            host.netlink.delete_rule(&first).await.unwrap();
            assert_eq!(host.netlink.rules(family).await.unwrap(), known[1..]);
        }
    });
}

#[test]
fn a_table_that_does_not_exist_is_empty() {
    with_namespaces("a_table_that_does_not_exist_is_empty", async || {
        let host = Host::new().await;
        for family in Family::BOTH {
            assert_eq!(host.routes(family, TABLE).await, []);
        }
    });
}

#[test]
fn tells_of_a_link_made_after_the_subscription() {
    with_namespaces("tells_of_a_link_made_after_the_subscription", async || {
        let host = Host::new().await;
        let events = host.namespace.within(|| Events::subscribe(&[Group::Link]));
        let mut events = events.unwrap().unwrap();
        host.netlink.create_bridge(&name("late")).await.unwrap();
        let late = host.netlink.link(&name("late")).await.unwrap().unwrap();
        host.netlink.delete_link(late.index).await.unwrap();
        let mut told = false;
        let listen = async {
            loop {
                match events.next().await.expect("the socket lives") {
                    Event::Link(link) if link.name == late.name => told = true,
                    Event::LinkGone(link) if link.name == late.name => break,
                    _ => {}
                }
            }
        };
        let gone = tokio::time::timeout(DEADLINE, listen).await;
        assert!(gone.is_ok() && told, "told of its birth: {told}");
    });
}

#[test]
fn an_error_names_the_operation() {
    with_namespaces("an_error_names_the_operation", async || {
        let host = Host::new().await;
        let rule = Rule::new(Family::V6, RulePriority(9), RuleAction::Unreachable);
        let error = host.netlink.delete_rule(&rule.marked(Fwmark(17))).await;
        let error = error.unwrap_err();
        assert_eq!(
            error.to_string(),
            "ip -6 rule del pref 9 fwmark 0x11 unreachable"
        );
        let cause = std::error::Error::source(&error).unwrap();
        assert_eq!(cause.to_string(), "No such file or directory");

        let error = host.netlink.create_bridge(&name("br0")).await.unwrap_err();
        assert_eq!(error.to_string(), "ip link add br0 up type bridge");
        assert_eq!(error.errno(), Some(Errno::EEXIST));
        let route = Route::new("10.9.0.0/16".parse().unwrap()).via(ip("10.0.0.9"));
        let error = host.netlink.add_route(&route).await.unwrap_err();
        assert_eq!(error.to_string(), "ip route add 10.9.0.0/16 via 10.0.0.9");
        assert_eq!(error.errno(), Some(Errno::ENETUNREACH));
    });
}
