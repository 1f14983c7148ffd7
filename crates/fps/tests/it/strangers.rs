//! Who is nobody's client: he costs little, and nobody else his carrier.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;

use crate::programs::{Chain, DEADLINE, Program, UUID};

/// Those who come although there is no room.
const CROWD: usize = 10_000;

impl Chain {
    /// Starts the server anew, with something more about it.
    fn restart_server(&mut self, more: impl FnOnce(&mut Command) -> &mut Command) {
        self.server.signal(Signal::SIGTERM);
        self.server.wait();
        let mut command = Command::new(env!("CARGO_BIN_EXE_fps_server"));
        command.arg("--config").arg(self.files.path("server.json"));
        command.args(["--listen", &self.server_address]);
        self.server = Program::start("fps_server", more(&mut command));
        self.server.wait_for(&["event=listening"]);
        self.wait_registered();
    }

    fn knock(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.server_address).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("valid");
        stream
    }

    /// The carrier that there was is there, and still the only one.
    fn assert_carried(&mut self, kept: &str) {
        let said = self.server.said();
        assert!(said.contains(kept), "{said}");
        assert!(!said.contains("event=carrier_removed"), "{said}");
    }
}

/// Whether the other side closes it. One that is left open is not closed, however long it says nothing.
fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 64]) {
        Ok(length) => length == 0,
        // With something unread it is a reset.
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

/// As many open files as a crowd takes.
fn raise_limit() {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("known");
    let wanted = (CROWD + 1000) as u64;
    if soft < wanted {
        let set = setrlimit(Resource::RLIMIT_NOFILE, wanted, hard.max(wanted));
        set.unwrap_or_else(|error| panic!("raise the limit on open files to {wanted}: {error}"));
    }
}

#[test]
fn more_strangers_than_are_let_in_are_refused_and_cost_nobody_anything() {
    let mut chain = Chain::start(UUID, None);
    let limited = chain.files.path("server.json");
    let text = std::fs::read_to_string(&limited).expect("written");
    let text = text.replacen(
        '{',
        r#"{"limits": {"max_unauthenticated_sessions": 20},"#,
        1,
    );
    chain.files.write("server.json", &text);
    chain.restart_server(|command| command);
    // Who says nothing, and who says what is no record or the half of one.
    let mut strangers: Vec<_> = (0..20).map(|_| chain.knock()).collect();
    for (at, stranger) in strangers.iter_mut().enumerate() {
        let said: &[u8] = [&b""[..], b"GET / HTTP/1.1\r\n", &[23, 3, 3, 0x40, 0, 1]][at % 3];
        stranger.write_all(said).expect("connected");
    }
    raise_limit();
    let before = chain.server.resident_kib();
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        let mut one = chain.knock();
        assert!(is_closed(&mut one), "one too many is let in");
        crowd.push(one);
    }
    let after = chain.server.resident_kib();
    println!("{CROWD} strangers: RSS of the server {before} KiB before, {after} KiB after");
    assert!(after < before + 1024, "{after} KiB after {before}");
    // Two of each session that there is, and a few of its own.
    let files = chain.server.open_files();
    assert!(files < 100, "{files} open files");
    drop(crowd);
    chain.server.wait_for(&["event=admission_refused"]);
    chain.assert_carried("event=carrier_registered");
    // Once some go, others may come.
    for stranger in strangers.drain(..5) {
        stranger.shutdown(Shutdown::Both).expect("connected");
    }
    chain.server.wait_for(&["event=session_closed"]);
    chain.server.wait_for(&["event=session_closed"]);
    let mut late = chain.knock();
    late.set_read_timeout(Some(std::time::Duration::from_millis(200)))
        .expect("valid");
    let waits = late.read(&mut [0]).unwrap_err().kind();
    assert_eq!(waits, std::io::ErrorKind::WouldBlock, "it is let in");
}

#[test]
fn without_a_descriptor_who_comes_is_closed_and_who_is_there_stays() {
    let mut chain = Chain::start(UUID, None);
    // Few enough, and the limit cannot be raised to more.
    let few = || Ok(setrlimit(Resource::RLIMIT_NOFILE, 40, 40)?);
    // SAFETY: between fork and exec it makes one system call.
    chain.restart_server(|command| unsafe { command.pre_exec(few) });
    let mut strangers: Vec<_> = (0..60).map(|_| chain.knock()).collect();
    chain.server.wait_for(&["event=accept_failed"]);
    // The last are told to go, since there is nothing to serve them with.
    assert!(is_closed(strangers.last_mut().expect("many")));
    chain.assert_carried("event=carrier_registered");
    drop(strangers);
    chain.server.wait_for(&["event=session_closed"]);
    // Then there is room for one more carrier.
    let mut second = crate::programs::start_carrier(&chain.files, &chain.client_address);
    chain.wait_registered();
    second.wait_for(&["event=echoed"]);
}
