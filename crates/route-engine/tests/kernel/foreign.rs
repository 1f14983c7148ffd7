//! What other programs set.

use fps_netlink::{ProtocolName, Route, RouteProtocol};
use fps_netns::testing::with_namespaces;

use crate::host::Host;

/// Puts a route of another program's in the way, and asks for the same destination.
async fn assert_refuses(host: &Host, theirs: Route, line: &str) {
    let (to, protocol) = (theirs.to, theirs.protocol);
    if protocol != RouteProtocol::Kernel {
        host.netlink.add_route(&theirs).await.unwrap();
    }
    let before = host.state().await;
    let complaint = host.fail(&format!("apply --tun fpsc0 {line} --route {to}"), 5);
    let named = format!("the route `{theirs} proto {}`", ProtocolName(protocol))
        .replace(&format!("(index {})", host.lan), "dev lan0");
    let named = named.replace(&format!("(index {})", host.fpsc0), "dev fpsc0");
    for part in [
        &named,
        "nothing has changed",
        &format!("(protocol {})", ProtocolName(protocol)),
    ] {
        assert!(complaint.contains(part), "{part}: {complaint}");
    }
    host.succeed(&format!("cleanup --tun fpsc0 --route {to}"));
    assert_eq!(host.state().await, before, "{to}");
}

#[test]
fn never_takes_the_place_of_another_programs_route() {
    with_namespaces(
        "foreign::never_takes_the_place_of_another_programs_route",
        async || {
            let mut host = Host::new().await;
            host.add_lan().await;
            let new = "--tun-address 10.66.0.2/30 --mtu 1280";
            let mut connected = Route::new("192.0.2.0/24".parse().unwrap()).on_link(host.lan);
            connected.protocol = RouteProtocol::Kernel;
            assert_refuses(&host, connected, new).await;
            let gateway = "192.0.2.1".parse().unwrap();
            for (to, protocol) in [
                ("0.0.0.0/0", RouteProtocol::Dhcp),
                ("10.9.0.0/16", RouteProtocol::Static),
            ] {
                let mut route = Route::new(to.parse().unwrap())
                    .via(gateway)
                    .on_link(host.lan);
                route.protocol = protocol;
                assert_refuses(&host, route, new).await;
            }
        },
    );
}

#[test]
fn leaves_the_route_of_its_own_address_to_the_kernel() {
    with_namespaces(
        "foreign::leaves_the_route_of_its_own_address_to_the_kernel",
        async || {
            let host = Host::new().await;
            let line = "apply --tun fpsc0 --tun-address 10.66.0.2/30 --route 10.66.0.0/30";
            host.succeed(line);
            host.succeed(line);
            assert!(host.own_routes().await.is_empty());
            let to = "10.66.0.0/30".parse().unwrap();
            assert!(host.routes().await.iter().any(|route| route.to == to));
        },
    );
}
