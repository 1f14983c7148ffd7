//! `watch`, where others are in its way: in its routes, behind its resolver, at the end of its pipe.

use std::time::Duration;

use fps_netlink::{Address, FPS_ROUTE_PROTOCOL, Route};
use fps_netns::testing::with_namespaces;
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::Signal;

use crate::host::{BUS, Host};
use crate::resolver::Resolver;
use crate::watcher::Watcher;

const FULL: &str = "--tun fpsc0 --full-tunnel --keep-lan --except-fwmark 17 --no-dns";

#[test]
fn takes_a_place_back_once_it_is_free() {
    with_namespaces("hindered::takes_a_place_back_once_it_is_free", async || {
        let mut host = Host::new().await;
        host.add_lan().await;
        let line = "--tun fpsc0 --route 10.66.1.0/24 --no-dns";
        let watcher = Watcher::start(&host, line);
        // `ip route replace` does not ask whose a route is.
        let theirs = Route::new("10.66.1.0/24".parse().unwrap()).on_link(host.lan);
        host.netlink.replace_route(&theirs).await.unwrap();
        let failed = watcher.wait_for("failed")["error"].to_string();
        assert!(failed.contains("10.66.1.0/24 dev lan0"), "{failed}");
        assert_eq!(host.own_routes().await, [""; 0]);
        host.netlink.delete_route(&theirs).await.unwrap();
        watcher.wait_for("recovered");
        assert_eq!(host.own_routes().await, ["10.66.1.0/24"]);
    });
}

#[test]
fn sets_an_address_of_ipv6_again() {
    with_namespaces("hindered::sets_an_address_of_ipv6_again", async || {
        let host = Host::new().await;
        let watcher = Watcher::start(&host, "--tun fpsc0 --tun-address fd66::2/64 --no-dns");
        let before = host.state().await;
        let address = Address::new(host.fpsc0, "fd66::2/64".parse().unwrap());
        host.netlink.delete_address(&address).await.unwrap();
        watcher.until(async || host.state().await == before).await;
    });
}

#[test]
fn follows_the_lan_while_the_resolver_hangs() {
    with_namespaces(
        "hindered::follows_the_lan_while_the_resolver_hangs",
        async || {
            let mut host = Host::new().await;
            let resolver = Resolver::of(&host);
            host.add_lan().await;
            let line = FULL.replace("--no-dns", "--dns 10.66.0.1 --dns-domain fps.test");
            let watcher = Watcher::start_with(&host, &line, |command| {
                command
                    .env(BUS, resolver.address())
                    .env("FPS_ROUTE_RESOLVED_DIR", resolver.folder())
            });
            let hanging = resolver.hang();
            resolver.forget_domains();
            // It has begun to ask, and will wait.
            hanging.recv_timeout(Duration::from_secs(20)).unwrap();
            host.add_address(host.lan, "10.0.7.23/24").await;
            let copy = "10.0.7.0/24 dev lan0 src 10.0.7.23".to_owned();
            watcher
                .until(async || host.table(101).await.contains(&copy))
                .await;
            // Then the patience is at an end, and it is told.
            let failed = watcher.wait_for("failed")["error"].to_string();
            assert!(failed.contains("no answer within 5s"), "{failed}");
        },
    );
}

/// systemd-resolved writes its files before it is on the bus: nothing tells of the moment when it is.
#[test]
fn sets_a_resolver_that_comes_late() {
    with_namespaces("hindered::sets_a_resolver_that_comes_late", async || {
        let host = Host::new().await;
        let resolver = Resolver::of(&host);
        let line = "--tun fpsc0 --route 10.66.1.0/24 --dns 10.66.0.1 --dns-domain ~fps.test";
        let watcher = Watcher::start_with(&host, line, |command| {
            command
                .env(BUS, resolver.address())
                .env("FPS_ROUTE_RESOLVED_DIR", resolver.folder())
        });
        resolver.said();
        resolver.refuse("GetLink", "org.freedesktop.DBus.Error.ServiceUnknown");
        resolver.forget_domains();
        let failed = watcher.wait_for("failed")["error"].to_string();
        assert!(failed.contains("is not running"), "{failed}");
        // That the kernel has all of it says nothing of the resolver.
        for route in host.routes().await {
            if route.protocol == FPS_ROUTE_PROTOCOL {
                host.netlink.delete_route(&route).await.unwrap();
            }
        }
        watcher.wait_for("restored");
        resolver.permit();
        watcher.wait_for("recovered");
        assert_eq!(resolver.said(), "domain fpsc0 ~fps.test\n");
    });
}

#[test]
fn follows_the_lan_while_nobody_reads_its_lines() {
    with_namespaces(
        "hindered::follows_the_lan_while_nobody_reads_its_lines",
        async || {
            let mut host = Host::new().await;
            host.add_lan().await;
            let child = Watcher::spawn(&host, FULL, |command| command);
            fcntl(child.output(), FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
            // With at least two lines each they are more than a pipe and a queue hold.
            for at in 0..700 {
                let net = format!("10.{}.{}", 100 + at / 200, at % 200);
                let copy = format!("{net}.0/24 dev lan0 src {net}.1");
                host.add_address(host.lan, &format!("{net}.1/24")).await;
                host.until_table(101, |lines| lines.contains(&copy)).await;
                let address = format!("{net}.1/24").parse().unwrap();
                let address = Address::new(host.lan, address);
                host.netlink.delete_address(&address).await.unwrap();
                host.until_table(101, |lines| !lines.contains(&copy)).await;
            }
            let mut watcher = Watcher::read(child);
            watcher.wait_for("ready");
            // Nothing more happens, and it tells all the same.
            let late = watcher.wait_for_one("count", |said| said["dropped"].is_u64());
            assert!(late["dropped"].as_u64().unwrap() > 0, "{late}");
            assert_eq!(watcher.end(Signal::SIGTERM).code(), Some(0));
        },
    );
}
