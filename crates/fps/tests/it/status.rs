//! What a running program says of itself, and what it does not.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::programs::{Chain, PRIVATE_KEY, PUBLIC_KEY, Program, UUID};

impl Chain {
    /// Asks the server or the client how it is.
    fn ask(&self, program: &str, config: &str) -> Value {
        let mut command = Command::new(program);
        let config = self.files.path(config);
        let output = command.arg("--status").arg("--config").arg(config).output();
        let output = output.expect("run it");
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!(text.lines().count(), 1, "{text}");
        for secret in [UUID, PRIVATE_KEY, PUBLIC_KEY] {
            assert!(!text.contains(secret), "{text}");
        }
        serde_json::from_str(&text).expect(&text)
    }

    fn ask_server(&self) -> Value {
        self.ask(env!("CARGO_BIN_EXE_fps_server"), "server.json")
    }
}

#[test]
fn it_says_how_it_is() {
    let mut chain = Chain::start(UUID, None);
    chain.wait_registered();
    let socket = chain.files.path("server.status");
    let mode = socket.metadata().expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let client = chain.ask(env!("CARGO_BIN_EXE_fps_client"), "client.json");
    for (status, role) in [(&chain.ask_server(), "server"), (&client, "client")] {
        assert_eq!(status["role"], role);
        assert_eq!(status["sessions"]["accepted"], 1, "{status}");
        assert_eq!(status["sessions"]["active"], 1, "{status}");
        assert_eq!(status["sessions"]["carriers_current"], 1, "{status}");
        assert_eq!(status["auth"]["authenticated"], 1, "{status}");
        assert_eq!(status["tun"]["enabled"], false, "{status}");
    }
    chain.carrier.signal(Signal::SIGKILL);
    chain.server.wait_for(&["event=session_closed"]);
    let status = chain.ask_server();
    assert_eq!(status["sessions"]["closed"], 1, "{status}");
    assert_eq!(status["sessions"]["last_closed"]["authenticated"], true);
    assert_eq!(status["sessions"]["recent_closed"][0]["session_id"], 1);
    // It goes with the program.
    chain.server.signal(Signal::SIGTERM);
    chain.server.wait();
    assert!(!socket.exists());
}

/// The members of an object and of what is in it, by their paths.
fn members(of: &Value, path: &str, all: &mut Vec<String>) {
    for (key, value) in of.as_object().into_iter().flatten() {
        let path = format!("{path}/{key}");
        members(value, &path, all);
        all.push(path);
    }
}

/// What the C++ project's status has, ours has, but for what it does not do.
#[test]
fn it_has_what_the_peers_has() {
    let chain = Chain::start(UUID, None);
    let set = include_str!("data/6d-status.json");
    let set: Value = serde_json::from_str(set).expect("JSON");
    let idle = &set["samples"][0];
    assert_eq!(
        (&idle["when"], &idle["role"]),
        (&"idle".into(), &"server".into())
    );
    let text = idle["status_text"].as_str().expect("text");
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    members(&serde_json::from_str(text).expect("JSON"), "", &mut theirs);
    members(&chain.ask_server(), "", &mut ours);
    let missing: Vec<_> = theirs
        .iter()
        .filter(|path| !ours.contains(path))
        // Those of a device and a pool, which this one has not.
        .filter(|path| !["/tun/name", "/tun/mtu"].contains(&path.as_str()))
        .filter(|path| !path.starts_with("/tun/lease") && *path != "/tun/server_address")
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn nothing_secret_is_in_a_log_of_either_form() {
    for form in ["text", "json"] {
        let mut chain = Chain::start(UUID, None);
        let mut command = Command::new(env!("CARGO_BIN_EXE_fps_client"));
        command.arg("--config").arg(chain.files.path("client.json"));
        command.args(["--log-level", "trace", "--log-format", form]);
        chain.client.signal(Signal::SIGKILL);
        let listen = chain.client_address.clone();
        chain.client = Program::start("client", command.args(["--listen", &listen]));
        chain.client.wait_for(&["carrier_registered"]);
        chain.client.signal(Signal::SIGTERM);
        chain.client.wait();
        let said = chain.client.said() + &chain.server.said();
        for secret in [UUID, PRIVATE_KEY] {
            assert!(!said.contains(secret), "{said}");
        }
        if form == "json" {
            for line in chain.client.said().lines() {
                let line: Value = serde_json::from_str(line).expect(line);
                for key in ["time", "severity", "message"] {
                    assert!(line[key].is_string(), "{line}");
                }
            }
        }
    }
}

#[test]
fn a_configuration_that_others_may_read_is_refused() {
    let chain = Chain::start(UUID, None);
    for (program, config) in [
        (env!("CARGO_BIN_EXE_fps_client"), "client.json"),
        (env!("CARGO_BIN_EXE_fps_server"), "server.json"),
    ] {
        let config = chain.files.path(config);
        for mode in [0o640, 0o604] {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&config, permissions).expect("the file is ours");
            let output = Command::new(program).arg("--config").arg(&config).output();
            let output = output.expect("run it");
            assert_eq!(output.status.code(), Some(2), "{output:?}");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(said.contains("chmod 600"), "{said}");
        }
    }
}
