//! Faults at every step: after each, the machine is as before.

use std::os::fd::AsFd;

use fps_netlink::{
    Address, Family, IfIndex, Link, LinkName, Netlink, Route, RouteFilter, RouteProtocol, Rule,
    VethPair,
};
use fps_netns::Namespace;
use fps_netns::testing::with_namespaces;
use nix::errno::Errno;

use crate::{Action, Error, Executor, FullTunnel, Intent, Plan, Selector};

fn name(text: &str) -> LinkName {
    text.parse().unwrap()
}

/// A host with `fpsc0` and with `lan0`, which is up and has an address.
async fn host() -> (Netlink, [Namespace; 2]) {
    let (namespace, far) = (Namespace::create().unwrap(), Namespace::create().unwrap());
    let netlink = namespace.within(Netlink::open).unwrap().unwrap();
    let beyond = far.within(Netlink::open).unwrap().unwrap();
    beyond.create_bridge(&name("br0")).await.unwrap();
    let bridge = beyond.link(&name("br0")).await.unwrap().unwrap().index;
    for (port, peer) in [("port0", "fpsc0"), ("port1", "lan0")] {
        let pair = VethPair {
            port: &name(port),
            bridge,
            peer: &name(peer),
            namespace: namespace.as_fd(),
        };
        beyond.create_veth(pair).await.unwrap();
    }
    let lan = index(&netlink, "lan0").await;
    netlink.set_up(lan).await.unwrap();
    let address = Address::new(lan, "192.0.2.2/24".parse().unwrap());
    netlink.add_address(&address).await.unwrap();
    (netlink, [namespace, far])
}

async fn index(netlink: &Netlink, device: &str) -> IfIndex {
    netlink.link(&name(device)).await.unwrap().unwrap().index
}

/// Addresses, MTU and both forms of routes.
fn plans() -> Vec<Plan> {
    let addresses = ["10.66.0.2/30", "fd66::2/64"].map(|text| text.parse().unwrap());
    let mtu = Some("1280".parse().unwrap());
    let routes = ["10.66.1.0/24", "fd66:1::/48"].map(|text| text.parse().unwrap());
    let intent = || Intent::new(name("fpsc0"), addresses.to_vec(), mtu, routes.to_vec()).unwrap();
    let full = |selector| FullTunnel {
        table: fps_netlink::TableId(100),
        priority: fps_netlink::RulePriority(10000),
        selectors: vec![selector],
        bypasses: vec!["203.0.113.10/32,192.0.2.1,lan0".parse().unwrap()],
    };
    let mark = "0x465053".parse().unwrap();
    let selectors = [Selector::Marked(mark), Selector::Unmarked(mark)];
    let full = selectors.map(|selector| intent().with_full_tunnel(full(selector)).unwrap());
    let intents = [intent()].into_iter().chain(full);
    intents
        .map(|intent| Plan::new(Action::Apply, intent))
        .collect()
}

type Snapshot = (Vec<Link>, Vec<Address>, Vec<Route>, Vec<Rule>);

/// All there is, in a canonical order; but for what the kernel changes by itself.
async fn snapshot(netlink: &Netlink) -> Snapshot {
    let mut links = netlink.links().await.unwrap();
    for link in &mut links {
        (link.carrier, link.operational) = (false, false);
    }
    let mut addresses = netlink.addresses(None).await.unwrap();
    addresses.retain(|address| !address.automatic);
    addresses.sort_by_key(|address| (address.link, address.net));
    let (mut routes, mut rules) = (Vec::new(), Vec::new());
    for family in Family::BOTH {
        let filter = RouteFilter {
            family,
            table: None,
        };
        routes.extend(netlink.routes(filter).await.unwrap());
        rules.extend(netlink.rules(family).await.unwrap());
    }
    // What the kernel makes of IPv6 by itself it makes from a work queue, when the carrier is there
    // and duplicates have been looked for (`addrconf_dad_work` in net/ipv6/addrconf.c).
    routes.retain(|route| route.to.addr().is_ipv4() || route.protocol != RouteProtocol::Kernel);
    routes.sort_by_key(|route| format!("{route:?}"));
    (links, addresses, routes, rules)
}

/// Fails each step of each plan, and compares.
async fn fail_each_step(netlink: &Netlink) {
    let executor = Executor::new(netlink.clone());
    for plan in plans() {
        let before = snapshot(netlink).await;
        let steps = executor.look(&plan).await.unwrap().steps().len();
        assert!(steps > 3, "{plan}");
        for k in 0..steps {
            let transaction = executor.look(&plan).await.unwrap();
            let fail = |step| if step == k { Err(Errno::EIO) } else { Ok(()) };
            let error = transaction.apply_checked(fail).await.unwrap_err();
            let failed = transaction.steps()[k].operation.to_string();
            assert!(matches!(error, Error::RolledBack(_)), "{}", error.chain());
            assert!(error.chain().contains(&failed), "{}", error.chain());
            assert_eq!(snapshot(netlink).await, before, "step {k}: {failed}");
        }
        executor.look(&plan).await.unwrap().apply().await.unwrap();
        assert_eq!(executor.look(&plan).await.unwrap().steps(), []);
        let cleanup = Plan::new(Action::Cleanup { down: false }, plan.intent().clone());
        let cleanup = executor.look(&cleanup).await.unwrap();
        assert!(cleanup.clean_up().await.is_empty());
        let fpsc0 = index(netlink, "fpsc0").await;
        netlink.set_mtu(fpsc0, 1500).await.unwrap();
        if !before.0.iter().any(|link| link.index == fpsc0 && link.up) {
            netlink.set_down(fpsc0).await.unwrap();
        }
    }
}

#[test]
fn a_fault_at_any_step_leaves_the_machine_as_before() {
    with_namespaces(
        "fault::a_fault_at_any_step_leaves_the_machine_as_before",
        async || {
            let (netlink, _namespaces) = host().await;
            fail_each_step(&netlink).await;
        },
    );
}

#[test]
fn a_fault_leaves_a_device_with_a_life_of_its_own_as_before() {
    with_namespaces(
        "fault::a_fault_leaves_a_device_with_a_life_of_its_own_as_before",
        async || {
            let (netlink, _namespaces) = host().await;
            let fpsc0 = index(&netlink, "fpsc0").await;
            // Down, with an IPv6 address, which the kernel drops when it goes down again.
            let theirs = Address::new(fpsc0, "fd77::2/64".parse().unwrap());
            netlink.add_address(&theirs).await.unwrap();
            fail_each_step(&netlink).await;
            // Up, with a route.
            netlink.set_up(fpsc0).await.unwrap();
            let route = Route::new("10.77.0.0/16".parse().unwrap()).on_link(fpsc0);
            netlink.add_route(&route).await.unwrap();
            fail_each_step(&netlink).await;
        },
    );
}

#[test]
fn a_route_that_comes_in_between_stays() {
    with_namespaces("fault::a_route_that_comes_in_between_stays", async || {
        let (netlink, _namespaces) = host().await;
        let lan = index(&netlink, "lan0").await;
        let plan = plans().swap_remove(0);
        let executor = Executor::new(netlink.clone());
        let transaction = executor.look(&plan).await.unwrap();
        let theirs = Route::new("10.66.1.0/24".parse().unwrap()).on_link(lan);
        netlink.add_route(&theirs).await.unwrap();
        let before = snapshot(&netlink).await;
        let error = transaction.apply().await.unwrap_err();
        assert_eq!(
            error.chain(),
            "`ip route replace 10.66.1.0/24 dev fpsc0` failed: File exists; rolled back: the \
             machine is as before"
        );
        assert_eq!(snapshot(&netlink).await, before);
        let error = executor.look(&plan).await.unwrap_err();
        assert_eq!(
            error.chain(),
            "`ip route replace 10.66.1.0/24 dev fpsc0` is refused and nothing has changed: the \
             route `10.66.1.0/24 dev lan0 proto boot` stands in its place, which another program \
             set (protocol boot); take that away first, or leave this out"
        );
    });
}
