//! `network.fwmark`.

use std::process::Command;

use fps_netlink::{Family, Fwmark, RouteProtocol, Rule, RuleAction, RulePriority, TableId};
use fps_netns::testing::{with_namespaces, without_capabilities};

use crate::host::Host;
use crate::programs::{
    Files, Program, UUID, client_config, start_carrier, start_client, start_origin,
};

const MARK: Fwmark = Fwmark(0x0046_5053);

fn marked(server: &str) -> String {
    let config = client_config(server, UUID, None);
    config.replace("\"listen\"", &format!("\"fwmark\": \"{MARK}\", \"listen\""))
}

#[test]
fn every_dialled_connection_carries_it() {
    with_namespaces("fwmark::every_dialled_connection_carries_it", async || {
        let host = Host::new().await;
        let files = Files::new();
        let (_origin, address) = host.within(|| start_origin(&files));
        // Marked packets are unreachable, and that rule comes before the table of local addresses.
        let rule = |priority, action| Rule::new(Family::V4, RulePriority(priority), action);
        let local = RuleAction::Lookup(TableId::LOCAL);
        for rule in [
            rule(1, RuleAction::Unreachable).marked(MARK),
            rule(2, local),
        ] {
            host.netlink.add_rule(&rule).await.unwrap();
        }
        let kernels = Rule {
            protocol: RouteProtocol::Kernel,
            ..rule(0, local)
        };
        host.netlink.delete_rule(&kernels).await.unwrap();
        let plain = files.write("plain.json", &client_config(&address, UUID, None));
        let marked = files.write("marked.json", &marked(&address));
        for (config, event) in [
            (plain, "target_connected"),
            (marked, "target_connect_failed"),
        ] {
            let (mut client, address) = host.within(|| start_client(&config));
            let _carrier = host.within(|| start_carrier(&files, &address));
            let line = client.wait_for(&["event=target_connect"]);
            assert!(line.contains(&format!("event={event} ")), "{line}");
        }
    });
}

#[test]
fn without_the_privilege_the_program_ends_and_says_which() {
    let files = Files::new();
    let config = files.write("client.json", &marked("192.0.2.1:443"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_fps_client"));
    command.arg("--config").arg(config);
    let mut client = Program::start("fps_client", without_capabilities(&mut command));
    assert_eq!(client.wait().code(), Some(1), "{}", client.said());
    client.said_all(&["event=fwmark_failed", &MARK.to_string(), "CAP_NET_ADMIN"]);
}
