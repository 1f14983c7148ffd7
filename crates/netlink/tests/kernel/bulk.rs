//! Many routes at once.

use std::net::Ipv4Addr;

use fps_netlink::{Bulk, Family, IfIndex, Route, RouteFilter, RouteRequest, TableId};
use fps_netns::testing::with_namespaces;
use ipnet::{IpNet, Ipv4Net};
use nix::errno::Errno;

use crate::host::{Host, TABLE};

/// So many single hosts from 10.0.0.0 upwards.
pub(crate) fn routes(link: IfIndex, count: u32) -> Vec<Route> {
    let first = u32::from(Ipv4Addr::new(10, 0, 0, 0));
    let net = |at| IpNet::V4(Ipv4Net::from(Ipv4Addr::from(first + at)));
    let route = |at| Route::new(net(at)).on_link(link).in_table(TABLE);
    (0..count).map(route).collect()
}

#[test]
fn says_which_of_many_are_refused_and_does_the_others() {
    with_namespaces(
        "bulk::says_which_of_many_are_refused_and_does_the_others",
        async || {
            let host = Host::new().await;
            host.netlink.set_up(host.br0).await.unwrap();
            let bulk = host.namespace.within(Bulk::open).unwrap().unwrap();
            assert_eq!(bulk.change(&[]).unwrap(), []);
            let routes = routes(host.br0, 2000);
            for at in [0, 511, 512, 1999] {
                host.netlink.add_route(&routes[at]).await.unwrap();
            }
            let add: Vec<_> = routes.iter().map(RouteRequest::Add).collect();
            let refused = bulk.change(&add).unwrap();
            let there = [0, 511, 512, 1999].map(|at| (at, Errno::EEXIST));
            assert_eq!(refused, there);
            assert_eq!(host.routes(Family::V4, TABLE).await, routes);
            // A whole send of refusals fits the receive buffer.
            let refused = bulk.change(&add).unwrap();
            assert_eq!(refused.len(), routes.len());
            let delete: Vec<_> = routes[..1999].iter().map(RouteRequest::Delete).collect();
            assert_eq!(bulk.change(&delete).unwrap(), []);
            assert_eq!(host.routes(Family::V4, TABLE).await, routes[1999..]);
            let refused = bulk.change(&delete[..1]).unwrap();
            assert_eq!(refused, [(0, Errno::ESRCH)]);
        },
    );
}

#[test]
fn appends_behind_and_replaces_the_first() {
    with_namespaces("bulk::appends_behind_and_replaces_the_first", async || {
        let host = Host::new().await;
        host.netlink.set_up(host.br0).await.unwrap();
        let bulk = host.namespace.within(Bulk::open).unwrap().unwrap();
        for (family, net) in [(Family::V4, "192.0.2.0/24"), (Family::V6, "fd00:9::/64")] {
            let first = Route::new(net.parse().unwrap()).on_link(host.br0);
            let first = first.in_table(TABLE);
            let lo = IfIndex::LOOPBACK;
            host.netlink.set_up(lo).await.unwrap();
            let second = first.clone().on_link(lo);
            let requests = [RouteRequest::Add(&first), RouteRequest::Append(&second)];
            assert_eq!(bulk.change(&requests).unwrap(), []);
            let links = async || {
                let routes = host.routes(family, TABLE).await;
                routes.iter().map(|r| r.link.unwrap()).collect::<Vec<_>>()
            };
            assert_eq!(links().await, [host.br0, lo]);
            let add = [RouteRequest::Add(&second)];
            assert_eq!(bulk.change(&add).unwrap(), [(0, Errno::EEXIST)]);
            bulk.change(&[RouteRequest::Delete(&second)]).unwrap();
            let replaced = bulk.change(&[RouteRequest::Replace(&second)]).unwrap();
            assert_eq!(replaced, []);
            assert_eq!(links().await, [lo]);
        }
    });
}

#[test]
fn reads_what_one_request_after_the_other_reads() {
    with_namespaces(
        "bulk::reads_what_one_request_after_the_other_reads",
        async || {
            let host = Host::new().await;
            host.netlink.set_up(host.br0).await.unwrap();
            let bulk = host.namespace.within(Bulk::open).unwrap().unwrap();
            let filter = |family, table| RouteFilter { family, table };
            let missing = filter(Family::V4, Some(TABLE));
            assert_eq!(bulk.routes(missing).unwrap(), []);
            let routes = routes(host.br0, 3000);
            let add: Vec<_> = routes.iter().map(RouteRequest::Add).collect();
            assert_eq!(bulk.change(&add).unwrap(), []);
            host.add_address("fd00::1/64").await;
            for family in Family::BOTH {
                for table in [Some(TABLE), Some(TableId::MAIN), None] {
                    let filter = filter(family, table);
                    let expected = host.netlink.routes(filter).await.unwrap();
                    assert_eq!(bulk.routes(filter).unwrap(), expected, "{filter}");
                }
            }
        },
    );
}
