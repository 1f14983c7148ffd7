//! A host to run `fps-route` on, in namespaces of its own.

use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use fps_netlink::{
    Address, Events, FPS_ROUTE_PROTOCOL, Family, Group, IfIndex, Link, LinkName, Netlink, Route,
    RouteFilter, RouteProtocol, Rule, TableId, VethPair,
};
use fps_netns::Namespace;

/// A host with a device `fpsc0`, whose far end is in a namespace of its own.
pub(crate) struct Host {
    /// Where its records are.
    pub(crate) records: tempfile::TempDir,
    pub(crate) namespace: Namespace,
    pub(crate) netlink: Netlink,
    pub(crate) fpsc0: IfIndex,
    /// An interface of the LAN, behind `add_lan`.
    pub(crate) lan: IfIndex,
    pub(crate) far: Namespace,
}

/// What of a host's network `fps-route` may touch.
#[derive(Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) link: Link,
    pub(crate) addresses: Vec<String>,
    pub(crate) routes: Vec<String>,
    pub(crate) rules: Vec<Rule>,
}

/// What names the bus; the machine's own is none of a test's.
pub(crate) const BUS: &str = "DBUS_SYSTEM_BUS_ADDRESS";
/// The address of no bus.
pub(crate) const NO_BUS: &str = "unix:path=/nowhere";

/// The table of the full tunnel.
pub(crate) const TABLE: TableId = TableId(100);

pub(crate) fn name(text: &str) -> LinkName {
    text.parse().unwrap()
}

impl Host {
    pub(crate) async fn new() -> Self {
        let (namespace, far) = (Namespace::create().unwrap(), Namespace::create().unwrap());
        let netlink = namespace.within(Netlink::open).unwrap().unwrap();
        let beyond = far.within(Netlink::open).unwrap().unwrap();
        beyond.create_bridge(&name("br0")).await.unwrap();
        let bridge = beyond.link(&name("br0")).await.unwrap().unwrap().index;
        let (port, peer) = (&name("port0"), &name("fpsc0"));
        let pair = VethPair {
            port,
            bridge,
            peer,
            namespace: namespace.as_fd(),
        };
        beyond.create_veth(pair).await.unwrap();
        let fpsc0 = netlink.link(&name("fpsc0")).await.unwrap().unwrap().index;
        Self {
            records: tempfile::tempdir().unwrap(),
            namespace,
            netlink,
            fpsc0,
            lan: IfIndex::LOOPBACK,
            far,
        }
    }

    /// Adds an interface `lan0`, up, with the address 192.0.2.2/24; its far end is on a bridge `br1`.
    pub(crate) async fn add_lan(&mut self) {
        let beyond = self.far.within(Netlink::open).unwrap().unwrap();
        beyond.create_bridge(&name("br1")).await.unwrap();
        let bridge = beyond.link(&name("br1")).await.unwrap().unwrap().index;
        let pair = VethPair {
            port: &name("port1"),
            bridge,
            peer: &name("lan0"),
            namespace: self.namespace.as_fd(),
        };
        beyond.create_veth(pair).await.unwrap();
        let lan0 = self.netlink.link(&name("lan0")).await.unwrap().unwrap();
        self.lan = lan0.index;
        self.netlink.set_up(self.lan).await.unwrap();
        let address = Address::new(self.lan, "192.0.2.2/24".parse().unwrap());
        self.netlink.add_address(&address).await.unwrap();
    }

    /// Runs `fps-route` on this host.
    pub(crate) fn run(&self, line: &str) -> Output {
        self.spawn(Command::new(env!("CARGO_BIN_EXE_fps-route")).args(line.split(' ')))
    }

    pub(crate) fn spawn(&self, command: &mut Command) -> Output {
        let has_bus = command.get_envs().any(|(name, _)| name == BUS);
        if !has_bus {
            command.env(BUS, NO_BUS);
        }
        command.env("FPS_ROUTE_STATE_DIR", self.records.path());
        own_resolvers(command, self.records.path());
        self.namespace
            .within(|| command.output())
            .unwrap()
            .expect("run fps-route")
    }

    /// Runs `fps-route`, which must succeed without a word on standard error.
    pub(crate) fn succeed(&self, line: &str) -> String {
        let output = self.run(line);
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.success() && complaint.is_empty(),
            "{line}: {complaint}"
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs `fps-route`, which must fail with this code.
    pub(crate) fn fail(&self, line: &str, code: i32) -> String {
        let output = self.run(line);
        assert_eq!(output.status.code(), Some(code), "{line}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// The routes of all tables but table local.
    pub(crate) async fn routes(&self) -> Vec<Route> {
        self.netlink.settle().await.unwrap();
        let mut routes = Vec::new();
        for family in Family::BOTH {
            let table = None;
            let filter = RouteFilter { family, table };
            routes.extend(self.netlink.routes(filter).await.unwrap());
        }
        routes.retain(|route| route.table != TableId::LOCAL);
        routes
    }

    /// The routes of a table, one a line, with interfaces by their names.
    pub(crate) async fn table(&self, table: u32) -> Vec<String> {
        let routes = self.routes().await;
        let here = routes.iter().filter(|route| route.table == TableId(table));
        let line = |route: &Route| {
            let line = format!("{route}").replace(&format!(" table {table}"), "");
            let line = line.replace(&format!("(index {})", self.fpsc0), "dev fpsc0");
            let line = line.replace(&format!("(index {})", self.lan), "dev lan0");
            let source = route
                .source
                .map_or_else(String::new, |ip| format!(" src {ip}"));
            line + &source
        };
        here.map(line).collect()
    }

    /// Waits until a table is as it shall be, by the events of the kernel.
    pub(crate) async fn until_table(&self, table: u32, is: impl Fn(&[String]) -> bool) {
        let groups = [Group::RouteV4, Group::RouteV6];
        let events = self.namespace.within(|| Events::subscribe(&groups));
        let mut events = events.unwrap().unwrap();
        let wait = async {
            while !is(&self.table(table).await) {
                events.next().await.unwrap();
            }
        };
        let patience = Duration::from_secs(20);
        if tokio::time::timeout(patience, wait).await.is_err() {
            let (there, main) = (self.table(table).await, self.table(254).await);
            panic!("table {table} does not come to be as it shall: {there:#?}; main: {main:#?}");
        }
    }

    /// Our rules, one a line.
    pub(crate) async fn own_rules(&self) -> Vec<String> {
        let mut rules = self.rules().await;
        rules.retain(|rule| rule.protocol == FPS_ROUTE_PROTOCOL);
        rules.iter().map(ToString::to_string).collect()
    }

    /// Gives an interface one more address.
    pub(crate) async fn add_address(&self, link: IfIndex, net: &str) {
        let address = Address::new(link, net.parse().unwrap());
        self.netlink.add_address(&address).await.unwrap();
    }

    /// The rules of both families.
    pub(crate) async fn rules(&self) -> Vec<Rule> {
        let mut rules = Vec::new();
        for family in Family::BOTH {
            rules.extend(self.netlink.rules(family).await.unwrap());
        }
        rules
    }

    /// Our routes, as text.
    pub(crate) async fn own_routes(&self) -> Vec<String> {
        let mut own = self.routes().await;
        own.retain(|route| route.protocol == FPS_ROUTE_PROTOCOL);
        own.iter().map(|route| route.to.to_string()).collect()
    }

    /// Addresses and routes but for those that the kernel made by itself.
    pub(crate) async fn state(&self) -> State {
        let link = self
            .netlink
            .link_by_index(self.fpsc0)
            .await
            .unwrap()
            .unwrap();
        let addresses = self.netlink.addresses(Some(self.fpsc0)).await.unwrap();
        let addresses = addresses.iter().filter(|address| !address.automatic);
        let mut routes = self.routes().await;
        let by_kernel = |route: &Route| route.protocol == RouteProtocol::Kernel;
        // Of IPv6 it makes some later by itself.
        let lan = |route: &Route| route.link == Some(self.lan) && route.to.addr().is_ipv4();
        routes.retain(|route| !by_kernel(route) || lan(route));
        State {
            link,
            rules: self.rules().await,
            addresses: addresses.map(|address| address.net.to_string()).collect(),
            routes: routes
                .iter()
                .map(|route| format!("{route} {:?}", route.protocol))
                .collect(),
        }
    }
}

/// Tells systemd-resolved, which is the test's own, whatever this machine has; and where there is an
/// `fps-dns` it is kept from the machine's own file.
pub(crate) fn own_resolvers(command: &mut Command, folder: &Path) {
    command.env("FPS_ROUTE_DNS_BACKEND", "resolved");
    command.env("FPS_DNS_STATE_DIR", folder.join("fps-dns"));
    command.env("FPS_DNS_RESOLV_CONF", folder.join("resolv.conf"));
}
