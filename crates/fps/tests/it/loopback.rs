//! The four programs as processes, on loopback and without a TUN.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use crate::programs::{
    Chain, DEADLINE, Files, Program, STRANGER, UUID, client_config, server_config, start_carrier,
    start_client, start_server,
};
use nix::sys::signal::Signal;

#[test]
fn a_carrier_registers_on_both_sides_and_the_application_notices_nothing() {
    let mut chain = Chain::start(UUID, None);
    chain.carrier.wait_for(&["READY client"]);
    chain.server.wait_for(&["event=zero_rtt_authenticated"]);
    chain.wait_registered();
    for program in [
        &mut chain.carrier,
        &mut chain.client,
        &mut chain.server,
        &mut chain.origin,
    ] {
        program.signal(Signal::SIGTERM);
        assert_eq!(program.wait().code(), Some(0), "{}", program.said());
        let said = program.said();
        assert!(said.contains("event=signal_stop"), "{said}");
        assert!(!said.contains("event=disconnected"), "{said}");
        assert!(!said.contains(UUID), "{said}");
    }
    let said = chain.client.said();
    let order = [
        "event=start",
        "event=listening",
        "event=accepted",
        "event=target_connected",
        "event=carrier_registered",
        "event=carrier_removed",
        "event=stopped",
    ];
    let places: Vec<_> = order.iter().map(|event| said.find(event)).collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{places:?}\n{said}"
    );
}

#[test]
fn a_strangers_hello_goes_to_the_origin_like_any_other_data() {
    let mut chain = Chain::start(STRANGER, None);
    // The origin's TLS cannot open the hello and ends the connection: that is the proof that it
    // got there.
    chain.origin.wait_for(&["event=session_closed", "decrypt"]);
    chain.carrier.wait_for(&["event=disconnected"]);
    let said = chain.server.said();
    assert!(!said.contains("zero_rtt_authenticated"), "{said}");
    assert!(!said.contains("carrier_registered"), "{said}");
}

/// Records that no session takes for its own: one of the handshake, so that nothing upgrades.
fn record(text: &[u8]) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("a short text");
    [&[22, 3, 3, 0, length], text].concat()
}

/// A client and a server in front of a listener of the test's own.
fn relay() -> (Files, Program, Program, String, TcpListener) {
    let files = Files::new();
    let origin = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let origin_address = origin.local_addr().expect("bound").to_string();
    let server_config = files.write("server.json", &server_config(&origin_address, None));
    let (server, server_address) = start_server(&server_config);
    let client_config = files.write("client.json", &client_config(&server_address, UUID, None));
    let (client, client_address) = start_client(&client_config);
    (files, server, client, client_address, origin)
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the client listens");
    stream
        .set_read_timeout(Some(DEADLINE))
        .expect("a valid timeout");
    stream
}

fn accept(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().expect("the server dials");
    stream
        .set_read_timeout(Some(DEADLINE))
        .expect("a valid timeout");
    stream
}

#[test]
fn the_end_of_one_direction_leaves_the_other_open() {
    let (_files, _server, mut client, address, origin) = relay();
    let mut application = connect(&address);
    application
        .write_all(&record(b"question"))
        .expect("connected");
    application.shutdown(Shutdown::Write).expect("connected");

    let mut far = accept(&origin);
    let mut question = Vec::new();
    far.read_to_end(&mut question)
        .expect("the question, then its end");
    assert_eq!(question, record(b"question"));
    far.write_all(&record(b"a late answer"))
        .expect("still open");
    drop(far);

    let mut answer = Vec::new();
    application
        .read_to_end(&mut answer)
        .expect("the answer, then its end");
    assert_eq!(answer, record(b"a late answer"));
    client.wait_for(&["event=session_closed", "reason=ended"]);
}

#[test]
fn the_end_of_the_other_direction_too() {
    let (_files, mut server, _client, address, origin) = relay();
    let mut application = connect(&address);
    let mut far = accept(&origin);
    far.write_all(&record(b"greeting")).expect("connected");
    far.shutdown(Shutdown::Write).expect("connected");
    let mut greeting = Vec::new();
    application
        .read_to_end(&mut greeting)
        .expect("the greeting, then its end");
    assert_eq!(greeting, record(b"greeting"));
    application
        .write_all(&record(b"goodbye"))
        .expect("still open");
    drop(application);
    let mut goodbye = Vec::new();
    far.read_to_end(&mut goodbye)
        .expect("the goodbye, then its end");
    assert_eq!(goodbye, record(b"goodbye"));
    server.wait_for(&["event=session_closed", "reason=ended"]);
}

#[test]
fn the_accept_waits_for_no_word_of_the_origin() {
    let (_files, mut server, mut client, address, origin) = relay();
    let data = |byte| [23, 3, 3, 0, 1, byte];
    let mut application = connect(&address);
    let mut far = accept(&origin);
    let mut six = [0; 6];
    application.write_all(&data(1)).expect("connected");
    far.read_exact(&mut six).expect("the first record");
    far.write_all(&data(2)).expect("connected");
    application.read_exact(&mut six).expect("its answer");
    application.write_all(&data(3)).expect("connected");
    far.read_exact(&mut six).expect("the second record");
    assert_eq!(six, data(3));
    // The origin says nothing more.
    server.wait_for(&["event=carrier_registered"]);
    client.wait_for(&["event=carrier_registered"]);
    drop(application);
    let mut rest = Vec::new();
    far.read_to_end(&mut rest).expect("the end");
    assert_eq!(rest, [0_u8; 0], "ours reached the origin");
}

#[test]
fn a_reader_that_stops_holds_its_writer_up_and_loses_nothing() {
    let (_files, _server, _client, address, origin) = relay();
    let mut application = connect(&address);
    let mut far = accept(&origin);
    let big: Vec<u8> = [&[22, 3, 3, 0x40, 0][..], &[7; 0x4000]].concat();
    let mut stream = big.iter().copied().cycle();
    // Nobody reads. What the sockets on the way hold is some megabytes; whoever takes more than
    // this keeps it in memory.
    application
        .set_write_timeout(Some(Duration::from_millis(500)))
        .expect("a valid timeout");
    let mut written = 0;
    while let Ok(length) = application.write(&stream.by_ref().take(1 << 16).collect::<Vec<_>>()) {
        written += length;
        stream = big.iter().copied().cycle();
        stream.by_ref().take(written % big.len()).for_each(drop);
        assert!(written < 256 << 20, "nothing held the writer up");
    }
    let mut received = vec![0; big.len()];
    for number in 0..written / big.len() {
        far.read_exact(&mut received).expect("the next record");
        assert!(received == big, "record {number} was damaged on the way");
    }
}

#[test]
fn what_fails_on_one_carrier_leaves_the_others_alone() {
    let mut chain = Chain::start(UUID, None);
    chain.wait_registered();
    let mut second = start_carrier(&chain.files, &chain.client_address);
    chain.wait_registered();
    second.signal(Signal::SIGKILL);
    chain.client.wait_for(&["event=carrier_removed", "id=2"]);
    chain.server.wait_for(&["event=carrier_removed", "id=2"]);
    // Something that speaks no TLS, and then hangs up.
    connect(&chain.client_address)
        .write_all(b"GET / HTTP/1.0\r\n\r\n")
        .expect("connected");
    chain.client.wait_for(&["event=session_closed", "id=3"]);
    assert_eq!(second.wait().code(), None);
    let said = [chain.client.said(), chain.carrier.said()].concat();
    assert!(!said.contains("event=carrier_removed id=1"), "{said}");
    assert!(!said.contains("event=disconnected"), "{said}");
}

#[test]
fn a_client_survives_its_server_and_carries_again_when_it_is_back() {
    let mut chain = Chain::start(UUID, None);
    chain.wait_registered();
    chain.server.signal(Signal::SIGKILL);
    chain.client.wait_for(&["event=carrier_removed"]);
    chain.client.wait_for(&["event=target_connect_failed"]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_fps_server"));
    command.arg("--config").arg(chain.files.path("server.json"));
    chain.server = Program::start("server", command.args(["--listen", &chain.server_address]));
    chain.wait_registered();
}

#[test]
fn the_carrier_reconnects_when_its_connection_breaks() {
    let mut chain = Chain::start(UUID, None);
    chain.wait_registered();
    chain.carrier.wait_for(&["READY client"]);
    chain.client.signal(Signal::SIGKILL);
    chain.carrier.wait_for(&["event=disconnected"]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_fps_client"));
    command.arg("--config").arg(chain.files.path("client.json"));
    chain.client = Program::start("client", command.args(["--listen", &chain.client_address]));
    chain.wait_registered();
    chain.carrier.wait_for(&["event=echoed"]);
}
