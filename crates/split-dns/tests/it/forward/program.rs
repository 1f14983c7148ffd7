//! The program itself: options, signals, exit codes.

use std::process::Output;

use nix::sys::signal::Signal;
use serde_json::json;

use super::server::Server;
use super::*;

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let command = Command::new(env!("CARGO_BIN_EXE_fps-dns"))
        .args(arguments)
        .output();
    let Output { status, stderr, .. } = command.unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn sigterm_and_sigint_end_it_well() {
    let server = Server::of(1);
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut forwarder = Forwarder::start(&[&server], &[], json!({}));
        forwarder.address_of("one.test.");
        forwarder.signal(signal);
        assert_eq!(forwarder.child.wait().unwrap().code(), Some(0), "{signal}");
        forwarder.wait_for_line("event=stopped");
    }
}

#[test]
fn options_do_what_a_file_does() {
    let (lan, tunnel) = (Server::of(1), Server::of(2));
    let mut child = Command::new(env!("CARGO_BIN_EXE_fps-dns"))
        .args(["--listen", "127.0.0.1:0"])
        .arg(format!("--default={}", lan.address()))
        .arg(format!("--route=~fps.test,b.test={}", tunnel.address()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let address = ready(&mut child);
    let (folder, (_, log)) = (tempfile::tempdir().unwrap(), mpsc::channel());
    let forwarder = Forwarder {
        child,
        address,
        folder,
        log,
    };
    for (name, expected) in [("a.fps.test.", "2"), ("b.test.", "2"), ("c.test.", "1")] {
        assert_eq!(forwarder.address_of(name), format!("10.0.0.{expected}"));
    }
}

#[test]
fn what_is_wrong_is_told_with_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dns.json");
    let file = file.to_str().unwrap();
    let listen = "--listen=127.0.0.1:5300";
    for (arguments, expected) in [
        (&[][..], "--listen"),
        (&[listen], "there are no servers"),
        (&[listen, "--default=dns.test"], "\"dns.test\" is no server"),
        (&[listen, "--route=fps.test"], "write DOMAIN=SERVER"),
        (&[listen, "--route=a..b=10.0.0.1"], "\"a..b\" is no domain"),
        (&[listen, "--default=127.0.0.1:5300"], "is this forwarder"),
        (
            &["--listen=0.0.0.0:5300", "--default=127.9.9.9:5300"],
            "is this forwarder",
        ),
        (&["--config", file], "cannot read the configuration"),
        (&["--config", file, listen], "cannot be used with"),
        (&[listen, "--frobnicate"], "--frobnicate"),
    ] {
        let (code, stderr) = run(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
    for (text, expected) in [
        (r#"{"listen": []"#, "EOF"),
        (r#"{"listen": []} x"#, "trailing"),
        (
            r#"{"listen": [], "routes": [{"domains": ["a"], "server": []}]}"#,
            "routes[0].server: unknown field `server`",
        ),
    ] {
        std::fs::write(file, text).unwrap();
        let (code, stderr) = run(&["--config", file]);
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
    }
}

#[test]
fn an_address_that_is_taken_is_told_with_exit_code_1() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let listen = format!("--listen={address}");
    let (code, stderr) = run(&[&listen, "--default=10.0.0.1"]);
    assert_eq!(code, Some(1), "{stderr}");
    let expected = format!("cannot listen at {address}");
    assert!(stderr.contains(&expected), "{stderr}");
}

#[test]
fn it_listens_at_several_addresses_also_of_ipv6() {
    let server = Server::of(1);
    let mut child = Command::new(env!("CARGO_BIN_EXE_fps-dns"))
        .args(["--listen=127.0.0.1:0", "--listen=[::1]:0"])
        .arg(format!("--default={}", server.address()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let out = child.stdout.take().unwrap();
    BufReader::new(out).read_line(&mut line).unwrap();
    let addresses = line.strip_prefix("READY fps-dns ").unwrap().trim();
    for address in addresses.split(' ') {
        let address: SocketAddr = address.parse().unwrap();
        let socket = UdpSocket::bind(SocketAddr::new(address.ip(), 0)).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        socket.connect(address).unwrap();
        let got = Client(socket).ask(&query("one.test.", RecordType::A));
        assert_eq!(got.answers.len(), 1, "{address}");
    }
    assert_eq!(addresses.split(' ').count(), 2);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_wildcard_answers_from_the_address_that_was_asked() {
    let server = Server::of(1);
    for (listen, asked) in [("0.0.0.0:0", "127.0.0.5"), ("[::]:0", "::1")] {
        let mut config = config(&[&server], &[], json!({}));
        config["listen"] = json!([listen]);
        let mut forwarder = Forwarder::with(&config);
        let home = if listen.starts_with('[') {
            "::1"
        } else {
            "127.0.0.1"
        };
        forwarder.address.set_ip(home.parse().unwrap());
        let socket = UdpSocket::bind(SocketAddr::new(forwarder.address.ip(), 0)).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        // A connected socket takes nothing from elsewhere (udp(7)).
        let asked = SocketAddr::new(asked.parse().unwrap(), forwarder.address.port());
        socket.connect(asked).unwrap();
        let client = Client(socket);
        for _ in 0..2 {
            let got = client.ask(&query("one.test.", RecordType::A));
            assert_eq!(got.answers.len(), 1, "{listen}");
        }
    }
}

#[test]
fn each_question_is_in_the_log_at_level_debug() {
    let server = Server::of(1);
    let forwarder = Forwarder::start(&[], &[("fps.test", &server)], json!({}));
    forwarder.address_of("one.fps.test.");
    let line = forwarder.wait_for_line("event=query");
    for pair in [
        "level=debug component=fps-dns",
        "transport=udp name=one.fps.test. type=A group=fps.test.",
        &format!("server={} rcode=0 cached=false", server.address()),
    ] {
        assert!(line.contains(pair), "{pair}: {line}");
    }
    forwarder.address_of("one.fps.test.");
    assert!(
        forwarder
            .wait_for_line("event=query")
            .contains("cached=true")
    );
}
