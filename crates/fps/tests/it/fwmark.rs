//! `network.fwmark`.

use std::process::Command;

use crate::namespace::{isolated, run};
use crate::programs::{
    Files, Program, UUID, client_config, start_carrier, start_client, start_origin,
};

const MARK: &str = "0x465053";

fn marked(server: &str) -> String {
    let config = client_config(server, UUID, None);
    config.replace("\"listen\"", &format!("\"fwmark\": \"{MARK}\", \"listen\""))
}

#[test]
fn every_dialled_connection_carries_it() {
    isolated("fwmark::every_dialled_connection_carries_it", || {
        let files = Files::new();
        let (_origin, address) = start_origin(&files);
        // Marked packets are unreachable, and that rule comes before the table of local addresses.
        run(
            "ip",
            &["rule", "add", "pref", "1", "fwmark", MARK, "unreachable"],
        );
        run("ip", &["rule", "add", "pref", "2", "lookup", "local"]);
        run("ip", &["rule", "del", "pref", "0"]);
        let plain = files.write("plain.json", &client_config(&address, UUID, None));
        let marked = files.write("marked.json", &marked(&address));
        for (config, event) in [
            (plain, "target_connected"),
            (marked, "target_connect_failed"),
        ] {
            let (mut client, address) = start_client(&config);
            let _carrier = start_carrier(&files, &address);
            let line = client.wait_for(&["event=target_connect"]);
            assert!(line.contains(&format!("event={event} ")), "{line}");
        }
    });
}

#[test]
fn without_the_privilege_the_program_ends_and_says_which() {
    let files = Files::new();
    let config = files.write("client.json", &marked("192.0.2.1:443"));
    // Root of a user namespace that does not own the network namespace: as good as no privilege.
    let mut command = Command::new("unshare");
    command.args([
        "--user",
        "--map-root-user",
        env!("CARGO_BIN_EXE_fps_client"),
        "--config",
    ]);
    let mut client = Program::start("fps_client", command.arg(config));
    assert_eq!(client.wait().code(), Some(1), "{}", client.said());
    client.said_all(&["event=fwmark_failed", MARK, "CAP_NET_ADMIN"]);
}
