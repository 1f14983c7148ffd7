//! While routes change, no packet of the LAN or the carrier is in the tunnel, and none of the tunnel's on
//! the underlay.

use fps_netlink::{
    FPS_ROUTE_PROTOCOL, Family, Fwmark, Route, RouteKind, Rule, RuleAction, RulePriority, TableId,
};
use fps_netns::testing::with_namespaces;
use nix::sys::signal::Signal;

use crate::host::Host;
use crate::traffic::{Scene, Stream, Traffic};
use crate::watcher::Watcher;

const MARK: Fwmark = Fwmark(0x46_5053);

/// One for the LAN, one of the carrier, one for the tunnel, of each family.
struct Streams {
    lan: Vec<Stream>,
    carrier: Vec<Stream>,
    tunnel: Vec<Stream>,
}

impl Streams {
    fn v4() -> Self {
        Self {
            lan: vec![Stream::to("192.0.2.9")],
            carrier: vec![Stream::to("203.0.113.10")],
            tunnel: vec![Stream::to("9.9.9.9")],
        }
    }

    fn both() -> Self {
        let mut streams = Self::v4();
        streams.lan.push(Stream::to("fd00:2::9"));
        streams.carrier.push(Stream::to("2001:db8::10"));
        streams.tunnel.push(Stream::to("2001:db8:9::9"));
        streams
    }

    fn all(&self) -> Vec<Stream> {
        let out = self.lan.iter().chain(&self.carrier);
        out.chain(&self.tunnel).copied().collect()
    }

    /// How each leaves where the tunnel stands, and where it does not.
    fn ways(&self, stands: bool) -> Vec<(Stream, &'static str)> {
        let tunnel = if stands { "fpsc0" } else { "lan0" };
        let out = self.lan.iter().chain(&self.carrier).map(|&it| (it, "lan0"));
        let into = self.tunnel.iter().map(|&it| (it, tunnel));
        out.chain(into).collect()
    }
}

fn each(streams: Vec<Stream>, change: impl Fn(Stream) -> Stream) -> Vec<Stream> {
    streams.into_iter().map(change).collect()
}

/// Applies one after the other, cleans up, and looks at all packets.
async fn assert_passes(streams: Streams, common: &str, changes: &[&str]) {
    let mut scene = Scene::new().await;
    // A source of the tunnel's that is there before.
    scene.host.add_address(scene.host.lan, "10.66.0.9/32").await;
    let traffic = Traffic::start(&scene.host, &streams.all());
    scene.until_sent(&streams.ways(false)).await;
    for change in changes {
        scene.host.succeed(&format!("apply {common}{change}"));
        scene.until_sent(&streams.ways(true)).await;
    }
    scene.host.succeed("cleanup --tun fpsc0 --no-dns");
    scene.until_sent(&streams.ways(false)).await;
    traffic.stop();
    scene.look();
    for &stream in streams.lan.iter().chain(&streams.carrier) {
        assert_eq!(scene.ways(stream), ["lan0"], "{stream:?}");
    }
    for &stream in &streams.tunnel {
        // Into the tunnel once, and out of it once.
        assert_eq!(scene.ways(stream), ["lan0", "fpsc0", "lan0"], "{stream:?}");
    }
}

#[test]
fn all_but_a_mark_of_both_families() {
    with_namespaces("passage::all_but_a_mark_of_both_families", async || {
        let mut streams = Streams::both();
        // As its client gives the carrier's sockets one; those of the others bear none.
        streams.carrier = each(streams.carrier, |it| it.marked(MARK));
        let common = "--tun fpsc0 --full-tunnel --except-fwmark 0x465053 --no-dns --keep-lan \
                      --endpoint 203.0.113.10:443 --endpoint 2001:db8::10";
        let changes = [
            " --tun-address 10.66.0.2/24 --tun-address fd66::2/64",
            // Another address of the same subnet, with which the kernel drops the first one's
            // routes; of another subnet; none; and then more routes, and the guard of other rules.
            " --tun-address 10.66.0.3/24 --tun-address fd66::3/64",
            " --tun-address 10.77.0.2/30 --tun-address fd77::2/64",
            " --tun-address fd77::2/64",
            " --tun-address 10.77.0.2/30 --route 9.0.0.0/8 --route 2001:db8:9::/48",
            " --tun-address 10.77.0.2/30 --priority 9000",
            " --tun-address 10.77.0.2/30 --table 300",
            " --tun-address 10.77.0.2/30",
        ];
        assert_passes(streams, common, &changes).await;
    });
}

#[test]
fn what_bears_a_mark() {
    with_namespaces("passage::what_bears_a_mark", async || {
        let mut streams = Streams::both();
        streams.lan = each(streams.lan, |it| it.marked(MARK));
        streams.tunnel = each(streams.tunnel, |it| it.marked(MARK));
        let common = "--tun fpsc0 --full-tunnel --fwmark 0x465053 --no-dns --keep-lan";
        let changes = [
            " --tun-address 10.66.0.2/24 --tun-address fd66::2/64",
            " --tun-address 10.66.0.3/24 --tun-address fd66::3/64",
            " --tun-address fd66::3/64",
            " --tun-address fd66::3/64 --priority 9000 --table 300",
        ];
        assert_passes(streams, common, &changes).await;
    });
}

#[test]
fn what_has_a_source() {
    with_namespaces("passage::what_has_a_source", async || {
        let mut streams = Streams::v4();
        streams.lan = each(streams.lan, |it| it.sent_from("10.66.0.9"));
        streams.tunnel = each(streams.tunnel, |it| it.sent_from("10.66.0.9"));
        let common = "--tun fpsc0 --full-tunnel --from 10.66.0.8/29 --no-dns --keep-lan";
        let changes = ["", " --tun-address 10.77.0.2/30", " --table 300", ""];
        assert_passes(streams, common, &changes).await;
    });
}

#[test]
fn all_but_what_has_a_bypass() {
    with_namespaces("passage::all_but_what_has_a_bypass", async || {
        let common = "--tun fpsc0 --full-tunnel --from 0.0.0.0/0 --no-dns --keep-lan \
                      --bypass 203.0.113.10/32,192.0.2.1,lan0";
        let changes = [
            " --tun-address 10.66.0.2/24",
            "",
            " --tun-address 10.66.0.2/24 --priority 9000 --table 300",
        ];
        assert_passes(Streams::v4(), common, &changes).await;
    });
}

#[test]
fn routes_of_table_main() {
    with_namespaces("passage::routes_of_table_main", async || {
        let common = "--tun fpsc0 --route 9.9.9.9/32 --route 2001:db8:9::/48 --no-dns";
        let changes = [
            " --tun-address 10.66.0.2/24 --tun-address fd66::2/64",
            " --tun-address 10.66.0.3/24",
            // With its last address the device loses all routes of IPv4.
            "",
            " --route 9.0.0.0/8 --tun-address 10.77.0.2/30",
        ];
        assert_passes(Streams::both(), common, &changes).await;
    });
}

/// A gateway's link goes, and the kernel drops the bypass with it: the carrier then has no way, but
/// stays out of the tunnel that it carries.
#[test]
fn a_carrier_that_loses_its_bypass() {
    with_namespaces("passage::a_carrier_that_loses_its_bypass", async || {
        let streams = Streams::v4();
        let mut scene = Scene::new().await;
        let line = "--tun fpsc0 --full-tunnel --from 0.0.0.0/0 --no-dns \
                    --bypass 203.0.113.10/32,192.0.2.1,lan0 --tun-address 10.66.0.2/24";
        let mut watcher = Watcher::start(&scene.host, line);
        let traffic = Traffic::start(&scene.host, &streams.all());
        let (carrier, tunnel) = (streams.carrier[0], streams.tunnel[0]);
        scene
            .until_sent(&[(carrier, "lan0"), (tunnel, "fpsc0")])
            .await;
        let lan = scene.host.lan;
        scene.host.netlink.set_down(lan).await.unwrap();
        watcher.wait_for("failed");
        scene.until_sent(&[(tunnel, "fpsc0")]).await;
        scene.host.netlink.set_up(lan).await.unwrap();
        watcher.wait_for("recovered");
        scene
            .until_sent(&[(carrier, "lan0"), (tunnel, "fpsc0")])
            .await;
        traffic.stop();
        scene.look();
        assert_eq!(scene.ways(carrier), ["lan0"]);
        assert_eq!(scene.ways(tunnel), ["fpsc0"]);
        watcher.end(Signal::SIGTERM);
    });
}

impl Host {
    async fn delete_own_route(&self, to: &str, table: u32, kind: RouteKind) {
        let route = Route::new(to.parse().unwrap()).in_table(TableId(table));
        let protocol = FPS_ROUTE_PROTOCOL;
        let route = Route {
            protocol,
            ..route.of_kind(kind)
        };
        self.netlink.delete_route(&route).await.unwrap();
    }
}

fn own_rule(family: Family, number: u32) -> Rule {
    let action = RuleAction::Lookup(TableId(100 + number));
    let rule = Rule::new(family, RulePriority(10000 + number), action);
    let protocol = FPS_ROUTE_PROTOCOL;
    Rule {
        protocol,
        ..rule.marked(MARK).inverted()
    }
}

#[test]
fn a_packet_that_goes_the_wrong_way_is_seen() {
    with_namespaces(
        "passage::a_packet_that_goes_the_wrong_way_is_seen",
        async || {
            for (family, streams, net) in [
                (Family::V4, Streams::v4(), "203.0.113.10/32"),
                (Family::V6, Streams::both(), "2001:db8::10/128"),
            ] {
                let last = |streams: &[Stream]| *streams.last().unwrap();
                let (lan, tunnel) = (last(&streams.lan), last(&streams.tunnel));
                let carrier = last(&streams.carrier).marked(MARK);
                let mut scene = Scene::new().await;
                let traffic = Traffic::start(&scene.host, &[lan, carrier, tunnel]);
                scene.host.succeed(
                    "apply --tun fpsc0 --full-tunnel --except-fwmark 0x465053 --no-dns --keep-lan \
                     --endpoint 203.0.113.10:443 --endpoint 2001:db8::10",
                );
                let netlink = scene.host.netlink.clone();
                // Without the LAN's rule the LAN is in the tunnel, as in the first design of firezone.
                netlink.delete_rule(&own_rule(family, 1)).await.unwrap();
                scene.until_sent(&[(lan, "fpsc0")]).await;
                // Without the mark the carrier is.
                netlink.delete_rule(&own_rule(family, 2)).await.unwrap();
                let all = Rule {
                    mark: None,
                    inverted: false,
                    ..own_rule(family, 2)
                };
                let throw = RouteKind::Throw;
                scene.host.delete_own_route(net, 102, throw).await;
                netlink.add_rule(&all).await.unwrap();
                scene.until_sent(&[(carrier, "fpsc0")]).await;
                // And without the last rule what belongs into the tunnel is out of it.
                netlink.delete_rule(&all).await.unwrap();
                scene.until_sent(&[(tunnel, "lan0")]).await;
                traffic.stop();
            }
        },
    );
}
