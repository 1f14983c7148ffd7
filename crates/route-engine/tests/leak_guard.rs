//! The plan with a guard against DNS leaks, on links that are made up; nothing here needs a privilege.

use fps_netlink::{IfIndex, Link, RulePriority, TableId};
use fps_route::{Action, FullTunnel, Intent, Plan, Selector, Underlay};

/// All but the lines that delete a rule before it is added.
const APPLIED: &str = "\
# fps_linux_route action=apply tun=fpsc0 execute=false
+ ip link set dev fpsc0 up
+ ip route replace local default dev eth0 metric 2 table 101
+ ip route replace default dev fpsc0 table 100
+ ip route replace throw 203.0.113.10/32 table 102
+ ip route replace throw 203.0.113.20/32 table 102
+ ip route replace default dev fpsc0 table 102
+ ip rule add priority 10004 from all nop
+ ip rule add priority 10000 to 203.0.113.10/32 ipproto udp dport 853 goto 10004
+ ip rule add priority 10000 to 203.0.113.10/32 ipproto tcp dport 853 goto 10004
+ ip rule add priority 10001 from all oif eth0 ipproto udp dport 53 table 101
+ ip rule add priority 10001 from all oif eth0 ipproto udp dport 853 table 101
+ ip rule add priority 10001 from all oif eth0 ipproto tcp dport 53 table 101
+ ip rule add priority 10001 from all oif eth0 ipproto tcp dport 853 table 101
+ ip rule add priority 10002 from all ipproto udp dport 53 table 100
+ ip rule add priority 10002 from all ipproto udp dport 853 table 100
+ ip rule add priority 10002 from all ipproto tcp dport 53 table 100
+ ip rule add priority 10002 from all ipproto tcp dport 853 table 100
+ ip rule add priority 10003 from all ipproto udp dport 53 unreachable
+ ip rule add priority 10003 from all ipproto udp dport 853 unreachable
+ ip rule add priority 10003 from all ipproto tcp dport 53 unreachable
+ ip rule add priority 10003 from all ipproto tcp dport 853 unreachable
+ ip -6 rule add priority 10002 from all ipproto udp dport 53 table 100
+ ip -6 rule add priority 10002 from all ipproto udp dport 853 table 100
+ ip -6 rule add priority 10002 from all ipproto tcp dport 53 table 100
+ ip -6 rule add priority 10002 from all ipproto tcp dport 853 table 100
+ ip -6 rule add priority 10003 from all ipproto udp dport 53 unreachable
+ ip -6 rule add priority 10003 from all ipproto udp dport 853 unreachable
+ ip -6 rule add priority 10003 from all ipproto tcp dport 53 unreachable
+ ip -6 rule add priority 10003 from all ipproto tcp dport 853 unreachable
+ ip rule add priority 10005 from 10.66.0.0/30 table 102
+ ip route flush cache
";

fn link(number: u32, name: &str, up: bool) -> Link {
    Link::new(IfIndex::new(number).unwrap(), name.parse().unwrap(), up)
}

/// A tunnel of IPv4 alone, with an endpoint that has a port of DNS and one that has not.
fn plan(action: Action) -> String {
    let links = [
        link(1, "lo", true),
        link(2, "eth0", true),
        link(3, "wlan0", false),
        link(4, "fpsc0", true),
    ];
    let underlay = Underlay {
        links: &links,
        routes: &[],
    };
    let full = FullTunnel {
        table: TableId(100),
        priority: RulePriority(10000),
        selectors: vec![Selector::From("10.66.0.0/30".parse().unwrap())],
        bypasses: vec![],
        lan: None,
        leak_guard: true,
    };
    let intent = Intent::new("fpsc0".parse().unwrap(), vec![], None, vec![]).unwrap();
    let endpoints = ["203.0.113.10:853", "203.0.113.20:443"];
    let endpoints = endpoints.map(|text| text.parse().unwrap()).to_vec();
    let intent = intent.with_full_tunnel(full).unwrap();
    Plan::new(action, intent.with_endpoints(endpoints).unwrap(), underlay).to_string()
}

#[test]
fn it_comes_before_all_other_rules() {
    let plan = plan(Action::Apply);
    let lines = plan.lines().filter(|line| !line.contains(" rule del "));
    assert_eq!(
        lines.collect::<Vec<_>>(),
        APPLIED.lines().collect::<Vec<_>>()
    );
}

#[test]
fn it_goes_last() {
    let plan = plan(Action::Cleanup { down: false });
    let rules = plan.lines().filter(|line| line.contains(" rule del "));
    let rules: Vec<_> = rules.collect();
    assert_eq!(
        rules[0],
        "+ ip rule del priority 10005 from 10.66.0.0/30 table 102"
    );
    assert_eq!(
        rules.last(),
        Some(&"+ ip rule del priority 10004 from all nop")
    );
    let added = APPLIED.lines().filter(|line| line.contains(" rule add "));
    assert_eq!(rules.len(), added.count());
}
