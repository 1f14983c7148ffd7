//! Hosts without IPv6.

use fps_netns::sysctl;
use fps_netns::testing::with_namespaces;

use crate::host::Host;
use crate::watcher::Watcher;

const FULL: &str = "--tun fpsc0 --full-tunnel --keep-lan --except-fwmark 17 --endpoint 203.0.113.10 \
    --no-dns";

impl Host {
    async fn with_a_lan_without_ipv6() -> Self {
        let mut host = Self::new().await;
        host.add_lan().await;
        host.switch_ipv6(false);
        host
    }

    /// A watch that has left IPv6 out, and takes it in when it comes.
    async fn watch_takes_ipv6_in(&self) {
        let watcher = Watcher::start(self, FULL);
        assert_eq!(self.own_rules().await.len(), 3);
        self.switch_ipv6(true);
        watcher
            .until(async || self.own_rules().await.len() == 6)
            .await;
    }

    fn switch_ipv6(&self, on: bool) {
        let value = if on { "0" } else { "1" };
        let switch = || {
            for of in ["default", "all"] {
                sysctl::write(&format!("net/ipv6/conf/{of}/disable_ipv6"), value).unwrap();
            }
        };
        self.namespace.within(switch).unwrap();
    }
}

#[test]
fn without_ipv6_what_nobody_named_is_left_out() {
    with_namespaces(
        "ipv6::without_ipv6_what_nobody_named_is_left_out",
        async || {
            let host = Host::with_a_lan_without_ipv6().await;
            let before = host.state().await;
            let output = host.run(&format!("apply {FULL}"));
            assert!(output.status.success(), "{output:?}");
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(said.contains("has no IPv6"), "{said}");
            // The plan says it all the same.
            let plan = String::from_utf8(output.stdout).unwrap();
            assert!(plan.contains("+ ip -6 rule add"), "{plan}");
            assert_eq!(host.own_rules().await.len(), 3);
            host.succeed(&format!("verify {FULL}"));
            host.succeed("cleanup --tun fpsc0 --no-dns --down");
            assert_eq!(host.state().await, before);
            // What is named is not left out.
            let named = format!("apply {FULL} --tun-address fd66::2/64");
            let complaint = host.fail(&named, 3);
            assert!(complaint.contains("disable_ipv6=0"), "{complaint}");
        },
    );
}

#[test]
fn watch_takes_ipv6_in_once_it_is_there() {
    with_namespaces("ipv6::watch_takes_ipv6_in_once_it_is_there", async || {
        let host = Host::with_a_lan_without_ipv6().await;
        host.watch_takes_ipv6_in().await;
    });
}

/// As after a watch that was killed: there is nothing to do, and so no event that would have it look again.
#[test]
fn a_watch_that_finds_all_done_takes_ipv6_in_as_well() {
    with_namespaces(
        "ipv6::a_watch_that_finds_all_done_takes_ipv6_in_as_well",
        async || {
            let host = Host::with_a_lan_without_ipv6().await;
            assert!(host.run(&format!("apply {FULL}")).status.success());
            host.watch_takes_ipv6_in().await;
        },
    );
}
