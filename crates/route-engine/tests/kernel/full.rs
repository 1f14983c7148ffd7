//! Rules and a table of their own.

use fps_netlink::{
    FPS_ROUTE_PROTOCOL, Family, Fwmark, RouteProtocol, Rule, RuleAction, RulePriority,
};
use fps_netns::testing::with_namespaces;

use crate::host::{Host, TABLE};

const FULL: &str = "--tun fpsc0 --tun-address 10.66.0.2/30 --full-tunnel \
    --bypass 203.0.113.10/32,192.0.2.1,lan0";

fn own(rule: Rule) -> Rule {
    let protocol = FPS_ROUTE_PROTOCOL;
    Rule { protocol, ..rule }
}

fn lookup(family: Family) -> Rule {
    own(Rule::new(
        family,
        RulePriority(10000),
        RuleAction::Lookup(TABLE),
    ))
}

#[test]
fn leads_what_the_selectors_choose_into_the_tunnel() {
    with_namespaces(
        "full::leads_what_the_selectors_choose_into_the_tunnel",
        async || {
            let mut host = Host::new().await;
            host.add_lan().await;
            let before = host.state().await;
            let mark = Fwmark(0x46_5053);
            let marked = lookup(Family::V4).marked(mark);
            let from = lookup(Family::V4).sent_from("10.66.0.0/30".parse().unwrap());
            let except = |family| lookup(family).marked(mark).inverted();
            for (options, rules, routes) in [
                ("--fwmark 0x465053", vec![marked], 2),
                (
                    "--fwmark 0x465053 --from 10.66.0.0/30",
                    vec![marked, from],
                    2,
                ),
                (
                    "--fwmark 0x465053 --tun-address fd66::2/64",
                    vec![marked, lookup(Family::V6).marked(mark)],
                    3,
                ),
                (
                    "--except-fwmark 0x465053",
                    vec![except(Family::V4), except(Family::V6)],
                    3,
                ),
            ] {
                host.succeed(&format!("apply {FULL} {options}"));
                let applied = host.state().await;
                let mut ours = applied.rules.clone();
                ours.retain(|rule| rule.protocol == FPS_ROUTE_PROTOCOL);
                assert_eq!(ours, rules, "{options}");
                assert_eq!(host.own_routes().await.len(), routes, "{options}");
                host.succeed(&format!("apply {FULL} {options}"));
                assert_eq!(host.state().await, applied, "{options}");
                host.succeed(&format!("cleanup {FULL} {options} --down"));
                assert_eq!(host.state().await, before, "{options}");
            }
        },
    );
}

#[test]
fn never_takes_another_programs_rule_for_its_own() {
    with_namespaces(
        "full::never_takes_another_programs_rule_for_its_own",
        async || {
            let mut host = Host::new().await;
            host.add_lan().await;
            let theirs = Rule {
                protocol: RouteProtocol::Static,
                ..lookup(Family::V4).marked(Fwmark(17))
            };
            host.netlink.add_rule(&theirs).await.unwrap();
            let before = host.state().await;
            let complaint = host.fail(&format!("apply {FULL} --fwmark 17"), 5);
            let named = "the rule `pref 10000 fwmark 0x11 lookup 100 proto static`";
            assert!(complaint.contains(named), "{complaint}");
            host.succeed(&format!("cleanup {FULL} --fwmark 17"));
            assert_eq!(host.state().await, before);
        },
    );
}

#[test]
fn a_missing_bypass_device_changes_nothing() {
    with_namespaces(
        "full::a_missing_bypass_device_changes_nothing",
        async || {
            let host = Host::new().await;
            let before = host.state().await;
            let complaint = host.fail(&format!("apply {FULL} --fwmark 17"), 2);
            assert!(complaint.contains("no interface `lan0`"), "{complaint}");
            assert_eq!(host.state().await, before);
        },
    );
}
