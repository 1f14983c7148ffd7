//! Addresses, MTU and routes of the main table.

use std::process::Command;

use fps_netlink::Route;
use fps_netns::sysctl;
use fps_netns::testing::{with_namespaces, without_capabilities};

use crate::host::Host;

const OPTIONS: &str = "--tun fpsc0 --tun-address 10.66.0.2/30 --tun-address fd66::2/64 --mtu 1280 \
    --route 10.66.1.0/24 --route fd66:1::/48";

#[test]
fn applies_what_it_prints() {
    with_namespaces("split::applies_what_it_prints", async || {
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
    with_namespaces("split::applied_twice_is_as_applied_once", async || {
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
        "split::cleans_up_what_it_applied_and_may_do_so_twice",
        async || {
            let host = Host::new().await;
            let before = host.state().await;
            host.succeed(&format!("apply {OPTIONS}"));
            assert_ne!(host.state().await, before);
            let printed = host.succeed(&format!("cleanup {OPTIONS} --down"));
            let expected = "\
# fps_linux_route action=cleanup tun=fpsc0 execute=true
+ resolvectl revert fpsc0
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
    with_namespaces("split::without_down_the_device_stays_up", async || {
        let host = Host::new().await;
        host.succeed(&format!("apply {OPTIONS}"));
        host.succeed(&format!("cleanup {OPTIONS}"));
        let state = host.state().await;
        assert!(state.link.up && state.addresses.is_empty() && state.routes.is_empty());
    });
}

#[test]
fn cleans_up_after_a_device_that_is_gone() {
    with_namespaces("split::cleans_up_after_a_device_that_is_gone", async || {
        let host = Host::new().await;
        host.succeed(&format!("apply {OPTIONS}"));
        host.netlink.delete_link(host.fpsc0).await.unwrap();
        host.succeed(&format!("cleanup {OPTIONS} --down"));
    });
}

#[test]
fn leaves_another_programs_route_alone() {
    with_namespaces("split::leaves_another_programs_route_alone", async || {
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
    with_namespaces("split::a_missing_device_changes_nothing", async || {
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
    with_namespaces(
        "split::a_usage_error_and_a_dry_run_change_nothing",
        async || {
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
        },
    );
}

#[test]
fn names_the_capability_that_is_missing() {
    with_namespaces("split::names_the_capability_that_is_missing", async || {
        let host = Host::new().await;
        host.succeed(&format!("apply {OPTIONS}"));
        let before = host.state().await;
        for (action, command) in [
            ("apply", "ip addr replace 10.66.0.6/30 dev fpsc0"),
            ("cleanup", "ip route del 10.66.1.0/24 dev fpsc0"),
        ] {
            let mut fps_route = Command::new(env!("CARGO_BIN_EXE_fps-route"));
            fps_route.arg(action).args(OPTIONS.split(' '));
            // What stands already needs no capability.
            fps_route.args(["--tun-address", "10.66.0.6/30"]);
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
fn asks_for_the_capability_before_anything_else() {
    with_namespaces(
        "split::asks_for_the_capability_before_anything_else",
        async || {
            let host = Host::new().await;
            for action in ["apply", "cleanup", "watch"] {
                // Root gets no more than its bounding set when it runs a program (capabilities(7)).
                let mut without = Command::new("setpriv");
                without.args([
                    "--bounding-set=-all",
                    env!("CARGO_BIN_EXE_fps-route"),
                    action,
                ]);
                // Nor may an ordinary user write the records.
                without.args(["--state-dir", "/proc/nowhere"]);
                without.args(OPTIONS.split(' '));
                let output = host.spawn(&mut without);
                let complaint = String::from_utf8(output.stderr).unwrap();
                let expected = format!(
                    "fps-route: `fps-route {action}` needs the capability CAP_NET_ADMIN: run \
                     fps-route as root\n"
                );
                assert_eq!(complaint, expected);
                assert_eq!(output.status.code(), Some(4));
            }
        },
    );
}

#[test]
fn says_which_operation_failed_and_rolls_back() {
    with_namespaces(
        "split::says_which_operation_failed_and_rolls_back",
        async || {
            let host = Host::new().await;
            let before = host.state().await;
            let complaint = host.fail(
            // A kernel rule: ::1 is the loopback device's alone.
            "apply --tun fpsc0 --tun-address 10.66.0.2/30 --tun-address ::1/128 --route 0.0.0.0/0",
            3,
        );
            let expected = "fps-route: `ip -6 addr replace ::1/128 dev fpsc0` failed: Cannot assign \
                        requested address; rolled back: the machine is as before\n";
            assert_eq!(complaint, expected);
            assert_eq!(host.state().await, before);
        },
    );
}

#[test]
fn says_that_ipv6_is_switched_off() {
    with_namespaces("split::says_that_ipv6_is_switched_off", async || {
        let host = Host::new().await;
        let key = "net/ipv6/conf/fpsc0/disable_ipv6";
        host.namespace
            .within(|| sysctl::write(key, "1"))
            .unwrap()
            .unwrap();
        let complaint = host.fail("apply --tun fpsc0 --tun-address fd66::2/64", 3);
        let expected = "fps-route: `ip -6 addr replace fd66::2/64 dev fpsc0` failed: IPv6 is \
                        switched off on fpsc0; switch it on with \
                        `sysctl -w net/ipv6/conf/fpsc0/disable_ipv6=0`; \
                        rolled back: the machine is as before\n";
        assert_eq!(complaint, expected);
        host.succeed("cleanup --tun fpsc0 --tun-address fd66::2/64 --route fd66:1::/48");
    });
}

#[test]
fn cleans_up_ipv6_on_a_device_too_small_for_it() {
    with_namespaces(
        "split::cleans_up_ipv6_on_a_device_too_small_for_it",
        async || {
            let host = Host::new().await;
            host.netlink.set_mtu(host.fpsc0, 1000).await.unwrap();
            host.succeed("cleanup --tun fpsc0 --tun-address fd66::2/64 --route fd66:1::/48");
        },
    );
}
