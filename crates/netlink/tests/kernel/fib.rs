//! What is worked out, against what the kernel says.

use std::net::IpAddr;

use fps_netlink::{
    Family, Fib, Flow, Fwmark, IfIndex, IpProtocol, Link, MarkMatch, Route, RouteKind, Rule,
    RuleAction, RulePriority, TableId, Turn, Users, Verdict,
};
use fps_netns::testing::{Dice, with_namespaces};
use ipnet::IpNet;
use nix::errno::Errno;

use crate::host::{Host, ip, name};

const TABLES: [TableId; 3] = [TableId(100), TableId(101), TableId::MAIN];

struct World {
    host: Host,
    /// Two interfaces, each with an address of both families.
    links: [IfIndex; 2],
}

const SOURCES: [[&str; 2]; 2] = [["192.0.2.2", "fd00:a::2"], ["198.51.100.2", "fd00:b::2"]];

impl World {
    async fn new() -> Self {
        let host = Host::new().await;
        host.netlink.create_bridge(&name("br1")).await.unwrap();
        let br1 = host.netlink.link(&name("br1")).await.unwrap().unwrap();
        let links = [host.br0, br1.index];
        for (link, sources) in links.into_iter().zip(SOURCES) {
            for source in sources {
                let net = IpNet::new(ip(source), if source.contains(':') { 64 } else { 24 });
                let address = fps_netlink::Address::new(link, net.unwrap());
                host.netlink.add_address(&address).await.unwrap();
            }
        }
        Self { host, links }
    }

    fn route(&self, dice: &mut Dice, family: Family) -> Route {
        let nets: &[&str] = match family {
            Family::V4 => &["0.0.0.0/0", "10.0.0.0/8", "10.66.0.0/16", "10.66.1.0/24"],
            Family::V6 => &["::/0", "fd66::/16", "fd66:1::/32", "fd66:1:1::/48"],
        };
        let route = Route::new(dice.pick(nets).parse().unwrap()).in_table(dice.pick(&TABLES));
        let route = Route {
            metric: dice.pick(&[None, Some(5), Some(2000)]),
            ..route
        };
        match dice.throw(6) {
            0 => route.of_kind(RouteKind::Throw),
            1 => route.of_kind(RouteKind::Unreachable),
            _ => route.on_link(dice.pick(&self.links)),
        }
    }

    fn rule(dice: &mut Dice, family: Family) -> Rule {
        let priority = RulePriority(u32::try_from(100 + dice.throw(5)).unwrap());
        let action = match dice.throw(9) {
            8 => RuleAction::Nop,
            0 => RuleAction::Unreachable,
            1 => RuleAction::Goto(RulePriority(
                priority.0 + u32::try_from(dice.throw(3)).unwrap() + 1,
            )),
            _ => RuleAction::Lookup(dice.pick(&TABLES)),
        };
        let mut rule = Rule::new(family, priority, action);
        if dice.throw(2) == 0 {
            let mask = dice.pick(&[u32::MAX, 0xff]);
            let mark = Fwmark(0x17 & mask);
            rule.mark = Some(MarkMatch { mark, mask });
        }
        if dice.throw(3) == 0 {
            let source = ip(SOURCES[dice.throw(2)][usize::from(family == Family::V6)]);
            rule.from = Some(IpNet::new(source, dice.pick(&[16, 24])).unwrap().trunc());
        }
        if dice.throw(5) == 0 {
            let to = if family == Family::V4 {
                "10.66.0.0/16"
            } else {
                "fd66:1::/32"
            };
            rule.to = Some(to.parse().unwrap());
        }
        if dice.throw(5) == 0 {
            rule.input = Some(name("lo"));
        }
        if dice.throw(5) == 0 {
            rule.output = Some(name("br1"));
        }
        if dice.throw(4) == 0 {
            let protocol = dice.pick(&[IpProtocol::Udp, IpProtocol::Tcp]);
            rule = rule.sent_to_port(protocol, dice.pick(&[53, 443]));
        }
        if rule.table().is_some() && dice.throw(4) == 0 {
            rule.suppress_prefix = Some(dice.pick(&[0, 16]));
        }
        if dice.throw(5) == 0 {
            let (first, last) = dice.pick(&[(0, 0), (1000, 1999)]);
            rule.users = Some(Users { first, last });
        }
        rule.inverted = dice.throw(4) == 0;
        rule
    }

    fn flow(&self, dice: &mut Dice, family: Family) -> Flow {
        let to: &[&str] = match family {
            Family::V4 => &["10.66.1.9", "10.66.2.9", "10.9.9.9", "203.0.113.9"],
            Family::V6 => &["fd66:1:1::9", "fd66:1:2::9", "fd66:9::9", "2001:db8::9"],
        };
        let source = ip(SOURCES[dice.throw(2)][usize::from(family == Family::V6)]);
        Flow {
            came_in: None,
            to: ip(dice.pick(to)),
            from: dice.pick(&[None, Some(source)]),
            mark: dice.pick(&[Fwmark(0), Fwmark(0x17), Fwmark(0x117)]),
            bound_to: dice.pick(&[None, None, None, Some(self.links[1])]),
            port: dice.pick(&[
                None,
                Some((IpProtocol::Udp, 53)),
                Some((IpProtocol::Tcp, 53)),
                Some((IpProtocol::Tcp, 443)),
            ]),
            user: dice.pick(&[Some(0), Some(1000), Some(1999), Some(2000)]),
        }
    }

    /// What the kernel says: an interface and a table, or a refusal.
    async fn kernel(&self, flow: &Flow) -> Result<(IfIndex, TableId), Errno> {
        let route = self.host.netlink.lookup(flow).await.unwrap()?;
        Ok((route.link.unwrap(), route.table))
    }

    async fn compare(&self, dice: &mut Dice, family: Family) -> [usize; 2] {
        let mut counts = [0; 2];
        let netlink = &self.host.netlink;
        let mut routes = Vec::new();
        for table in TABLES {
            routes.extend(self.host.routes(family, table).await);
        }
        let (rules, links) = (netlink.rules(family).await.unwrap(), netlink.links().await);
        let links = links.unwrap();
        let fib = Fib {
            rules: &rules,
            routes: &routes,
            links: &links,
        };
        for _ in 0..40 {
            let flow = self.flow(dice, family);
            let said = self.kernel(&flow).await;
            let verdict = fib.lookup(&flow);
            let worked_out = match verdict {
                Verdict::Leaves { route, .. } => Ok((route.link.unwrap(), route.table)),
                Verdict::Refused { .. } | Verdict::Lost => Err(()),
                Verdict::TakenForNeighbour(link) => Ok((link, TableId(0))),
            };
            let lines = rules.iter().map(|rule| format!("{rule}"));
            let lines = lines.chain(routes.iter().map(|r| format!("{r}")));
            let lines: Vec<_> = lines.collect();
            assert_eq!(
                worked_out,
                said.map_err(drop),
                "{flow}: {verdict:?}:\n{}",
                lines.join("\n")
            );
            counts[usize::from(said.is_ok())] += 1;
        }
        counts
    }
}

#[test]
fn decides_as_the_kernel_does() {
    with_namespaces("fib::decides_as_the_kernel_does", async || {
        let world = World::new().await;
        let netlink = &world.host.netlink;
        let mut dice = Dice::new(0x4650_5353);
        let mut total = [0; 2];
        for family in [Family::V4, Family::V6].repeat(40) {
            let (mut routes, mut rules) = (Vec::new(), Vec::new());
            for _ in 0..8 {
                let route = world.route(&mut dice, family);
                if netlink.add_route(&route).await.is_ok() {
                    routes.push(route);
                }
            }
            for _ in 0..4 {
                let rule = World::rule(&mut dice, family);
                if netlink.add_rule(&rule).await.is_ok() {
                    rules.push(rule);
                }
            }
            let counts = world.compare(&mut dice, family).await;
            total = [total[0] + counts[0], total[1] + counts[1]];
            for route in routes {
                netlink.delete_route(&route).await.unwrap();
            }
            for rule in rules {
                netlink.delete_rule(&rule).await.unwrap();
            }
        }
        // Both kinds of answers have been compared, many of each.
        assert!(total.iter().all(|count| *count > 500), "{total:?}");
    });
}

#[test]
fn says_which_rule_and_route_decide() {
    let link = IfIndex::new(7);
    let table = |number| RuleAction::Lookup(TableId(number));
    let rule = |priority, action| Rule::new(Family::V4, RulePriority(priority), action);
    let rules = [
        rule(10, table(100)),
        rule(11, table(101)).marked(Fwmark(1)).inverted(),
        rule(32766, RuleAction::Lookup(TableId::MAIN)),
    ];
    let to = |net: &str| Route::new(net.parse().unwrap());
    let carrier = to("203.0.113.10/32")
        .in_table(TableId(101))
        .of_kind(RouteKind::Throw);
    let tunnel = Route {
        link,
        ..to("0.0.0.0/0").in_table(TableId(101))
    };
    let routes = [carrier, tunnel, to("0.0.0.0/0").on_link(IfIndex::LOOPBACK)];
    let fib = Fib {
        rules: &rules,
        routes: &routes,
        links: &[],
    };
    let decided = |flow: Flow| match fib.lookup(&flow) {
        Verdict::Leaves { rule, route } => (rule.priority.0, route.table.0),
        other => panic!("{other:?}"),
    };
    let flow = |to: &str| Flow::to(to.parse::<IpAddr>().unwrap());
    assert_eq!(decided(flow("192.0.2.1")), (11, 101));
    assert_eq!(decided(flow("192.0.2.1").marked(Fwmark(1))), (32766, 254));
    assert_eq!(decided(flow("203.0.113.10")), (32766, 254));
    let v6 = flow("fd00::1");
    assert_eq!(fib.lookup(&v6), Verdict::Lost);
    let mut turns = Vec::new();
    fib.walk(&flow("203.0.113.10"), |rule, turn| {
        turns.push((rule.priority.0, turn));
    });
    let expected = [
        (10, Turn::NoRoute),
        (11, Turn::Throws(&fib.routes[0])),
        (32766, Turn::Decided),
    ];
    assert_eq!(turns, expected);
}

#[test]
fn knows_what_came_in_from_what_is_sent_here() {
    let [lan, uplink] = [("lan0", 2), ("wan0", 3)].map(|(link, index)| {
        let index = IfIndex::new(index).unwrap();
        Link::new(index, name(link), true)
    });
    let forwarded = Rule {
        input: Some(lan.name),
        ..Rule::new(Family::V4, RulePriority(5), RuleAction::Unreachable)
    };
    let own = Rule {
        input: Some(name("lo")),
        ..Rule::new(Family::V4, RulePriority(6), RuleAction::Prohibit)
    };
    let fib = Fib {
        rules: &[forwarded, own],
        routes: &[],
        links: &[lan.clone(), uplink.clone()],
    };
    let to = Flow::to(ip("203.0.113.9"));
    let decided = |flow: Flow| fib.lookup(&flow).rule().map(|rule| rule.priority.0);
    let from = ip("192.0.2.9");
    assert_eq!(decided(to), Some(6));
    assert_eq!(decided(to.came_in(from, lan.index)), Some(5));
    assert_eq!(decided(to.came_in(from, uplink.index)), None);
}

#[test]
fn passes_over_what_it_cannot_tell() {
    let by_users = Rule {
        users: Some(Users {
            first: 1000,
            last: 1999,
        }),
        ..Rule::new(Family::V4, RulePriority(5), RuleAction::Unreachable)
    };
    let marked = by_users.marked(Fwmark(1));
    let strange = Rule {
        narrower: true,
        ..Rule::new(Family::V4, RulePriority(6), RuleAction::Prohibit)
    };
    let turn = |rule: Rule, flow: Flow| {
        let mut turns = Vec::new();
        let (rules, routes, links) = ([rule], [], []);
        let fib = Fib {
            rules: &rules,
            routes: &routes,
            links: &links,
        };
        fib.walk(&flow, |_, turn| turns.push(format!("{turn:?}")));
        turns.remove(0)
    };
    let to = Flow::to(ip("203.0.113.9"));
    assert_eq!(turn(by_users, to), "Unknown");
    assert_eq!(turn(by_users, to.of_user(1999)), "Decided");
    assert_eq!(turn(by_users, to.of_user(2000)), "NotChosen");
    assert_eq!(turn(by_users.inverted(), to), "Unknown");
    assert_eq!(turn(by_users.inverted(), to.of_user(0)), "Decided");
    // Its mark is enough to tell that the rule is not for it.
    assert_eq!(turn(marked, to), "NotChosen");
    assert_eq!(turn(marked.inverted(), to), "Decided");
    assert_eq!(turn(strange, to), "Unknown");
    assert_eq!(turn(strange.marked(Fwmark(1)), to), "NotChosen");
    let both = Rule {
        narrower: true,
        ..by_users
    };
    assert_eq!(turn(both, to.of_user(0)), "NotChosen");
    assert_eq!(turn(both, to.of_user(1000)), "Unknown");
}
