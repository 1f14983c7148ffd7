//! How much waits.

use std::sync::{Arc, Condvar, Mutex};

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::DNSClass;
use serde_json::json;

use super::server::Server;
use super::*;

/// A server by UDP that answers only when it may.
fn held() -> (Server, Arc<(Mutex<bool>, Condvar)>) {
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let inner = Arc::clone(&gate);
    let server = Server::new(move |query, _| {
        let (open, opened) = &*inner;
        let wait = opened.wait_timeout_while(open.lock().unwrap(), DEADLINE, |open| !*open);
        drop(wait.unwrap());
        let asked = query.queries[0].name().to_ascii();
        vec![answer(query, vec![a(&asked, 60, 1)])]
    });
    (server, gate)
}

fn open(gate: &(Mutex<bool>, Condvar)) {
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
}

/// Waits until all that was sent before has been taken: datagrams are taken in their order, and this
/// one is refused at once.
fn settle(forwarder: &Forwarder) {
    let mut chaos = query("end.test.", RecordType::A);
    chaos.queries[0].set_query_class(DNSClass::CH);
    let refused = forwarder.client().ask(&chaos);
    assert_eq!(rcode(&refused), ResponseCode::Refused);
}

#[test]
fn those_who_ask_the_same_wait_for_one_answer() {
    let (server, gate) = held();
    let forwarder = Forwarder::start(&[&server], &[], json!({ "timeout_ms": 60_000 }));
    let clients = [(); 5].map(|()| forwarder.client());
    for client in &clients {
        client.send(&query("one.test.", RecordType::A));
    }
    settle(&forwarder);
    open(&gate);
    for client in &clients {
        assert_eq!(client.receive().answers.len(), 1);
    }
    forwarder.ask("two.test.");
    assert_eq!(server.asked(), ["one.test.", "two.test."]);
}

#[test]
fn one_question_too_many_fails_at_once() {
    let (server, gate) = held();
    let limits = json!({ "outstanding": 2, "timeout_ms": 60_000 });
    let forwarder = Forwarder::start(&[&server], &[], limits);
    let (one, two) = (forwarder.client(), forwarder.client());
    one.send(&query("one.test.", RecordType::A));
    two.send(&query("two.test.", RecordType::A));
    assert_eq!(rcode(&forwarder.ask("three.test.")), ResponseCode::ServFail);
    assert!(
        forwarder
            .wait_for_line("event=overload")
            .contains("count=1")
    );
    open(&gate);
    assert_eq!(
        (one.receive().answers.len(), two.receive().answers.len()),
        (1, 1)
    );
    assert_eq!(forwarder.address_of("three.test."), "10.0.0.1");
}

#[test]
fn a_client_that_asks_again_is_answered_once() {
    let (server, gate) = held();
    let forwarder = Forwarder::start(&[&server], &[], json!({ "timeout_ms": 60_000 }));
    let client = forwarder.client();
    let asked = query("one.test.", RecordType::A);
    client.send(&asked);
    client.send(&asked);
    settle(&forwarder);
    open(&gate);
    client.receive();
    // A second answer would come before this one.
    assert_eq!(
        client.ask(&query("two.test.", RecordType::A)).answers.len(),
        1
    );
    assert_eq!(server.asked(), ["one.test.", "two.test."]);
}

#[test]
fn a_connection_waits_with_its_next_questions_until_others_are_answered() {
    let server = Server::silent();
    let forwarder = Forwarder::start(&[&server], &[], json!({ "timeout_ms": 60_000 }));
    let mut stream = forwarder.connect();
    let question = |number| frame(&query(&format!("a{number}.test."), RecordType::A));
    let all: Vec<_> = (0..100).flat_map(question).collect();
    write_all(&mut stream, &all);
    server.wait_for(64);
    // The next would have been seen: that of another client is.
    forwarder
        .client()
        .send(&query("control.test.", RecordType::A));
    server.wait_for(65);
    assert_eq!(server.asked()[64], "control.test.");
}
