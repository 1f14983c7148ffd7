//! What the command does to a host's network, in namespaces of its own.

use std::os::fd::AsFd;
use std::process::{Command, Output};

use fps_netlink::{
    FPS_ROUTE_PROTOCOL, Family, IfIndex, Link, LinkName, Netlink, Route, RouteFilter,
    RouteProtocol, TableId, VethPair,
};
use fps_netns::testing::{with_namespaces, without_capabilities};
use fps_netns::{Namespace, sysctl};

const OPTIONS: &str = "--tun fpsc0 --tun-address 10.66.0.2/30 --tun-address fd66::2/64 --mtu 1280 \
    --route 10.66.1.0/24 --route fd66:1::/48";

/// A host with a device `fpsc0`, whose far end is in a namespace of its own.
struct Host {
    namespace: Namespace,
    netlink: Netlink,
    fpsc0: IfIndex,
    _far: Namespace,
}

/// What of a host's network `fps-route` may touch.
#[derive(Debug, PartialEq)]
struct State {
    link: Link,
    addresses: Vec<String>,
    routes: Vec<String>,
}

fn name(text: &str) -> LinkName {
    text.parse().unwrap()
}

impl Host {
    async fn new() -> Self {
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
            namespace,
            netlink,
            fpsc0,
            _far: far,
        }
    }

    /// Runs `fps-route` on this host.
    fn run(&self, line: &str) -> Output {
        self.spawn(Command::new(env!("CARGO_BIN_EXE_fps-route")).args(line.split(' ')))
    }

    fn spawn(&self, command: &mut Command) -> Output {
        self.namespace
            .within(|| command.output())
            .unwrap()
            .expect("run fps-route")
    }

    /// Runs `fps-route`, which must succeed without a word on standard error.
    fn succeed(&self, line: &str) -> String {
        let output = self.run(line);
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.success() && complaint.is_empty(),
            "{line}: {complaint}"
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs `fps-route`, which must fail with this code.
    fn fail(&self, line: &str, code: i32) -> String {
        let output = self.run(line);
        assert_eq!(output.status.code(), Some(code), "{line}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    async fn routes(&self) -> Vec<Route> {
        let mut routes = Vec::new();
        for family in Family::BOTH {
            let filter = RouteFilter {
                family,
                table: Some(TableId::MAIN),
            };
            routes.extend(self.netlink.routes(filter).await.unwrap());
        }
        routes.retain(|route| route.link == Some(self.fpsc0));
        routes
    }

    /// Our routes, as text.
    async fn own_routes(&self) -> Vec<String> {
        let mut own = self.routes().await;
        own.retain(|route| route.protocol == FPS_ROUTE_PROTOCOL);
        own.iter().map(|route| route.to.to_string()).collect()
    }

    /// Addresses and routes but for those that the kernel made by itself.
    async fn state(&self) -> State {
        let link = self
            .netlink
            .link_by_index(self.fpsc0)
            .await
            .unwrap()
            .unwrap();
        let addresses = self.netlink.addresses(Some(self.fpsc0)).await.unwrap();
        let addresses = addresses.iter().filter(|address| !address.automatic);
        let mut routes = self.routes().await;
        routes.retain(|route| route.protocol != RouteProtocol::Kernel);
        State {
            link,
            addresses: addresses.map(|address| address.net.to_string()).collect(),
            routes: routes
                .iter()
                .map(|route| format!("{route} {:?}", route.protocol))
                .collect(),
        }
    }
}

#[test]
fn applies_what_it_prints() {
    with_namespaces("applies_what_it_prints", async || {
        let host = Host::new().await;
        let printed = host.succeed(&format!("apply {OPTIONS}"));
        let expected = "\
# fps_linux_route action=apply tun=fpsc0 execute=true
+ ip addr replace 10.66.0.2/30 dev fpsc0
+ ip -6 addr replace fd66::2/64 dev fpsc0
+ ip link set dev fpsc0 mtu 1280
+ ip link set dev fpsc0 up
+ ip route replace 10.66.1.0/24 dev fpsc0
+ ip -6 route replace fd66:1::/48 dev fpsc0
";
        assert_eq!(printed, expected);
        let state = host.state().await;
        assert_eq!((state.link.up, state.link.mtu), (true, 1280));
        assert_eq!(state.addresses, ["10.66.0.2/30", "fd66::2/64"]);
        assert_eq!(host.own_routes().await, ["10.66.1.0/24", "fd66:1::/48"]);
        let connected = host.routes().await;
        assert!(
            connected
                .iter()
                .any(|route| route.to == "10.66.0.0/30".parse().unwrap())
        );
    });
}

#[test]
fn applied_twice_is_as_applied_once() {
    with_namespaces("applied_twice_is_as_applied_once", async || {
        let host = Host::new().await;
        host.succeed(&format!("apply {OPTIONS}"));
        let once = host.state().await;
        host.succeed(&format!("apply {OPTIONS}"));
        assert_eq!(host.state().await, once);
    });
}

#[test]
fn cleans_up_what_it_applied_and_may_do_so_twice() {
    with_namespaces(
        "cleans_up_what_it_applied_and_may_do_so_twice",
        async || {
            let host = Host::new().await;
            let before = host.state().await;
            host.succeed(&format!("apply {OPTIONS}"));
            assert_ne!(host.state().await, before);
            let printed = host.succeed(&format!("cleanup {OPTIONS} --down"));
            let expected = "\
# fps_linux_route action=cleanup tun=fpsc0 execute=true
+ ip route del 10.66.1.0/24 dev fpsc0
+ ip -6 route del fd66:1::/48 dev fpsc0
+ ip addr del 10.66.0.2/30 dev fpsc0
+ ip -6 addr del fd66::2/64 dev fpsc0
+ ip link set dev fpsc0 down
";
            assert_eq!(printed, expected);
            let mut after = host.state().await;
            assert_eq!(after.link.mtu, 1280, "an MTU has no opposite");
            after.link.mtu = before.link.mtu;
            assert_eq!(after, before);
            assert_eq!(host.succeed(&format!("cleanup {OPTIONS} --down")), expected);
        },
    );
}

#[test]
fn without_down_the_device_stays_up() {
    with_namespaces("without_down_the_device_stays_up", async || {
        let host = Host::new().await;
        host.succeed(&format!("apply {OPTIONS}"));
        host.succeed(&format!("cleanup {OPTIONS}"));
        let state = host.state().await;
        assert!(state.link.up && state.addresses.is_empty() && state.routes.is_empty());
    });
}

#[test]
fn cleans_up_after_a_device_that_is_gone() {
    with_namespaces("cleans_up_after_a_device_that_is_gone", async || {
        let host = Host::new().await;
        host.succeed(&format!("apply {OPTIONS}"));
        host.netlink.delete_link(host.fpsc0).await.unwrap();
        host.succeed(&format!("cleanup {OPTIONS} --down"));
    });
}

#[test]
fn leaves_another_programs_route_alone() {
    with_namespaces("leaves_another_programs_route_alone", async || {
        let host = Host::new().await;
        host.netlink.set_up(host.fpsc0).await.unwrap();
        for net in ["10.66.1.0/24", "fd66:1::/48"] {
            let theirs = Route::new(net.parse().unwrap()).on_link(host.fpsc0);
            host.netlink.add_route(&theirs).await.unwrap();
        }
        let before = host.state().await;
        assert_eq!(before.routes.len(), 2);
        host.succeed(&format!("cleanup {OPTIONS}"));
        assert_eq!(host.state().await, before);
    });
}

#[test]
fn a_missing_device_changes_nothing() {
    with_namespaces("a_missing_device_changes_nothing", async || {
        let host = Host::new().await;
        let before = host.state().await;
        let complaint = host.fail("apply --tun fpsc9 --route 10.66.1.0/24", 2);
        let expected = "fps-route: there is no interface `fpsc9` in this network namespace: start \
                        the tunnel first, or name its device with --tun\n";
        assert_eq!(complaint, expected);
        assert_eq!(host.state().await, before);
    });
}

#[test]
fn a_usage_error_and_a_dry_run_change_nothing() {
    with_namespaces("a_usage_error_and_a_dry_run_change_nothing", async || {
        let host = Host::new().await;
        let before = host.state().await;
        host.fail(&format!("apply {OPTIONS} --route 10.66.1.5/24"), 2);
        host.succeed(&format!("plan {OPTIONS}"));
        host.succeed(&format!("apply {OPTIONS} --dry-run"));
        assert_eq!(host.state().await, before);
        host.succeed(&format!("apply {OPTIONS}"));
        let applied = host.state().await;
        host.succeed(&format!("cleanup {OPTIONS} --dry-run --down"));
        assert_eq!(host.state().await, applied);
    });
}

#[test]
fn names_the_capability_that_is_missing() {
    with_namespaces("names_the_capability_that_is_missing", async || {
        let host = Host::new().await;
        host.succeed(&format!("apply {OPTIONS}"));
        let before = host.state().await;
        for (action, command) in [
            ("apply", "ip addr replace 10.66.0.2/30 dev fpsc0"),
            ("cleanup", "ip route del 10.66.1.0/24 dev fpsc0"),
        ] {
            let mut fps_route = Command::new(env!("CARGO_BIN_EXE_fps-route"));
            fps_route.arg(action).args(OPTIONS.split(' '));
            let output = host.spawn(without_capabilities(&mut fps_route));
            let complaint = String::from_utf8(output.stderr).unwrap();
            let expected = format!(
                "fps-route: `{command}` needs the capability CAP_NET_ADMIN: run fps-route as root\n"
            );
            assert_eq!(complaint, expected);
            assert_eq!(output.status.code(), Some(4));
        }
        assert_eq!(host.state().await, before);
    });
}

#[test]
fn says_which_operation_failed_and_what_stays() {
    with_namespaces("says_which_operation_failed_and_what_stays", async || {
        let host = Host::new().await;
        let complaint = host.fail(
            // A kernel rule: ::1 is the loopback device's alone.
            "apply --tun fpsc0 --tun-address 10.66.0.2/30 --tun-address ::1/128 --route 0.0.0.0/0",
            1,
        );
        let expected = "fps-route: `ip -6 addr replace ::1/128 dev fpsc0` failed: Cannot assign \
                        requested address\n\
                        fps-route: what came before it stays: `fps-route cleanup` with the same \
                        options takes it away\n";
        assert_eq!(complaint, expected);
        let state = host.state().await;
        assert_eq!(state.addresses, ["10.66.0.2/30"]);
        assert!(
            !state.link.up && state.routes.is_empty(),
            "it went on after a failure"
        );
    });
}

#[test]
fn says_that_ipv6_is_switched_off() {
    with_namespaces("says_that_ipv6_is_switched_off", async || {
        let host = Host::new().await;
        let key = "net/ipv6/conf/fpsc0/disable_ipv6";
        host.namespace
            .within(|| sysctl::write(key, "1"))
            .unwrap()
            .unwrap();
        let complaint = host.fail("apply --tun fpsc0 --tun-address fd66::2/64", 1);
        let expected = "fps-route: `ip -6 addr replace fd66::2/64 dev fpsc0` failed: IPv6 is \
                        switched off on fpsc0; switch it on with \
                        `sysctl -w net/ipv6/conf/fpsc0/disable_ipv6=0`\n";
        assert_eq!(complaint, expected);
        host.succeed("cleanup --tun fpsc0 --tun-address fd66::2/64 --route fd66:1::/48");
    });
}

#[test]
fn cleans_up_ipv6_on_a_device_too_small_for_it() {
    with_namespaces("cleans_up_ipv6_on_a_device_too_small_for_it", async || {
        let host = Host::new().await;
        host.netlink.set_mtu(host.fpsc0, 1000).await.unwrap();
        host.succeed("cleanup --tun fpsc0 --tun-address fd66::2/64 --route fd66:1::/48");
    });
}
