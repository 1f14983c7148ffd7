//! Rules.

use fps_netlink::{
    FPS_ROUTE_PROTOCOL, Family, Fwmark, IpProtocol, MarkMatch, Ports, RouteProtocol, Rule,
    RuleAction, RulePriority, TableId, Users,
};
use fps_netns::testing::with_namespaces;
use nix::errno::Errno;

use crate::host::{Host, TABLE, name};

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

/// Rules by protocol and port, and a jump.
fn by_port(family: Family) -> Vec<Rule> {
    let rule = |priority, action| Rule::new(family, RulePriority(priority), action);
    vec![
        rule(17, RuleAction::Lookup(TABLE)).sent_to_port(IpProtocol::Udp, 53),
        rule(17, RuleAction::Lookup(TABLE)).sent_to_port(IpProtocol::Tcp, 53),
        rule(17, RuleAction::Lookup(TABLE)).sent_to_port(IpProtocol::Tcp, 853),
        rule(18, RuleAction::Unreachable).sent_to_port(
            IpProtocol::Tcp,
            Ports {
                first: 53,
                last: 99,
            },
        ),
        rule(19, RuleAction::Goto(RulePriority(20))).marked(Fwmark(7)),
        rule(20, RuleAction::Nop),
    ]
}

#[test]
fn a_rule_is_added_read_and_deleted() {
    with_namespaces("rule::a_rule_is_added_read_and_deleted", async || {
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
                rule(15, RuleAction::Lookup(TABLE)).marked(MarkMatch {
                    mark: Fwmark(0x8_0000),
                    mask: 0xff_0000,
                }),
                Rule {
                    to: Some(source),
                    input: Some(name("lo")),
                    output: Some(name("br0")),
                    suppress_prefix: Some(0),
                    ..rule(16, RuleAction::Lookup(TableId::MAIN))
                },
            ]
            .into_iter()
            .chain(by_port(family))
            .collect::<Vec<_>>();
            for rule in &own {
                host.netlink.add_rule(rule).await.unwrap();
                let again = host.netlink.add_rule(rule).await.unwrap_err();
                assert_eq!(again.errno(), Some(Errno::EEXIST));
            }
            let all = [&known[..1], &own, &known[1..]].concat();
            assert_eq!(host.netlink.rules(family).await.unwrap(), all);
            for rule in &own {
                let protocol = RouteProtocol::Static;
                let theirs = host.netlink.delete_rule(&Rule { protocol, ..*rule }).await;
                assert_eq!(theirs.unwrap_err().errno(), Some(Errno::ENOENT));
                host.netlink.delete_rule(rule).await.unwrap();
                let again = host.netlink.delete_rule(rule).await.unwrap_err();
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
fn a_rule_without_a_priority_goes_in_front() {
    with_namespaces(
        "rule::a_rule_without_a_priority_goes_in_front",
        async || {
            let host = Host::new().await;
            for family in Family::BOTH {
                let known = kernel_rules(family);
                let rule = Rule::new(family, RulePriority(0), RuleAction::Lookup(TABLE));
                let (first, second) = (rule.marked(Fwmark(7)), rule.marked(Fwmark(8)));
                for rule in [first, second] {
                    host.netlink.add_rule_in_front(&rule).await.unwrap();
                }
                let at = |priority, rule| Rule {
                    priority: RulePriority(priority),
                    ..rule
                };
                let (first_now, second_now) = (at(32765, first), at(32764, second));
                let all = [&known[..1], &[second_now, first_now], &known[1..]].concat();
                assert_eq!(host.netlink.rules(family).await.unwrap(), all);
                host.netlink.delete_rule_anywhere(&first).await.unwrap();
                let left = [&known[..1], &[second_now], &known[1..]].concat();
                assert_eq!(host.netlink.rules(family).await.unwrap(), left);
                host.netlink.delete_rule_anywhere(&second).await.unwrap();
                let none = host.netlink.delete_rule_anywhere(&second).await;
                assert_eq!(none.unwrap_err().errno(), Some(Errno::ENOENT));
            }
        },
    );
}

/// Needs a second uid: a user namespace of an ordinary user has none that these numbers mean.
mod second_uid {
    use super::*;

    #[test]
    fn a_rule_by_user_is_added_read_and_deleted() {
        with_namespaces(
            "rule::second_uid::a_rule_by_user_is_added_read_and_deleted",
            async || {
                let host = Host::new().await;
                for family in Family::BOTH {
                    let known = kernel_rules(family);
                    let rule = Rule {
                        users: Some(Users {
                            first: 1000,
                            last: 1999,
                        }),
                        ..Rule::new(family, RulePriority(17), RuleAction::Lookup(TABLE))
                    };
                    let added = host.netlink.add_rule(&rule).await;
                    added.expect("this needs a second uid: run it as root");
                    let all = [&known[..1], &[rule], &known[1..]].concat();
                    assert_eq!(host.netlink.rules(family).await.unwrap(), all);
                    host.netlink.delete_rule(&rule).await.unwrap();
                    assert_eq!(host.netlink.rules(family).await.unwrap(), known);
                }
            },
        );
    }
}
