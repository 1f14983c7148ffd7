//! What `watch` keeps true.

use std::os::unix::net::UnixDatagram;

use fps_netlink::{Address, Bulk, FPS_ROUTE_PROTOCOL, Family, Route, RouteRequest, TableId};
use fps_netns::testing::with_namespaces;
use nix::sys::signal::Signal;

use crate::host::{BUS, Host, name};
use crate::resolver::Resolver;
use crate::watcher::{Watcher, commands};

const FULL: &str = "--tun fpsc0 --tun-address 10.66.0.2/30 --full-tunnel --keep-lan \
    --except-fwmark 17 --route 10.66.1.0/24 --bypass 203.0.113.10/32,192.0.2.1,lan0 --no-dns";

async fn host() -> Host {
    let mut host = Host::new().await;
    host.add_lan().await;
    host
}

impl Host {
    async fn remove_address(&self, net: &str) {
        let address = Address::new(self.lan, net.parse().unwrap());
        self.netlink.delete_address(&address).await.unwrap();
    }
}

#[test]
fn follows_the_lan_of_both_families() {
    with_namespaces("watch::follows_the_lan_of_both_families", async || {
        let host = host().await;
        let watcher = Watcher::start(&host, FULL);
        let [old, new, v6] = [
            "192.0.2.0/24 dev lan0 src 192.0.2.2",
            "10.0.7.0/24 dev lan0 src 10.0.7.23",
            "fd00:7::/64 dev lan0 metric 256",
        ];
        // Another subnet, and then not the first any more, as when a DHCP client renumbers.
        host.add_address(host.lan, "10.0.7.23/24").await;
        watcher
            .until(async || host.table(101).await == [new, old])
            .await;
        host.remove_address("192.0.2.2/24").await;
        watcher.until(async || host.table(101).await == [new]).await;
        host.add_address(host.lan, "fd00:7::23/64").await;
        watcher
            .until(async || host.table(101).await == [new, v6])
            .await;
        // A route goes, and its address stays.
        let connected = host.routes().await.into_iter();
        let connected = connected.filter(|route| route.table == TableId::MAIN);
        for route in connected.filter(|route| route.link == Some(host.lan)) {
            host.netlink.delete_route(&route).await.unwrap();
        }
        watcher
            .until(async || host.table(101).await == [""; 0])
            .await;
    });
}

#[test]
fn follows_a_metric_a_source_and_another_interface() {
    with_namespaces(
        "watch::follows_a_metric_a_source_and_another_interface",
        async || {
            let host = host().await;
            let watcher = Watcher::start(&host, FULL);
            let metric = |metric| Address {
                metric: Some(metric),
                ..Address::new(host.lan, "192.0.2.2/24".parse().unwrap())
            };
            host.netlink.replace_address(&metric(600)).await.unwrap();
            let line = "192.0.2.0/24 dev lan0 metric 600 src 192.0.2.2";
            watcher
                .until(async || host.table(101).await == [line])
                .await;
            let other = host.netlink.create_bridge(&"lan1".parse().unwrap()).await;
            other.unwrap();
            let lan1 = host
                .netlink
                .link(&"lan1".parse().unwrap())
                .await
                .unwrap()
                .unwrap();
            // A better way to the same subnet, and then the only one.
            host.add_address(lan1.index, "192.0.2.3/24").await;
            let (first, second) = (
                format!("192.0.2.0/24 (index {}) src 192.0.2.3", lan1.index),
                line,
            );
            watcher
                .until(async || host.table(101).await == [first.as_str(), second])
                .await;
            host.netlink.set_down(host.lan).await.unwrap();
            watcher
                .until(async || host.table(101).await == [first.as_str()])
                .await;
        },
    );
}

#[test]
fn follows_a_link_that_is_renamed() {
    with_namespaces("watch::follows_a_link_that_is_renamed", async || {
        let host = host().await;
        let options = FULL.replace("--bypass 203.0.113.10/32,192.0.2.1,lan0 ", "");
        let mut watcher = Watcher::start(&host, &options);
        host.netlink.set_down(host.lan).await.unwrap();
        watcher
            .until(async || host.table(101).await == [""; 0])
            .await;
        host.netlink.rename(host.lan, &name("wan7")).await.unwrap();
        host.netlink.set_up(host.lan).await.unwrap();
        let copy = "192.0.2.0/24 dev lan0 src 192.0.2.2";
        watcher
            .until(async || host.table(101).await == [copy])
            .await;
        let found = host.succeed("verify --tun fpsc0");
        assert!(found.contains("all stands"), "{found}");
        // What it says of the link is its new name.
        host.add_address(host.lan, "10.0.7.23/24").await;
        watcher.wait_for_one("copy by wan7", |said| {
            let done = said["commands"].is_array().then(|| commands(said));
            let mut done = done.into_iter().flatten();
            done.any(|it| it.contains("10.0.7.0/24 dev wan7"))
        });
        assert_eq!(watcher.end(Signal::SIGTERM).code(), Some(0));
    });
}

#[test]
fn sets_again_what_others_take_away() {
    with_namespaces("watch::sets_again_what_others_take_away", async || {
        let host = host().await;
        let watcher = Watcher::start(&host, FULL);
        let before = host.state().await;
        // As systemd-networkd does with rules that it does not know (systemd#19106).
        for rule in host.rules().await {
            if rule.protocol == FPS_ROUTE_PROTOCOL {
                host.netlink.delete_rule(&rule).await.unwrap();
            }
        }
        let same = async || host.state().await == before;
        watcher.until(same).await;
        for route in host.routes().await {
            if route.protocol == FPS_ROUTE_PROTOCOL {
                host.netlink.delete_route(&route).await.unwrap();
            }
        }
        watcher.until(same).await;
        // With the uplink the bypass goes, and without an event; with the uplink it comes back.
        host.netlink.set_down(host.lan).await.unwrap();
        watcher.wait_for("failed");
        host.netlink.set_up(host.lan).await.unwrap();
        watcher.until(same).await;
    });
}

#[test]
fn mends_all_else_while_the_link_of_a_bypass_is_down_or_gone() {
    let test = "watch::mends_all_else_while_the_link_of_a_bypass_is_down_or_gone";
    with_namespaces(test, async || {
        let host = host().await;
        let mut watcher = Watcher::start(&host, FULL);
        let rules = host.own_rules().await;
        let default = "0.0.0.0/0 dev fpsc0".to_owned();
        host.netlink.set_down(host.lan).await.unwrap();
        watcher.wait_for("failed");
        for gone in [false, true] {
            if gone {
                host.netlink.delete_link(host.lan).await.unwrap();
                watcher.wait_for("failed");
            }
            for rule in host.rules().await {
                if rule.protocol == FPS_ROUTE_PROTOCOL {
                    host.netlink.delete_rule(&rule).await.unwrap();
                }
            }
            for route in host.routes().await {
                if route.protocol == FPS_ROUTE_PROTOCOL && route.link == Some(host.fpsc0) {
                    host.netlink.delete_route(&route).await.unwrap();
                }
            }
            watcher
                .until(async || {
                    let stands = host.table(102).await.contains(&default);
                    stands && host.own_rules().await == rules
                })
                .await;
        }
        // A command is another thing: all, or nothing.
        assert_eq!(watcher.end(Signal::SIGTERM).code(), Some(0));
        let refused = host.fail(&format!("apply {FULL}"), 2);
        assert!(refused.contains("no interface `lan0`"), "{refused}");
        assert_eq!(host.own_rules().await, [""; 0]);
    });
}

#[test]
fn waits_for_a_device_that_is_made_anew() {
    with_namespaces("watch::waits_for_a_device_that_is_made_anew", async || {
        let mut host = host().await;
        let watcher = Watcher::start(&host, FULL);
        let rules = host.own_rules().await;
        host.netlink.delete_link(host.fpsc0).await.unwrap();
        watcher.wait_for("waiting");
        host.netlink
            .create_bridge(&"fpsc0".parse().unwrap())
            .await
            .unwrap();
        watcher.wait_for("recovered");
        let fpsc0 = host.netlink.link(&"fpsc0".parse().unwrap()).await.unwrap();
        host.fpsc0 = fpsc0.unwrap().index;
        assert_eq!(host.own_rules().await, rules);
        assert!(
            host.table(102)
                .await
                .contains(&"0.0.0.0/0 dev fpsc0".to_owned())
        );
        assert_eq!(host.state().await.addresses, ["10.66.0.2/30"]);
    });
}

#[test]
fn cleans_up_at_the_end_and_only_then() {
    with_namespaces("watch::cleans_up_at_the_end_and_only_then", async || {
        let host = host().await;
        let before = host.state().await;
        for signal in [Signal::SIGTERM, Signal::SIGINT] {
            let mut watcher = Watcher::start(&host, &format!("{FULL} --down"));
            assert_ne!(host.state().await, before);
            assert_eq!(watcher.end(signal).code(), Some(0));
            watcher.wait_for("stopped");
            assert_eq!(host.state().await, before);
        }
        // Killed it cannot; then `cleanup` does.
        let mut watcher = Watcher::start(&host, FULL);
        watcher.end(Signal::SIGKILL);
        assert_ne!(host.own_rules().await, [""; 0]);
        host.succeed("cleanup --tun fpsc0 --down --no-dns");
        assert_eq!(host.state().await, before);
    });
}

#[test]
fn nobody_else_changes_what_is_watched() {
    with_namespaces("watch::nobody_else_changes_what_is_watched", async || {
        let host = host().await;
        let mut watcher = Watcher::start(&host, FULL);
        let watched = host.state().await;
        for line in [
            format!("apply {FULL}"),
            "cleanup --tun fpsc0 --no-dns".to_owned(),
            format!("watch {FULL}"),
        ] {
            let complaint = host.fail(&line, 5);
            let pid = format!("process {}", watcher.pid());
            assert!(complaint.contains(&pid), "{complaint}");
        }
        // To look is allowed.
        host.succeed(&format!("verify {FULL}"));
        assert_eq!(host.state().await, watched);
        watcher.end(Signal::SIGKILL);
        host.succeed(&format!("apply {FULL}"));
    });
}

#[test]
fn reads_its_files_again() {
    with_namespaces("watch::reads_its_files_again", async || {
        let host = host().await;
        let file = host.records.path().join("routes");
        std::fs::write(&file, "10.66.1.0/24\n").unwrap();
        let line = format!("--tun fpsc0 --no-dns --routes-file {}", file.display());
        let watcher = Watcher::start(&host, &line);
        assert_eq!(host.own_routes().await, ["10.66.1.0/24"]);
        std::fs::write(&file, "10.66.2.0/24\n").unwrap();
        watcher.signal(Signal::SIGHUP);
        watcher.wait_for("reloaded");
        watcher.wait_for("restored");
        assert_eq!(host.own_routes().await, ["10.66.2.0/24"]);
        std::fs::write(&file, "10.66.2.1/24\n").unwrap();
        watcher.signal(Signal::SIGHUP);
        let refused = watcher.wait_for("reload-refused");
        assert!(
            refused["error"].as_str().unwrap().contains("line 1"),
            "{refused}"
        );
        assert_eq!(host.own_routes().await, ["10.66.2.0/24"]);
    });
}

#[test]
fn sets_the_resolver_again() {
    with_namespaces("watch::sets_the_resolver_again", async || {
        let host = host().await;
        let resolver = Resolver::of(&host);
        let line = "--tun fpsc0 --tun-address 10.66.0.2/30 --dns 10.66.0.1 --dns-domain ~fps.test";
        let watcher = Watcher::start_with(&host, line, |command| {
            command
                .env(BUS, resolver.address())
                .env("FPS_ROUTE_RESOLVED_DIR", resolver.folder())
        });
        let set = "domain fpsc0 ~fps.test\ndns fpsc0 10.66.0.1\n";
        assert_eq!(resolver.said(), set);
        // Another program reverts what the link had.
        resolver.forget_domains();
        let restored = watcher.wait_for("restored");
        assert_eq!(commands(&restored), ["resolvectl domain fpsc0 \\~fps.test"]);
        assert_eq!(resolver.said(), "domain fpsc0 ~fps.test\n");
        // What was looked up in another network is forgotten.
        host.add_address(host.lan, "10.0.7.23/24").await;
        watcher.wait_for("flushed");
        assert_eq!(resolver.said(), "flush-caches\n");
    });
}

#[test]
fn survives_more_events_than_the_buffer_holds() {
    with_namespaces(
        "watch::survives_more_events_than_the_buffer_holds",
        async || {
            let host = host().await;
            let watcher = Watcher::start(&host, FULL);
            let bulk = host.namespace.within(Bulk::open).unwrap().unwrap();
            let net = |at: u32| format!("172.{}.{}.0/24", 16 + (at >> 8), at & 0xff);
            let route = |at| Route::new(net(at).parse().unwrap()).on_link(host.lan);
            let routes: Vec<_> = (0..4000).map(route).collect();
            // The copies of a second interface's subnets are not looked at: it stops for that long.
            watcher.signal(Signal::SIGSTOP);
            for _ in 0..8 {
                let add: Vec<_> = routes.iter().map(RouteRequest::Add).collect();
                assert_eq!(bulk.change(&add).unwrap(), []);
                let delete: Vec<_> = routes.iter().map(RouteRequest::Delete).collect();
                assert_eq!(bulk.change(&delete).unwrap(), []);
            }
            host.add_address(host.lan, "10.0.7.23/24").await;
            let own = host.rules().await.into_iter();
            let own = own.filter(|rule| rule.protocol == FPS_ROUTE_PROTOCOL);
            for rule in own.filter(|rule| rule.family == Family::V4) {
                host.netlink.delete_rule(&rule).await.unwrap();
            }
            watcher.signal(Signal::SIGCONT);
            let mut seen = watcher.wait_for("seen");
            while !seen["what"].to_string().contains("buffer") {
                seen = watcher.wait_for("seen");
            }
            let copy = "10.0.7.0/24 dev lan0 src 10.0.7.23".to_owned();
            watcher
                .until(async || {
                    let rules = host.own_rules().await.len();
                    rules == 6 && host.table(101).await.contains(&copy)
                })
                .await;
        },
    );
}

#[test]
fn tells_systemd_when_it_is_ready() {
    with_namespaces("watch::tells_systemd_when_it_is_ready", async || {
        let host = host().await;
        let name = host.records.path().join("notify");
        let socket = UnixDatagram::bind(&name).unwrap();
        let mut watcher =
            Watcher::start_with(&host, FULL, |command| command.env("NOTIFY_SOCKET", &name));
        let told = || {
            let mut buffer = [0; 256];
            let length = socket.recv(&mut buffer).unwrap();
            String::from_utf8(buffer[..length].to_vec()).unwrap()
        };
        assert_eq!(told().trim(), "READY=1");
        watcher.signal(Signal::SIGHUP);
        let reloading = told();
        assert!(reloading.contains("RELOADING=1"), "{reloading}");
        assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
        assert_eq!(told().trim(), "READY=1");
        watcher.end(Signal::SIGTERM);
        assert_eq!(told().trim(), "STOPPING=1");
    });
}

#[test]
fn ends_at_once_where_it_cannot_begin() {
    with_namespaces("watch::ends_at_once_where_it_cannot_begin", async || {
        let host = host().await;
        host.fail("watch --tun fpsc9 --no-dns", 2);
        host.fail("watch --tun fpsc0 --route 10.66.1.5/24", 2);
        let theirs = Route::new("10.66.1.0/24".parse().unwrap()).on_link(host.lan);
        host.netlink.add_route(&theirs).await.unwrap();
        host.fail("watch --tun fpsc0 --route 10.66.1.0/24 --no-dns", 5);
    });
}
