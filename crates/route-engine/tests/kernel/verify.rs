//! What `verify` finds.

use std::net::{TcpListener, TcpStream};

use fps_netlink::{
    Address, FPS_ROUTE_PROTOCOL, Family, Fwmark, Netlink, Route, RouteKind, RouteProtocol, Rule,
    RuleAction, RulePriority, TableId,
};
use fps_netns::sysctl;
use fps_netns::testing::with_namespaces;

use crate::host::{Host, name};

const SPLIT: &str = "--tun fpsc0 --tun-address 10.66.0.2/30 --mtu 1280 --route 10.66.0.0/16 \
    --route fd66:1::/48 --no-dns";
const FULL: &str = "--tun fpsc0 --tun-address 10.66.0.2/30 --full-tunnel --keep-lan \
    --except-fwmark 17 --endpoint 203.0.113.10:443 --no-dns";

const UNNAMED: &str =
    "warning the carrier's way is not looked at: no --endpoint says where it connects to";

/// A host with a LAN and a default route by it.
async fn host() -> Host {
    let mut host = Host::new().await;
    host.add_lan().await;
    for to in ["0.0.0.0/0", "::/0"] {
        let via = if to == "::/0" { "fe80::1" } else { "192.0.2.1" };
        let default = Route::new(to.parse().unwrap()).via(via.parse().unwrap());
        host.netlink
            .add_route(&default.on_link(host.lan))
            .await
            .unwrap();
    }
    host
}

impl Host {
    /// What is found, which must not be all well.
    fn faults(&self, line: &str) -> Vec<String> {
        let output = self.run(&format!("verify {line}"));
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        findings(&String::from_utf8(output.stdout).unwrap())
    }

    /// What is found, which must be no fault.
    fn no_faults(&self, line: &str) -> Vec<String> {
        findings(&self.succeed(&format!("verify {line}")))
    }
}

fn findings(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn finds_nothing_where_all_stands() {
    with_namespaces("verify::finds_nothing_where_all_stands", async || {
        let host = host().await;
        for options in [SPLIT, FULL] {
            host.succeed(&format!("apply {options}"));
            let carrier = "ok the carrier to 203.0.113.10:443, with mark 0x11 leaves by lan0 via \
                           192.0.2.1 (table main)";
            let expected = if options == FULL {
                vec![carrier]
            } else {
                vec![]
            };
            assert_eq!(host.no_faults(options), expected);
            // What was applied last is known.
            assert_eq!(host.no_faults("--tun fpsc0"), expected);
        }
        let text = host.succeed("verify --tun fpsc0 --json");
        let data: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(data["holds"], true);
        assert_eq!(data["findings"][0]["finding"], "ok");
    });
}

#[test]
fn finds_what_is_missing_changed_foreign_and_left_over() {
    with_namespaces(
        "verify::finds_what_is_missing_changed_foreign_and_left_over",
        async || {
            let host = host().await;
            assert_eq!(
                host.faults("--tun fpsc9 --route 10.66.1.0/24 --no-dns"),
                [
                    "missing there is no interface `fpsc9` in this network namespace: start the \
                  tunnel first, or name its device with --tun"
                ]
            );
            host.succeed(&format!("apply {SPLIT}"));
            host.netlink.set_mtu(host.fpsc0, 1400).await.unwrap();
            let own = |net: &str| Route {
                protocol: FPS_ROUTE_PROTOCOL,
                ..Route::new(net.parse().unwrap()).on_link(host.fpsc0)
            };
            host.netlink
                .delete_route(&own("10.66.0.0/16"))
                .await
                .unwrap();
            host.netlink
                .delete_route(&own("fd66:1::/48"))
                .await
                .unwrap();
            let theirs = Route::new("10.66.0.0/16".parse().unwrap()).on_link(host.lan);
            host.netlink.add_route(&theirs).await.unwrap();
            host.netlink.add_route(&own("10.77.0.0/16")).await.unwrap();
            let expected = [
                "foreign ip route replace 10.66.0.0/16 dev fpsc0: the route `10.66.0.0/16 dev \
                 lan0 proto boot` stands in its place",
                "changed ip link set dev fpsc0 mtu 1280: it is 1400",
                "missing ip -6 route replace fd66:1::/48 dev fpsc0",
                "left-over undone by: ip route del 10.77.0.0/16 dev fpsc0",
            ];
            assert_eq!(host.faults(SPLIT), expected);
        },
    );
}

#[test]
fn finds_rules_that_others_deleted_and_set() {
    with_namespaces(
        "verify::finds_rules_that_others_deleted_and_set",
        async || {
            let host = host().await;
            host.succeed(&format!("apply {FULL}"));
            let rule = |priority, table| {
                let action = RuleAction::Lookup(TableId(table));
                Rule::new(Family::V4, RulePriority(priority), action)
            };
            let own = rule(10001, 101).marked(Fwmark(17)).inverted();
            let protocol = FPS_ROUTE_PROTOCOL;
            host.netlink
                .delete_rule(&Rule { protocol, ..own })
                .await
                .unwrap();
            let faults = host.faults(FULL);
            let missing = "missing ip rule add priority 10001 not from all fwmark 0x11 table 101";
            assert_eq!(faults[0], missing);
            host.succeed(&format!("apply {FULL}"));
            // Another tunnel comes up behind ours, as wg-quick does: the kernel puts its rule first.
            let default = Route::new("0.0.0.0/0".parse().unwrap()).on_link(host.lan);
            host.netlink
                .add_route(&default.in_table(TableId(51820)))
                .await
                .unwrap();
            let theirs = rule(9999, 51820).marked(Fwmark(51820)).inverted();
            host.netlink.add_rule(&theirs).await.unwrap();
            let shadowed = "shadowed the rule `pref 9999 not fwmark 0xca6c lookup 51820`, which is \
                        probably wg-quick's, takes all packets and leads them out by `0.0.0.0/0 dev lan0 \
                        proto boot table 51820`";
            assert_eq!(host.faults(FULL)[0], shadowed);
            host.succeed("cleanup --tun fpsc0 --no-dns");
            host.netlink.set_up(host.fpsc0).await.unwrap();
            host.succeed(&format!("apply {SPLIT}"));
            assert!(host.faults(SPLIT)[0].contains("before table main"));
        },
    );
}

const BY_HAND: &str = "which is set by hand or by a script (protocol boot),";

/// A rule before those of the tunnel.
fn first(action: RuleAction) -> Rule {
    Rule::new(Family::V4, RulePriority(100), action)
}

#[test]
fn finds_what_goes_before_the_tunnel() {
    with_namespaces("verify::finds_what_goes_before_the_tunnel", async || {
        let host = host().await;
        let main = first(RuleAction::Lookup(TableId::MAIN));
        for half in ["0.0.0.0/1", "128.0.0.0/1"] {
            let half = Route::new(half.parse().unwrap()).on_link(host.lan);
            host.netlink.add_route(&half).await.unwrap();
        }
        let to = Some("8.0.0.0/8".parse().unwrap());
        let narrow = Some("9.9.9.0/24".parse().unwrap());
        host.succeed(&format!("apply {FULL}"));
        for (rule, finding) in [
            (
                Rule {
                    suppress_prefix: Some(0),
                    ..main
                },
                format!(
                    "shadowed the rule `pref 100 lookup main suppress_prefixlength 0`, {BY_HAND} takes \
                     all packets and leads them out by `0.0.0.0/1 dev lan0 proto boot`"
                ),
            ),
            (
                Rule { to, ..main },
                format!(
                    "shadowed the rule `pref 100 to 8.0.0.0/8 lookup main`, {BY_HAND} goes before \
                     the tunnel's, takes what is for 8.0.0.0/8 and leads them out by `0.0.0.0/1 dev \
                     lan0 proto boot`"
                ),
            ),
            (
                Rule {
                    to: narrow,
                    ..first(RuleAction::Unreachable)
                },
                format!(
                    "warning the rule `pref 100 to 9.9.9.0/24 unreachable`, {BY_HAND} goes before \
                     the tunnel's, takes a part of what is for 9.9.9.0/24 and refuses them"
                ),
            ),
        ] {
            host.netlink.add_rule(&rule).await.unwrap();
            let output = host.run(&format!("verify {FULL}"));
            let found = findings(&String::from_utf8(output.stdout).unwrap());
            assert!(found.contains(&finding), "{finding}: {found:#?}");
            let faulty = finding.starts_with("shadowed");
            assert_eq!(output.status.code(), Some(i32::from(faulty)), "{found:#?}");
            host.netlink.delete_rule(&rule).await.unwrap();
        }
        // What concerns what stays out anyway, or packets that it does not take, is nothing.
        let lan = Some("192.0.2.0/24".parse().unwrap());
        for rule in [
            Rule { to: lan, ..main },
            main.marked(Fwmark(17)),
            first(RuleAction::Goto(RulePriority(9999))),
        ] {
            host.netlink.add_rule(&rule).await.unwrap();
            let found = host.no_faults(FULL);
            assert!(!found.iter().any(|it| it.contains("the rule")), "{found:?}");
            host.netlink.delete_rule(&rule).await.unwrap();
        }
    });
}

#[test]
fn finds_what_takes_a_kept_lan_elsewhere() {
    with_namespaces(
        "verify::finds_what_takes_a_kept_lan_elsewhere",
        async || {
            let host = host().await;
            host.succeed(&format!("apply {FULL}"));
            let table = TableId(7);
            let lan = Route::new("192.0.2.0/24".parse().unwrap()).in_table(table);
            let elsewhere = lan.clone().on_link(host.fpsc0);
            let lookup = first(RuleAction::Lookup(table));
            let refused = first(RuleAction::Unreachable);
            let takes = "goes before the LAN's, takes what is for 192.0.2.0/24 and";
            host.netlink.add_route(&elsewhere).await.unwrap();
            host.netlink.add_rule(&lookup).await.unwrap();
            let finding = format!(
                "shadowed the rule `pref 100 lookup 7`, {BY_HAND} {takes} leads it out by `192.0.2.0/24 dev \
             fpsc0 proto boot table 7`"
            );
            assert_eq!(host.faults(FULL)[0], finding);
            // The same by the LAN's own link, or left to the rules behind it, is no harm.
            host.netlink.delete_route(&elsewhere).await.unwrap();
            for harmless in [lan.clone().on_link(host.lan), lan.of_kind(RouteKind::Throw)] {
                host.netlink.add_route(&harmless).await.unwrap();
                let found = host.no_faults(FULL);
                assert!(!found.iter().any(|it| it.contains(takes)), "{found:?}");
                host.netlink.delete_route(&harmless).await.unwrap();
            }
            let all = Some("192.0.2.0/24".parse().unwrap());
            host.netlink
                .add_rule(&Rule { to: all, ..refused })
                .await
                .unwrap();
            let finding = format!(
                "shadowed the rule `pref 100 to 192.0.2.0/24 unreachable`, {BY_HAND} {takes} refuses it"
            );
            assert_eq!(host.faults(FULL)[0], finding);
        },
    );
}

#[test]
fn finds_what_goes_before_table_main() {
    with_namespaces("verify::finds_what_goes_before_table_main", async || {
        let host = host().await;
        host.succeed(&format!("apply {SPLIT}"));
        let wide = Route::new("10.0.0.0/8".parse().unwrap()).on_link(host.lan);
        let wide = wide.in_table(TableId(7));
        host.netlink.add_route(&wide).await.unwrap();
        host.netlink
            .add_rule(&first(RuleAction::Lookup(TableId(7))))
            .await
            .unwrap();
        assert_eq!(
            host.faults(SPLIT)[0],
            format!(
                "shadowed the rule `pref 100 lookup 7`, {BY_HAND} goes before table main, takes what \
                 is for 10.66.0.0/16 and leads them out by `10.0.0.0/8 dev lan0 proto boot table 7`"
            )
        );
    });
}

#[test]
fn finds_a_carrier_in_its_own_tunnel() {
    with_namespaces("verify::finds_a_carrier_in_its_own_tunnel", async || {
        let host = host().await;
        // The far end, behind the LAN's router.
        let beyond = host.far.within(Netlink::open).unwrap().unwrap();
        let br1 = beyond.link(&name("br1")).await.unwrap().unwrap().index;
        for net in ["192.0.2.1/24", "203.0.113.10/32"] {
            let address = Address::new(br1, net.parse().unwrap());
            beyond.add_address(&address).await.unwrap();
        }
        let listen = || TcpListener::bind("203.0.113.10:443").unwrap();
        let _listener = host.far.within(listen).unwrap();
        // As of a client that forgets to mark its sockets (boringtun#132).
        let connect = || TcpStream::connect("203.0.113.10:443").unwrap();
        let _stream = host.namespace.within(connect).unwrap();
        host.succeed(&format!("apply {FULL}"));
        let found = host.no_faults(FULL);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[1].starts_with("ok the connection 192.0.2.2:"),
            "{found:?}"
        );
        for table in [100, 102] {
            let throw = Route::new("203.0.113.10/32".parse().unwrap());
            let throw = throw.in_table(TableId(table)).of_kind(RouteKind::Throw);
            let protocol = FPS_ROUTE_PROTOCOL;
            host.netlink
                .delete_route(&Route { protocol, ..throw })
                .await
                .unwrap();
        }
        let found = host.faults(FULL);
        assert!(
            found[2].starts_with("carrier-loop the connection 192.0.2.2:"),
            "{found:?}"
        );
        // The marked one has its way still.
        assert!(
            found[3].starts_with("ok the carrier to 203.0.113.10:443"),
            "{found:?}"
        );
        let why = "goes into fpsc0: rule `pref 10002 not fwmark 0x11 lookup 102`, route `0.0.0.0/0 \
                   dev fpsc0 proto 70 table 102`";
        assert!(found[2].ends_with(why), "{found:?}");
        // A mark that does not let it past.
        let other = FULL.replace("--except-fwmark 17", "--fwmark 17");
        host.succeed(&format!("apply {other}"));
        let found = host.no_faults(&other);
        let kinds: Vec<_> = found
            .iter()
            .map(|line| line.split(' ').next().unwrap())
            .collect();
        // Only packets with the mark go into the tunnel now; and of IPv6 none.
        assert_eq!(kinds, ["warning", "ok", "ok"], "{found:?}");
    });
}

#[test]
fn warns_of_what_may_not_have_been_meant() {
    with_namespaces(
        "verify::warns_of_what_may_not_have_been_meant",
        async || {
            let host = host().await;
            host.succeed(&format!("apply {SPLIT}"));
            // A DHCP server hands out a route that is longer than the tunnel's (option 121).
            let rogue = Route::new("10.66.7.0/24".parse().unwrap()).on_link(host.lan);
            let protocol = RouteProtocol::Dhcp;
            host.netlink
                .add_route(&Route { protocol, ..rogue })
                .await
                .unwrap();
            let handed_out = "warning `10.66.7.0/24 dev lan0 proto dhcp`, which the network has handed \
                          out (CVE-2024-3661) takes a part of 10.66.0.0/16 out of the tunnel";
            assert_eq!(host.no_faults(SPLIT), [handed_out]);
            // One that is as long, and goes before it.
            let metric = Some(5);
            let first = Route::new("fd66:1::/48".parse().unwrap()).on_link(host.lan);
            host.netlink
                .add_route(&Route { metric, ..first })
                .await
                .unwrap();
            assert_eq!(
                host.faults(SPLIT)[0],
                "shadowed ip route replace fd66:1::/48: `fd66:1::/48 dev lan0 proto boot metric 5` \
             goes before it"
            );

            let host = host_with_public_lan().await;
            let v4_only = "--tun fpsc0 --tun-address 10.66.0.2/30 --full-tunnel --keep-lan --from \
                       10.66.0.0/30 --no-dns";
            host.succeed(&format!("apply {v4_only}"));
            let found = host.no_faults(v4_only);
            assert_eq!(
                found,
                [
                    "warning IPv6 goes around the tunnel, by `::/0 via fe80::1 dev lan0 proto boot \
                 metric 1024`: the tunnel takes none of it",
                    "warning `5.6.7.0/24 dev lan0 proto kernel` claims public addresses for the LAN, \
                 and takes them out of the tunnel",
                    UNNAMED,
                ]
            );
        },
    );
}

async fn host_with_public_lan() -> Host {
    let host = host().await;
    host.add_address(host.lan, "5.6.7.8/24").await;
    host
}

#[test]
fn warns_where_the_carriers_replies_are_dropped() {
    with_namespaces(
        "verify::warns_where_the_carriers_replies_are_dropped",
        async || {
            let host = host().await;
            let strict = || sysctl::write("net/ipv4/conf/lan0/rp_filter", "1");
            host.namespace.within(strict).unwrap().unwrap();
            let unnamed = FULL.replace(" --endpoint 203.0.113.10:443", "");
            host.succeed(&format!("apply {unnamed}"));
            let found = host.no_faults(&unnamed);
            assert_eq!(found[1..], [UNNAMED]);
            for part in ["rp_filter is 1", "--endpoint", "lan0"] {
                assert!(found[0].contains(part), "{found:?}");
            }
            // Where the way to the endpoint is the underlay's without a mark, too, they are let in.
            host.succeed(&format!("apply {FULL}"));
            assert_eq!(host.no_faults(FULL).len(), 1);
        },
    );
}

#[test]
fn says_so_where_nothing_says_what_shall_stand() {
    with_namespaces(
        "verify::says_so_where_nothing_says_what_shall_stand",
        async || {
            let host = host().await;
            let nothing = "missing nothing says what shall stand: no option does, and for fpsc0 \
                           nothing is recorded";
            host.netlink.set_up(host.fpsc0).await.unwrap();
            assert_eq!(host.faults("--tun fpsc0"), [nothing]);
            host.succeed(&format!("apply {SPLIT}"));
            assert_eq!(host.no_faults("--tun fpsc0"), [""; 0]);
        },
    );
}

#[test]
fn what_would_only_come_and_go_is_nothing() {
    with_namespaces(
        "verify::what_would_only_come_and_go_is_nothing",
        async || {
            let host = host().await;
            host.succeed(&format!("apply {FULL}"));
            // Other priorities come under a guard, and another subnet behind placeholders.
            let other = FULL.replace("10.66.0.2/30", "fd66::2/64") + " --priority 500";
            let found = host.faults(&other);
            for part in ["unreachable", "replace 0.0.0.0/0"] {
                assert!(!found.iter().any(|it| it.contains(part)), "{found:#?}");
            }
            let count = |kind: &str| found.iter().filter(|it| it.starts_with(kind)).count();
            // Six rules and an address each way.
            assert_eq!((count("missing"), count("left-over")), (7, 7), "{found:#?}");
        },
    );
}

#[test]
fn a_bypass_for_one_host_is_taken_for_the_carriers() {
    with_namespaces(
        "verify::a_bypass_for_one_host_is_taken_for_the_carriers",
        async || {
            let host = host().await;
            let full = "--tun fpsc0 --full-tunnel --from 0.0.0.0/0 --no-dns \
                        --bypass 203.0.113.10/32,192.0.2.1,lan0";
            host.succeed(&format!("apply {full}"));
            let ok = "ok the carrier to 203.0.113.10 leaves by lan0 via 192.0.2.1 (table 100)";
            assert!(host.no_faults(full).contains(&ok.to_owned()));
            let bypass = Route::new("203.0.113.10/32".parse().unwrap());
            let bypass = bypass.via("192.0.2.1".parse().unwrap()).on_link(host.lan);
            let protocol = FPS_ROUTE_PROTOCOL;
            let bypass = bypass.in_table(TableId(100));
            host.netlink
                .delete_route(&Route { protocol, ..bypass })
                .await
                .unwrap();
            let found = host.faults(full);
            let looped = |it: &String| it.starts_with("carrier-loop the carrier to 203.0.113.10");
            assert!(found.iter().any(looped), "{found:#?}");
        },
    );
}
