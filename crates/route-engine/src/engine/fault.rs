//! Faults at every step: after each, the machine is as before.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::{Arc, Mutex};

use fps_netlink::{
    Address, Family, IfIndex, Link, LinkName, Netlink, Route, RouteFilter, RouteProtocol, Rule,
    VethPair,
};
use fps_netns::Namespace;
use fps_netns::testing::with_namespaces;
use nix::errno::Errno;

use crate::{
    Action, Dns, DnsBackend, DnsChange, DnsError, Engine, Error, Executor, FullTunnel, Intent,
    KeepLan, Numbering, Record, Selector, Store,
};

fn name(text: &str) -> LinkName {
    text.parse().unwrap()
}

/// A resolver that remembers.
#[derive(Debug, Default)]
struct Memory(Mutex<Dns>);

impl DnsBackend for Memory {
    fn settings(&self, _: LinkName) -> Result<Dns, DnsError> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn change(&self, _: LinkName, change: &DnsChange) -> Result<(), DnsError> {
        let mut dns = self.0.lock().unwrap();
        match change.clone() {
            DnsChange::Servers(servers) => dns.servers = servers,
            DnsChange::Domains(domains) => dns.domains = domains,
            DnsChange::DefaultRoute(on) => dns.default_route = Some(on),
            DnsChange::Revert => *dns = Dns::default(),
        }
        Ok(())
    }
}

/// A host with `fpsc0` and with `lan0`, which is up and has addresses and a default route.
struct Host {
    netlink: Netlink,
    engine: Engine,
    namespace: Namespace,
    _far: Namespace,
    _records: tempfile::TempDir,
}

impl Host {
    async fn new() -> Self {
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
        let records = tempfile::tempdir().unwrap();
        let open = || {
            let executor = Executor::open()?.with_dns(Some(Arc::new(Memory::default())));
            Ok::<_, Error>(Engine::new(executor, Store::open(records.path())?))
        };
        let engine = namespace.within(open).unwrap().unwrap();
        let host = Self {
            netlink,
            engine,
            namespace,
            _far: far,
            _records: records,
        };
        let lan = host.index("lan0").await;
        host.netlink.set_up(lan).await.unwrap();
        for net in ["192.0.2.2/24", "fd00:2::2/64"] {
            let address = Address::new(lan, net.parse().unwrap());
            host.netlink.add_address(&address).await.unwrap();
        }
        let routed = Route::new("10.9.0.0/16".parse().unwrap());
        let routed = routed.via("192.0.2.1".parse().unwrap());
        host.netlink.add_route(&routed).await.unwrap();
        host
    }

    async fn index(&self, device: &str) -> IfIndex {
        let link = self.netlink.link(&name(device)).await.unwrap();
        link.unwrap().index
    }

    /// All there is, in a canonical order; but for what the kernel changes by itself.
    async fn snapshot(&self) -> Snapshot {
        let netlink = &self.netlink;
        let mut links = netlink.links().await.unwrap();
        for link in &mut links {
            (link.carrier, link.operational) = (false, false);
        }
        let mut addresses = netlink.addresses(None).await.unwrap();
        addresses.retain(|address| !address.automatic);
        addresses.sort_by_key(|address| (address.link, address.net));
        let (mut routes, mut rules) = (Vec::new(), Vec::new());
        for family in Family::BOTH {
            let table = None;
            let filter = RouteFilter { family, table };
            routes.extend(netlink.routes(filter).await.unwrap());
            rules.extend(netlink.rules(family).await.unwrap());
        }
        // What the kernel makes of IPv6 by itself it makes from a work queue, when the carrier is
        // there and duplicates have been looked for (`addrconf_dad_work` in net/ipv6/addrconf.c).
        routes.retain(|route| route.to.addr().is_ipv4() || route.protocol != RouteProtocol::Kernel);
        routes.sort_by_key(|route| format!("{route:?}"));
        let dns = self
            .engine
            .executor()
            .read_dns(crate::ResolverKind::Resolved, name("fpsc0"))
            .unwrap();
        Snapshot {
            links,
            addresses,
            routes,
            rules,
            sysctls: self.namespace.within(sysctls).unwrap(),
            dns: dns.unwrap(),
            record: self.engine.store().record(name("fpsc0")).unwrap(),
        }
    }

    /// Makes an intent be so, but for a fault, if there is one.
    async fn apply(&self, intent: &Intent, fault: Option<usize>) -> Result<(), Error> {
        let begun = self.begin(intent).await;
        let fail = |step| (fault == Some(step)).then_some(Errno::EIO);
        begun.apply_with(&fail).await
    }

    async fn begin(&self, intent: &Intent) -> crate::Underway<'_> {
        let (action, numbering) = (Action::Apply, Numbering::Fixed);
        let begun = self.engine.begin(action, intent.clone(), numbering).await;
        begun.unwrap()
    }

    /// Fails each step of an apply, and compares; then applies.
    async fn fail_each_step(&self, intent: &Intent) {
        let before = self.snapshot().await;
        let begun = self.begin(intent).await;
        let steps = begun.transaction().needed().steps.iter();
        let operations = steps.map(|step| begun.transaction().operation(step).to_string());
        let operations: Vec<_> = operations.collect();
        drop(begun);
        assert!(!operations.is_empty(), "{intent:?}");
        for (k, failed) in operations.iter().enumerate() {
            let error = self.apply(intent, Some(k)).await.unwrap_err();
            assert!(matches!(error, Error::RolledBack(_)), "{}", error.chain());
            assert!(error.chain().contains(failed), "{}", error.chain());
            assert_eq!(self.snapshot().await, before, "step {k}: {failed}");
        }
        self.apply(intent, None).await.unwrap();
        let again = self.begin(intent).await;
        assert_eq!(again.transaction().needed().steps, []);
    }

    async fn clean_up(&self, intent: &Intent) {
        let (action, numbering) = (Action::Cleanup { down: false }, Numbering::Fixed);
        let begun = self.engine.begin(action, intent.clone(), numbering).await;
        let errors = begun.unwrap().clean_up().await;
        assert!(errors.is_empty(), "{errors:?}");
    }
}

#[derive(Debug, PartialEq)]
struct Snapshot {
    links: Vec<Link>,
    addresses: Vec<Address>,
    routes: Vec<Route>,
    rules: Vec<Rule>,
    sysctls: BTreeMap<String, String>,
    dns: Dns,
    record: Option<Record>,
}

/// Those of the interfaces, and the host's own.
fn sysctls() -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for folder in ["/proc/sys/net/ipv4", "/proc/sys/net/ipv6"] {
        read_below(Path::new(folder), &mut values);
    }
    assert!(values.len() > 100, "{values:?}");
    values
}

fn read_below(folder: &Path, values: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            read_below(&entry.path(), values);
        } else {
            // Some may only be written, and some have no value yet.
            let value = fs::read_to_string(entry.path()).unwrap_or_default();
            values.insert(entry.path().display().to_string(), value);
        }
    }
}

/// Addresses, MTU, DNS, and each form of routes.
fn intents() -> Vec<Intent> {
    let mark = "0x465053".parse().unwrap();
    let split = intent(&["10.66.0.2/30", "fd66::2/64"], None);
    let with = |selector, lan, leak_guard| {
        let full = FullTunnel {
            table: fps_netlink::TableId(100),
            priority: fps_netlink::RulePriority(10000),
            selectors: vec![selector],
            bypasses: vec!["203.0.113.10/32,192.0.2.1,lan0".parse().unwrap()],
            lan,
            leak_guard,
        };
        intent(&["10.66.0.2/30", "fd66::2/64"], Some(full))
    };
    let full = |selector, lan| with(selector, lan, false);
    let routed = vec!["10.0.0.0/8".parse().unwrap()];
    vec![
        split,
        full(Selector::Marked(mark), None),
        full(Selector::Unmarked(mark), None),
        full(Selector::From("10.66.0.0/30".parse().unwrap()), None),
        with(Selector::Unmarked(mark), Some(KeepLan::default()), true),
        full(Selector::Unmarked(mark), Some(KeepLan { routed })),
    ]
}

fn intent(addresses: &[&str], full: Option<FullTunnel>) -> Intent {
    let addresses = addresses.iter().map(|text| text.parse().unwrap());
    let mtu = Some("1280".parse().unwrap());
    let routes = ["10.66.1.0/24", "10.66.2.0/24", "fd66:1::/48"];
    let routes = routes.map(|text| text.parse().unwrap());
    let intent = Intent::new(name("fpsc0"), addresses.collect(), mtu, routes.to_vec()).unwrap();
    // A domain that is searched needs the most of a resolver.
    let intent = intent.with_dns(Some(Dns::new(
        vec!["10.66.0.1".parse().unwrap()],
        vec!["fps.test".parse().unwrap()],
    )));
    let Some(full) = full else { return intent };
    let endpoints = ["203.0.113.20:443", "2001:db8::10"].map(|text| text.parse().unwrap());
    let intent = intent.with_full_tunnel(full).unwrap();
    intent.with_endpoints(endpoints.to_vec()).unwrap()
}

#[test]
fn a_fault_at_any_step_leaves_the_machine_as_before() {
    with_namespaces(
        "engine::fault::a_fault_at_any_step_leaves_the_machine_as_before",
        async || {
            for intent in intents() {
                let host = Host::new().await;
                host.fail_each_step(&intent).await;
            }
        },
    );
}

#[test]
fn a_fault_on_the_way_to_another_intent_leaves_the_first() {
    with_namespaces(
        "engine::fault::a_fault_on_the_way_to_another_intent_leaves_the_first",
        async || {
            let host = Host::new().await;
            let mut all = intents();
            all.push(intent(&["10.66.0.1/30", "fd66::3/64"], None));
            all.push(intent(&["10.77.0.2/24"], None));
            for intent in &all {
                host.fail_each_step(intent).await;
            }
            host.clean_up(&all[0]).await;
            let after = host.snapshot().await;
            assert_eq!((after.record, after.dns), (None, Dns::default()));
            let ours = |route: &&Route| route.protocol == fps_netlink::FPS_ROUTE_PROTOCOL;
            assert_eq!(after.routes.iter().find(ours), None);
        },
    );
}

#[test]
fn a_fault_leaves_a_device_with_a_life_of_its_own_as_before() {
    with_namespaces(
        "engine::fault::a_fault_leaves_a_device_with_a_life_of_its_own_as_before",
        async || {
            for up in [false, true] {
                let host = Host::new().await;
                let fpsc0 = host.index("fpsc0").await;
                // Down, with an IPv6 address, which the kernel drops when it goes down again; or up,
                // with a route.
                let theirs = Address::new(fpsc0, "fd77::2/64".parse().unwrap());
                host.netlink.add_address(&theirs).await.unwrap();
                if up {
                    host.netlink.set_up(fpsc0).await.unwrap();
                    let route = Route::new("10.77.0.0/16".parse().unwrap()).on_link(fpsc0);
                    host.netlink.add_route(&route).await.unwrap();
                }
                for intent in intents() {
                    host.fail_each_step(&intent).await;
                }
            }
        },
    );
}

#[test]
fn a_route_that_comes_in_between_stays() {
    with_namespaces(
        "engine::fault::a_route_that_comes_in_between_stays",
        async || {
            let host = Host::new().await;
            let lan = host.index("lan0").await;
            let intent = intents().swap_remove(0);
            let begun = host.begin(&intent).await;
            let theirs = Route::new("10.66.1.0/24".parse().unwrap()).on_link(lan);
            host.netlink.add_route(&theirs).await.unwrap();
            let before = host.snapshot().await;
            let error = begun.apply().await.unwrap_err();
            drop(begun);
            assert_eq!(
                error.chain(),
                "`ip route replace 10.66.1.0/24 dev fpsc0` failed: File exists; rolled back: the \
             machine is as before"
            );
            assert_eq!(host.snapshot().await, before);
            let (action, numbering) = (Action::Apply, Numbering::Fixed);
            let error = host
                .engine
                .begin(action, intent, numbering)
                .await
                .unwrap_err();
            assert_eq!(
                error.chain(),
                "`ip route replace 10.66.1.0/24 dev fpsc0` is refused and nothing has changed: the \
             route `10.66.1.0/24 dev lan0 proto boot` stands in its place, which another program \
             set (protocol boot); take that away first, or leave this out"
            );
        },
    );
}

#[test]
fn a_lan_that_changes_in_between_is_looked_at_again() {
    with_namespaces(
        "engine::fault::a_lan_that_changes_in_between_is_looked_at_again",
        async || {
            let host = Host::new().await;
            let lan = host.index("lan0").await;
            let intent = intents().pop().unwrap();
            let begun = host.begin(&intent).await;
            // The source of the copies goes, which the kernel does not take then; and another comes.
            let address = |net: &str| Address::new(lan, net.parse().unwrap());
            let [old, new] = ["192.0.2.2/24", "192.0.2.7/24"].map(address);
            host.netlink.delete_address(&old).await.unwrap();
            host.netlink.add_address(&new).await.unwrap();
            assert_eq!(begun.apply().await.unwrap(), [""; 0]);
            assert!(begun.transaction().passes_over(), "nothing was refused");
            drop(begun);
            let copies = host.snapshot().await.routes.into_iter();
            let copies = copies.filter(|route| route.table == fps_netlink::TableId(101));
            let sources = copies.filter_map(|route| route.source);
            assert_eq!(
                sources.collect::<Vec<_>>(),
                ["192.0.2.7".parse::<std::net::IpAddr>().unwrap()]
            );
            let again = host.begin(&intent).await;
            assert_eq!(again.transaction().needed().steps, []);
        },
    );
}
