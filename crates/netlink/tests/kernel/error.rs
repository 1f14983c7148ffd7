//! What is said of a failure.

use fps_netlink::{Family, Fwmark, Route, Rule, RuleAction, RulePriority};
use fps_netns::testing::with_namespaces;
use nix::errno::Errno;

use crate::host::{Host, ip, name};

#[test]
fn an_error_names_the_operation() {
    with_namespaces("error::an_error_names_the_operation", async || {
        let host = Host::new().await;
        let rule = Rule::new(Family::V6, RulePriority(9), RuleAction::Unreachable);
        let error = host.netlink.delete_rule(&rule.marked(Fwmark(17))).await;
        let error = error.unwrap_err();
        assert_eq!(
            error.to_string(),
            "ip -6 rule del pref 9 fwmark 0x11 unreachable"
        );
        let cause = std::error::Error::source(&error).unwrap();
        assert_eq!(cause.to_string(), "No such file or directory");

        let error = host.netlink.create_bridge(&name("br0")).await.unwrap_err();
        assert_eq!(error.to_string(), "ip link add br0 up type bridge");
        assert_eq!(error.errno(), Some(Errno::EEXIST));
        let route = Route::new("10.9.0.0/16".parse().unwrap()).via(ip("10.0.0.9"));
        let error = host.netlink.add_route(&route).await.unwrap_err();
        assert_eq!(error.to_string(), "ip route add 10.9.0.0/16 via 10.0.0.9");
        assert_eq!(error.errno(), Some(Errno::ENETUNREACH));
    });
}
