//! Clients by TCP (RFC 7766).

use std::net::Shutdown;

use serde_json::json;

use super::server::Server;
use super::*;

#[test]
fn a_connection_carries_many_questions_however_they_are_cut() {
    let server = Server::of(1);
    let forwarder = Forwarder::start(&[&server], &[], json!({}));
    let mut stream = forwarder.connect();
    let names: Vec<_> = (0..200).map(|number| format!("a{number}.test.")).collect();
    let questions: Vec<_> = names
        .iter()
        .map(|name| query(name, RecordType::A))
        .collect();
    let bytes = questions.iter().map(frame).collect::<Vec<_>>().concat();
    // All but the end in one piece, the rest byte by byte.
    let (head, tail) = bytes.split_at(bytes.len() - 30);
    write_all(&mut stream, head);
    for byte in tail {
        write_all(&mut stream, &[*byte]);
    }
    let mut answered: Vec<_> = (0..200)
        .map(|_| read_frame(&mut stream).unwrap())
        .map(|answer| (answer.metadata.id, answer.answers[0].name.to_ascii()))
        .collect();
    let asked = questions.iter().map(|query| query.metadata.id).zip(names);
    let mut asked: Vec<_> = asked.collect();
    answered.sort();
    asked.sort();
    assert_eq!(answered, asked);
}

#[test]
fn a_client_that_has_closed_its_half_is_answered_still() {
    let server = Server::of(1);
    let forwarder = Forwarder::start(&[&server], &[], json!({}));
    let mut stream = forwarder.connect();
    write_all(&mut stream, &frame(&query("one.test.", RecordType::A)));
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_frame(&mut stream).unwrap().answers.len(), 1);
    assert!(read_frame(&mut stream).is_none());
}

#[test]
fn a_silent_connection_is_closed_and_one_that_waits_is_not() {
    let server = Server::silent();
    let limits = json!({ "idle_ms": 500, "timeout_ms": 600 });
    let forwarder = Forwarder::start(&[&server], &[], limits);
    let mut stream = forwarder.connect();
    write_all(&mut stream, &frame(&query("one.test.", RecordType::A)));
    // The answer takes longer than a connection may be silent.
    assert!(read_frame(&mut stream).is_some());
    assert!(read_frame(&mut stream).is_none());
    // Half a question is silence.
    let mut stream = forwarder.connect();
    write_all(&mut stream, &[0, 40, 1]);
    assert!(read_frame(&mut stream).is_none());
}

#[test]
fn one_connection_too_many_is_closed() {
    let server = Server::of(1);
    let forwarder = Forwarder::start(&[&server], &[], json!({ "connections": 2 }));
    let asks = |stream: &mut TcpStream| {
        write_all(stream, &frame(&query("one.test.", RecordType::A)));
        read_frame(stream).is_some()
    };
    let (mut one, mut two) = (forwarder.connect(), forwarder.connect());
    assert!(asks(&mut one) && asks(&mut two));
    let mut three = forwarder.connect();
    let length = uninterrupted(|| three.read(&mut [0]));
    assert_eq!(length.unwrap(), 0);
    assert!(asks(&mut one));
}
