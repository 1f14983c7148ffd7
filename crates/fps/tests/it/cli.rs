//! Exit codes, and what is printed with them.

use std::net::TcpListener;
use std::process::{Command, Output};

use crate::programs::{Files, UUID, client_config, server_config};

fn run(program: &str, args: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(program)
        .args(args)
        .output()
        .unwrap_or_else(|e| panic!("{program}: {e}"));
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

const CLIENT: &str = env!("CARGO_BIN_EXE_fps_client");
const SERVER: &str = env!("CARGO_BIN_EXE_fps_server");
const CARRIER: &str = env!("CARGO_BIN_EXE_fps_carrier");

#[test]
fn a_good_configuration_is_ok() {
    let files = Files::new();
    let client = files.write(
        "client.json",
        &client_config("192.0.2.1:443", UUID, Some("fpsc0")),
    );
    let server = files.write(
        "server.json",
        &server_config("192.0.2.1:443", Some("fpss0")),
    );
    for (program, config) in [(CLIENT, client), (SERVER, server)] {
        let config = config.to_str().expect("UTF-8");
        let (code, stdout, stderr) = run(program, &["--config", config, "--check-config"]);
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        assert!(stdout.starts_with("config=valid role="), "{stdout}");
        assert!(!stdout.contains(UUID), "{stdout}");
    }
}

#[test]
fn a_wrong_command_line_or_configuration_is_2() {
    let files = Files::new();
    let text = client_config("192.0.2.1:443", UUID, None).replace("listen", "listn");
    let config = files.write("client.json", &text);
    let config = config.to_str().expect("UTF-8");
    let (code, _, stderr) = run(CLIENT, &["--config", config]);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(
        stderr.contains("client.json:1:20: network.listn: unknown key"),
        "{stderr}"
    );
    for (program, args) in [
        (CLIENT, &["--config", "no-such-file"][..]),
        (CLIENT, &["--conf"]),
        (SERVER, &[]),
        (CARRIER, &["origin", "--listen", "127.0.0.1:0"]),
        (CARRIER, &["client", "--url", "http://a/", "--ca-file", "x"]),
    ] {
        let (code, _, stderr) = run(program, args);
        assert_eq!(code, Some(2), "{program} {args:?}: {stderr}");
    }
    for program in [CLIENT, SERVER, CARRIER] {
        assert_eq!(run(program, &["-h"]).0, Some(0));
    }
}

#[test]
fn an_address_in_use_is_1() {
    let files = Files::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let address = taken.local_addr().expect("bound").to_string();
    let config = files.write("server.json", &server_config("192.0.2.1:443", None));
    let config = config.to_str().expect("UTF-8");
    let (code, _, stderr) = run(SERVER, &["--config", config, "--listen", &address]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("event=bind_failed"), "{stderr}");
    assert!(stderr.contains("choose another network.listen"), "{stderr}");
}
