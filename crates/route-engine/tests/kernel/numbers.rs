//! Tables and priorities of others.

use fps_netlink::{Family, Fwmark, Route, Rule, RuleAction, RulePriority, TableId};
use fps_netns::testing::with_namespaces;

use crate::host::Host;

const FULL: &str = "--tun fpsc0 --tun-address 10.66.0.2/30 --full-tunnel --no-dns";

fn lookup(priority: u32, table: u32) -> Rule {
    let action = RuleAction::Lookup(TableId(table));
    Rule::new(Family::V4, RulePriority(priority), action)
}

async fn host() -> Host {
    let mut host = Host::new().await;
    host.add_lan().await;
    host
}

impl Host {
    /// Another tunnel's default route, by the LAN's interface for want of a device of its own.
    async fn add_default(&self, table: u32) {
        let default = Route::new("0.0.0.0/0".parse().unwrap()).on_link(self.lan);
        let default = default.in_table(TableId(table));
        self.netlink.add_route(&default).await.unwrap();
    }
}

#[test]
fn refuses_what_is_taken_and_says_whose_it_is() {
    with_namespaces(
        "numbers::refuses_what_is_taken_and_says_whose_it_is",
        async || {
            for (rule, route, options, parts) in [
                (
                    Some(lookup(10000, 52)),
                    None,
                    "",
                    ["--priority 10000", "lookup 52", "Tailscale"],
                ),
                (
                    Some(lookup(10002, 7)),
                    None,
                    " --keep-lan",
                    ["--priority 10002", "lookup 7", "by hand"],
                ),
                (
                    Some(lookup(9, 51820)),
                    None,
                    " --table 51820",
                    ["--table 51820", "pref 9", "wg-quick"],
                ),
                (
                    None,
                    Some(102),
                    " --keep-lan",
                    ["--table 102", "0.0.0.0/0 dev lan0", "protocol boot"],
                ),
            ] {
                let host = host().await;
                if let Some(rule) = &rule {
                    host.netlink.add_rule(rule).await.unwrap();
                }
                if let Some(table) = route {
                    host.add_default(table).await;
                }
                let before = host.state().await;
                let line = format!("apply {FULL} --fwmark 17{options}");
                let complaint = host.fail(&line, 5);
                for part in parts.iter().chain(&["nothing has changed", "--auto"]) {
                    assert!(complaint.contains(part), "{part}: {complaint}");
                }
                assert_eq!(complaint.lines().count(), 1, "{complaint}");
                assert_eq!(host.state().await, before);
                host.succeed(&format!("{line} --auto"));
                host.succeed(&format!("{line} --auto"));
                assert_eq!(
                    host.own_rules().await.len(),
                    if options == " --keep-lan" { 3 } else { 1 }
                );
                host.succeed("cleanup --tun fpsc0 --tun-address 10.66.0.2/30 --no-dns --down");
                assert_eq!(host.state().await, before);
            }
        },
    );
}

#[test]
fn another_full_tunnel_is_refused_before_and_behind() {
    with_namespaces(
        "numbers::another_full_tunnel_is_refused_before_and_behind",
        async || {
            for (priority, selector, refused, moved) in [
                // Before ours nothing gets past it; put before it, ours takes what it chooses.
                (
                    9999,
                    "--fwmark 17",
                    true,
                    Some("pref 9998 fwmark 0x11 lookup 101"),
                ),
                (9999, "--except-fwmark 17", true, None),
                // Behind ours it only matters if each takes the other's carrier.
                (32764, "--fwmark 17", false, None),
                (32764, "--except-fwmark 17", true, None),
            ] {
                let host = host().await;
                host.add_default(51820).await;
                let theirs = lookup(priority, 51820).marked(Fwmark(51820)).inverted();
                host.netlink.add_rule(&theirs).await.unwrap();
                // So that the table is found by looking, too.
                host.add_default(100).await;
                let line = format!("apply {FULL} {selector} --table 101");
                if !refused {
                    host.succeed(&line);
                    continue;
                }
                let complaint = host.fail(&line, 5);
                for part in ["wg-quick", "takes all packets", "nothing has changed"] {
                    assert!(complaint.contains(part), "{part}: {complaint}");
                }
                let line = format!("{line} --auto");
                match moved {
                    Some(rule) => {
                        host.succeed(&line);
                        assert_eq!(host.own_rules().await, [rule]);
                    }
                    None => drop(host.fail(&line, 5)),
                }
            }
        },
    );
}

#[test]
fn what_takes_all_packets_first_is_refused() {
    with_namespaces(
        "numbers::what_takes_all_packets_first_is_refused",
        async || {
            let first = |action| Rule::new(Family::V4, RulePriority(100), action);
            let main = first(RuleAction::Lookup(TableId::MAIN));
            let to = Some("198.51.100.0/24".parse().unwrap());
            for (rule, what) in [
                (
                    main,
                    Some("leads them out by `0.0.0.0/0 dev lan0 proto boot`"),
                ),
                (first(RuleAction::Prohibit), Some("refuses them")),
                (
                    first(RuleAction::Goto(RulePriority(32766))),
                    Some("leads them past other rules"),
                ),
                (lookup(100, 7).marked(Fwmark(17)), Some("table 7")),
                // None of these is for all of them.
                (lookup(100, 7).marked(Fwmark(18)), None),
                (first(RuleAction::Goto(RulePriority(10000))), None),
                (Rule { to, ..main }, None),
                (
                    Rule {
                        suppress_prefix: Some(0),
                        ..main
                    },
                    None,
                ),
            ] {
                let host = host().await;
                host.add_default(7).await;
                host.add_default(TableId::MAIN.0).await;
                host.netlink.add_rule(&rule).await.unwrap();
                let line = format!("apply {FULL} --fwmark 17");
                match what {
                    None => drop(host.succeed(&line)),
                    Some(what) => {
                        let complaint = host.fail(&line, 5);
                        for part in [what, "pref 100 ", "nothing has changed", "--priority"] {
                            assert!(complaint.contains(part), "{part}: {complaint}");
                        }
                        host.succeed(&format!("{line} --priority 99"));
                    }
                }
            }
        },
    );
}

#[test]
fn two_tunnels_do_not_take_each_others_numbers() {
    with_namespaces(
        "numbers::two_tunnels_do_not_take_each_others_numbers",
        async || {
            let host = host().await;
            let both = |tun: &str| {
                let from = if tun == "fpsc0" { 66 } else { 77 };
                format!(
                    "apply --tun {tun} --full-tunnel --from 10.{from}.0.0/30 --no-dns --keep-lan"
                )
            };
            host.succeed(&both("fpsc0"));
            let first = host.state().await;
            let complaint = host.fail(&both("lan0"), 5);
            assert!(complaint.contains("fps-route's for fpsc0"), "{complaint}");
            host.succeed(&format!("{} --auto", both("lan0")));
            let lines = host.own_rules().await;
            assert_eq!(lines.len(), 6, "{lines:?}");
            assert_eq!(lines[3], "pref 10003 from 10.77.0.0/30 lookup 103");
            // The first can be applied again, and the second goes without it.
            host.succeed(&both("fpsc0"));
            assert_eq!(host.own_rules().await, lines);
            host.succeed("cleanup --tun lan0 --no-dns");
            assert_eq!(host.state().await, first);
            // Also where the records are lost.
            host.succeed(&format!("{} --auto", both("lan0")));
            std::fs::remove_dir_all(host.records.path()).unwrap();
            host.succeed("cleanup --tun fpsc0 --no-dns");
            let left = host.own_rules().await;
            assert!(
                left.contains(&"pref 10005 from 10.77.0.0/30 lookup 105".to_owned()),
                "{left:?}"
            );
            assert!(
                !left.contains(&"pref 10002 from 10.66.0.0/30 lookup 102".to_owned()),
                "{left:?}"
            );
        },
    );
}
