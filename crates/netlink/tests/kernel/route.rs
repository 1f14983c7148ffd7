//! Routes.

use fps_netlink::{FPS_ROUTE_PROTOCOL, Family, Flow, Route, RouteKind};
use fps_netns::testing::with_namespaces;
use nix::errno::Errno;

use crate::host::{Host, TABLE, ip};

#[test]
fn a_route_is_added_replaced_and_deleted() {
    with_namespaces("route::a_route_is_added_replaced_and_deleted", async || {
        let host = Host::new().await;
        for (family, net, to, gateways) in [
            (
                Family::V4,
                "10.0.0.1/24",
                "10.9.0.0/16",
                ["10.0.0.2", "10.0.0.3"],
            ),
            (
                Family::V6,
                "fd00::1/64",
                "fd09::/32",
                ["fd00::2", "fd00::3"],
            ),
        ] {
            host.add_address(net).await;
            let [first, second] = gateways.map(|gateway| Route {
                table: TABLE,
                metric: Some(5),
                protocol: FPS_ROUTE_PROTOCOL,
                ..Route::new(to.parse().unwrap())
                    .via(ip(gateway))
                    .on_link(host.br0)
            });
            host.netlink.add_route(&first).await.unwrap();
            assert_eq!(
                host.routes(family, TABLE).await,
                std::slice::from_ref(&first)
            );
            let again = host.netlink.add_route(&first).await.unwrap_err();
            assert_eq!(again.errno(), Some(Errno::EEXIST));
            host.netlink.replace_route(&second).await.unwrap();
            assert_eq!(
                host.routes(family, TABLE).await,
                std::slice::from_ref(&second)
            );
            host.netlink.delete_route(&second).await.unwrap();
            assert_eq!(host.routes(family, TABLE).await, []);
            let again = host.netlink.delete_route(&second).await.unwrap_err();
            assert_eq!(again.errno(), Some(Errno::ESRCH));
        }
    });
}

#[test]
fn a_service_and_a_gateway_beyond_all_subnets_are_told() {
    with_namespaces(
        "route::a_service_and_a_gateway_beyond_all_subnets_are_told",
        async || {
            let host = Host::new().await;
            host.add_address("10.0.0.1/24").await;
            let to = "10.9.0.0/16".parse().unwrap();
            let plain = Route {
                table: TABLE,
                ..Route::new(to).via(ip("10.0.0.2")).on_link(host.br0)
            };
            let (tos, onlink) = (0x10, true);
            let served = Route {
                tos,
                ..plain.clone()
            };
            let beyond = Route {
                metric: Some(7),
                onlink,
                ..plain.clone().via(ip("198.51.100.1"))
            };
            for route in [&plain, &served, &beyond] {
                host.netlink.add_route(route).await.unwrap();
            }
            let mut there = host.routes(Family::V4, TABLE).await;
            for route in [&served, &plain, &beyond] {
                assert!(there.contains(route), "{route:?}: {there:?}");
                host.netlink.delete_route(route).await.unwrap();
                there.retain(|other| other != route);
                assert_eq!(host.routes(Family::V4, TABLE).await, there);
            }
        },
    );
}

#[test]
fn tells_which_route_a_packet_takes() {
    with_namespaces("route::tells_which_route_a_packet_takes", async || {
        let host = Host::new().await;
        for (net, gateway, hole, within, beyond) in [
            (
                "10.0.0.1/24",
                "10.0.0.2",
                "10.6.0.0/16",
                "10.6.1.1",
                "10.7.0.1",
            ),
            ("fd00::1/64", "fd00::2", "fd06::/32", "fd06::1", "fd07::1"),
        ] {
            let nowhere = host.netlink.lookup(&Flow::to(ip(beyond))).await.unwrap();
            assert_eq!(nowhere, Err(Errno::ENETUNREACH));
            host.add_address(net).await;
            let all = if ip(net.split('/').next().unwrap()).is_ipv4() {
                "0.0.0.0/0"
            } else {
                "::/0"
            };
            let default = Route::new(all.parse().unwrap()).via(ip(gateway));
            host.netlink.add_route(&default).await.unwrap();
            let hole = Route {
                kind: RouteKind::BlackHole,
                ..Route::new(hole.parse().unwrap())
            };
            host.netlink.add_route(&hole).await.unwrap();
            let route = host
                .netlink
                .lookup(&Flow::to(ip(beyond)))
                .await
                .unwrap()
                .unwrap();
            assert_eq!(route.gateway, Some(ip(gateway)));
            assert_eq!(route.link, Some(host.br0));
            let swallowed = host.netlink.lookup(&Flow::to(ip(within))).await.unwrap();
            assert_eq!(swallowed, Err(Errno::EINVAL), "a blackhole's errno");
        }
    });
}

#[test]
fn a_table_that_does_not_exist_is_empty() {
    with_namespaces("route::a_table_that_does_not_exist_is_empty", async || {
        let host = Host::new().await;
        for family in Family::BOTH {
            assert_eq!(host.routes(family, TABLE).await, []);
        }
    });
}

#[test]
fn a_route_that_refuses_reads_as_it_was_written() {
    with_namespaces(
        "route::a_route_that_refuses_reads_as_it_was_written",
        async || {
            let host = Host::new().await;
            for (family, net) in [(Family::V4, "192.0.2.0/24"), (Family::V6, "fd00:9::/64")] {
                for kind in [
                    RouteKind::Throw,
                    RouteKind::Unreachable,
                    RouteKind::BlackHole,
                ] {
                    let route = Route {
                        metric: Some(7),
                        ..Route::new(net.parse().unwrap())
                    };
                    let route = route.in_table(TABLE).of_kind(kind);
                    host.netlink.add_route(&route).await.unwrap();
                    assert_eq!(
                        host.routes(family, TABLE).await,
                        std::slice::from_ref(&route)
                    );
                    host.netlink.delete_route(&route).await.unwrap();
                }
            }
        },
    );
}

#[test]
fn to_delete_one_leaves_those_with_another_metric() {
    with_namespaces(
        "route::to_delete_one_leaves_those_with_another_metric",
        async || {
            let host = Host::new().await;
            host.netlink.set_up(host.br0).await.unwrap();
            for (family, net) in [(Family::V4, "192.0.2.0/24"), (Family::V6, "fd00:9::/64")] {
                let default = Route::new(net.parse().unwrap()).on_link(host.br0);
                let default = default.in_table(TABLE);
                for metric in [5, 2000] {
                    let metric = Some(metric);
                    let other = Route {
                        metric,
                        ..default.clone()
                    };
                    host.netlink.add_route(&other).await.unwrap();
                }
                host.netlink.add_route(&default).await.unwrap();
                host.netlink.delete_route(&default).await.unwrap();
                let left = host.routes(family, TABLE).await;
                let metrics: Vec<_> = left.iter().map(|route| route.metric).collect();
                assert_eq!(metrics, [Some(5), Some(2000)]);
            }
        },
    );
}
