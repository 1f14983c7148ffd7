//! What the next call knows of the one before.

use fps_netlink::{FPS_ROUTE_PROTOCOL, Route};
use fps_netns::testing::with_namespaces;

use crate::host::{Host, name};

const FULL: &str = "--tun fpsc0 --tun-address 10.66.0.2/30 --mtu 1280 --full-tunnel --keep-lan \
    --table 200 --priority 500 --fwmark 17 --route 10.66.1.0/24 --no-dns";

const SPLIT: &str = "--tun fpsc0 --tun-address 10.66.0.2/30 --route 10.66.1.0/24 --no-dns";

async fn host() -> Host {
    let mut host = Host::new().await;
    host.add_lan().await;
    host
}

impl Host {
    fn record(&self) -> Option<String> {
        let mut folders = std::fs::read_dir(self.records.path()).unwrap();
        let folder = folders.next()?.unwrap().path();
        std::fs::read_to_string(folder.join("fpsc0.json")).ok()
    }
}

#[test]
fn cleans_up_whatever_the_options() {
    with_namespaces("record::cleans_up_whatever_the_options", async || {
        let host = host().await;
        let mut before = host.state().await;
        before.link.mtu = 1280;
        for options in ["--no-dns", "--no-dns --full-tunnel --from 10.9.0.0/16"] {
            host.succeed(&format!("apply {FULL}"));
            let printed = host.succeed(&format!("cleanup --tun fpsc0 --down {options}"));
            assert_eq!(host.state().await, before, "{options}");
            for part in [
                "+ ip rule del priority 502 fwmark 0x11 table 202",
                "+ ip route del 10.66.1.0/24 dev fpsc0 table 200",
                "+ ip addr del 10.66.0.2/30 dev fpsc0",
                "+ ip link set dev fpsc0 down",
            ] {
                assert!(printed.contains(part), "{part}: {printed}");
            }
            assert_eq!(host.record(), None);
        }
    });
}

#[test]
fn cleans_up_without_a_record_too() {
    with_namespaces("record::cleans_up_without_a_record_too", async || {
        let host = host().await;
        let before = host.state().await;
        host.succeed(&format!("apply {FULL}"));
        std::fs::remove_dir_all(host.records.path()).unwrap();
        // What carries no number of ours, the address, has to be told.
        let printed =
            host.succeed("cleanup --tun fpsc0 --tun-address 10.66.0.2/30 --down --no-dns");
        assert!(printed.contains("+ ip rule del priority 502"), "{printed}");
        let mut after = host.state().await;
        after.link.mtu = before.link.mtu;
        assert_eq!(after, before);
    });
}

#[test]
fn cleans_up_after_the_device_is_gone() {
    with_namespaces("record::cleans_up_after_the_device_is_gone", async || {
        let host = host().await;
        host.succeed(&format!("apply {FULL}"));
        host.netlink.delete_link(host.fpsc0).await.unwrap();
        assert_eq!(host.own_rules().await.len(), 3);
        host.succeed("cleanup --tun fpsc0 --no-dns");
        assert_eq!(host.own_rules().await, [""; 0]);
        let routes = host.routes().await;
        let ours = |route: &&Route| route.protocol == FPS_ROUTE_PROTOCOL;
        assert_eq!(routes.iter().find(ours), None);
    });
}

#[test]
fn another_apply_takes_the_place_of_the_first() {
    with_namespaces(
        "record::another_apply_takes_the_place_of_the_first",
        async || {
            let host = host().await;
            host.succeed(&format!("apply {FULL}"));
            let printed = host.succeed("apply --tun fpsc0 --route 10.66.2.0/24 --no-dns");
            for part in [
                "+ ip route replace 10.66.2.0/24 dev fpsc0",
                "+ ip rule del priority 502 fwmark 0x11 table 202",
                "+ ip addr del 10.66.0.2/30 dev fpsc0",
            ] {
                assert!(printed.contains(part), "{part}: {printed}");
            }
            assert_eq!(host.own_rules().await, [""; 0]);
            assert_eq!(host.own_routes().await, ["10.66.2.0/24"]);
            let state = host.state().await;
            assert_eq!(state.addresses, [""; 0]);
        },
    );
}

#[test]
fn an_address_that_was_there_before_stays() {
    with_namespaces(
        "record::an_address_that_was_there_before_stays",
        async || {
            let host = host().await;
            host.add_address(host.fpsc0, "10.66.0.2/30").await;
            host.succeed(
                "apply --tun fpsc0 --tun-address 10.66.0.2/30 --tun-address fd66::2/64 --no-dns",
            );
            host.succeed("cleanup --tun fpsc0 --no-dns");
            assert_eq!(host.state().await.addresses, ["10.66.0.2/30"]);
        },
    );
}

#[test]
fn a_record_that_cannot_be_kept_stops_it_before_anything_changes() {
    with_namespaces(
        "record::a_record_that_cannot_be_kept_stops_it_before_anything_changes",
        async || {
            let host = host().await;
            let before = host.state().await;
            let complaint = host.fail(&format!("apply {FULL} --state-dir /proc/nowhere"), 1);
            assert!(complaint.contains("--state-dir"), "{complaint}");
            assert_eq!(host.state().await, before);
        },
    );
}

#[test]
fn a_record_that_cannot_be_read_is_told_and_gone_past() {
    with_namespaces(
        "record::a_record_that_cannot_be_read_is_told_and_gone_past",
        async || {
            let host = host().await;
            host.succeed(&format!("apply {FULL}"));
            let mut folders = std::fs::read_dir(host.records.path()).unwrap();
            let folder = folders.next().unwrap().unwrap().path();
            std::fs::write(folder.join("fpsc0.json"), "{").unwrap();
            let output = host.run("cleanup --tun fpsc0 --no-dns");
            assert!(output.status.success(), "{output:?}");
            let complaint = String::from_utf8(output.stderr).unwrap();
            assert!(complaint.contains("fpsc0.json"), "{complaint}");
            assert_eq!(host.own_rules().await, [""; 0]);
            assert_eq!(host.record(), None);
        },
    );
}

#[test]
fn follows_a_device_that_is_renamed() {
    with_namespaces("record::follows_a_device_that_is_renamed", async || {
        let host = host().await;
        let before = host.state().await;
        host.succeed(&format!("apply {SPLIT}"));
        host.netlink.set_down(host.fpsc0).await.unwrap();
        host.netlink
            .rename(host.fpsc0, &name("old0"))
            .await
            .unwrap();
        host.netlink.set_up(host.fpsc0).await.unwrap();
        let printed = host.succeed("cleanup --tun fpsc0 --no-dns");
        assert!(
            printed.contains("+ ip addr del 10.66.0.2/30 dev old0"),
            "{printed}"
        );
        let mut after = host.state().await;
        assert_eq!((after.link.name, after.link.up), (name("old0"), true));
        (after.link.name, after.link.up) = (before.link.name, before.link.up);
        (after.link.carrier, after.link.operational) =
            (before.link.carrier, before.link.operational);
        assert_eq!(after, before);
    });
}

#[test]
fn what_a_device_has_that_was_made_anew_is_not_ours() {
    with_namespaces(
        "record::what_a_device_has_that_was_made_anew_is_not_ours",
        async || {
            let mut host = host().await;
            host.succeed(&format!("apply {SPLIT}"));
            host.netlink.delete_link(host.fpsc0).await.unwrap();
            host.netlink.create_bridge(&name("fpsc0")).await.unwrap();
            let fpsc0 = host.netlink.link(&name("fpsc0")).await.unwrap().unwrap();
            host.fpsc0 = fpsc0.index;
            // Its client gives it the address this time.
            host.add_address(host.fpsc0, "10.66.0.2/30").await;
            host.succeed("cleanup --tun fpsc0 --no-dns");
            assert_eq!(host.state().await.addresses, ["10.66.0.2/30"]);
        },
    );
}

#[test]
fn cleans_up_where_nothing_can_be_written() {
    with_namespaces(
        "record::cleans_up_where_nothing_can_be_written",
        async || {
            let host = host().await;
            let before = host.state().await;
            host.succeed(&format!("apply {FULL}"));
            let output = host.run(&format!("cleanup {FULL} --down --state-dir /proc/nowhere"));
            assert!(output.status.success(), "{output:?}");
            let complaint = String::from_utf8(output.stderr).unwrap();
            assert!(complaint.contains("--state-dir"), "{complaint}");
            let mut after = host.state().await;
            after.link.mtu = before.link.mtu;
            assert_eq!(after, before);
        },
    );
}

#[test]
fn without_a_record_another_tunnel_is_left_alone() {
    with_namespaces(
        "record::without_a_record_another_tunnel_is_left_alone",
        async || {
            let host = host().await;
            let tunnel = |tun: &str, number: u32| {
                format!(
                    "apply --tun {tun} --no-dns --full-tunnel --keep-lan --fwmark {number} --table \
                     {number} --priority {number}"
                )
            };
            host.succeed(&tunnel("lan0", 300));
            let first = host.state().await;
            host.succeed(&tunnel("fpsc0", 200));
            // Of the first one's record nothing can be read any more, and the second one's is gone.
            let mut folders = std::fs::read_dir(host.records.path()).unwrap();
            let folder = folders.next().unwrap().unwrap().path();
            std::fs::write(folder.join("lan0.json"), "{").unwrap();
            std::fs::remove_file(folder.join("fpsc0.json")).unwrap();
            let output = host.run("cleanup --tun fpsc0 --no-dns --down");
            assert!(output.status.success(), "{output:?}");
            assert_eq!(host.state().await, first);
        },
    );
}
