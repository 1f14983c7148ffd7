//! Another address for the device, while routes lead into it.

use fps_netlink::{Events, Group};
use fps_netns::testing::with_namespaces;

use crate::host::Host;

#[test]
fn a_changed_address_leaves_the_routes_where_they_are() {
    with_namespaces(
        "address::a_changed_address_leaves_the_routes_where_they_are",
        async || {
            for [old, new] in [
                // Of one subnet, of another, and of the same with another length.
                ["10.66.0.2/24", "10.66.0.3/24"],
                ["10.66.0.2/30", "10.66.0.6/30"],
                ["10.66.0.2/24", "10.66.0.2/30"],
                ["fd66::2/64", "fd66::3/64"],
                ["10.66.0.2/32", "10.66.0.3/32"],
            ] {
                let mut host = Host::new().await;
                host.add_lan().await;
                let options = "--full-tunnel --except-fwmark 17 --no-dns";
                let apply =
                    |address| format!("apply --tun fpsc0 --tun-address {address} {options}");
                host.succeed(&apply(old));
                let before = host.state().await;
                let mut events = host
                    .namespace
                    .within(|| Events::subscribe(&[Group::RouteV4, Group::RouteV6]))
                    .unwrap()
                    .unwrap();
                let printed = host.succeed(&apply(new));
                let taken = format!("addr del {old} dev fpsc0");
                assert!(printed.contains(&taken), "{printed}");
                let after = host.state().await;
                assert_eq!(after.addresses, [new]);
                assert_eq!(after.routes, before.routes, "{old} {new}");
                // Of routes that go with the last address there is no event but for each anew.
                while let Some(event) = events.next_at_hand().unwrap() {
                    let ours = format!("{event:?}").contains("Other(70)");
                    assert!(!ours, "{old} {new}: {event:?}");
                }
            }
        },
    );
}

#[test]
fn without_any_ipv4_address_left_the_routes_come_back() {
    with_namespaces(
        "address::without_any_ipv4_address_left_the_routes_come_back",
        async || {
            let host = Host::new().await;
            let options = "--full-tunnel --except-fwmark 17 --no-dns";
            host.succeed(&format!(
                "apply --tun fpsc0 --tun-address 10.66.0.2/30 {options}"
            ));
            let before = host.own_routes().await;
            host.succeed(&format!(
                "apply --tun fpsc0 --tun-address fd66::2/64 {options}"
            ));
            assert_eq!(host.own_routes().await, before);
            assert_eq!(host.state().await.addresses, ["fd66::2/64"]);
        },
    );
}
