//! Which server is asked.

use std::time::Instant;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use serde_json::json;

use super::server::{Server, nobody};
use super::*;

#[test]
fn a_name_is_asked_of_the_servers_of_its_most_specific_domain() {
    let (lan, tunnel, lab) = (Server::of(1), Server::of(2), Server::of(3));
    let routes = [("fps.test", &tunnel), ("~lab.fps.test", &lab)];
    let forwarder = Forwarder::start(&[&lan], &routes, json!({}));
    for (name, expected) in [
        ("fps.test.", "10.0.0.2"),
        ("www.FPS.test.", "10.0.0.2"),
        ("notfps.test.", "10.0.0.1"),
        ("fps.test.example.", "10.0.0.1"),
        ("a.lab.fps.test.", "10.0.0.3"),
    ] {
        assert_eq!(forwarder.address_of(name), expected, "{name}");
    }
    assert_eq!(lan.asked(), ["notfps.test.", "fps.test.example."]);
}

#[test]
fn the_root_takes_every_other_name() {
    let (lan, all) = (Server::of(1), Server::of(2));
    let forwarder = Forwarder::start(&[&lan], &[("~.", &all)], json!({}));
    assert_eq!(forwarder.address_of("example."), "10.0.0.2");
    assert!(lan.asked().is_empty());
}

#[test]
fn a_name_without_a_server_is_refused() {
    let tunnel = Server::of(2);
    let forwarder = Forwarder::start(&[], &[("fps.test", &tunnel)], json!({}));
    assert_eq!(rcode(&forwarder.ask("example.")), ResponseCode::Refused);
    assert_eq!(forwarder.address_of("fps.test."), "10.0.0.2");
}

#[test]
fn a_group_that_cannot_be_reached_fails_at_once_and_leaks_nothing() {
    let lan = Server::of(1);
    let mut config = config(&[&lan], &[], json!({ "timeout_ms": 60_000 }));
    config["routes"] = json!([{ "domains": ["fps.test"], "servers": [nobody(), nobody()] }]);
    let forwarder = Forwarder::with(&config);
    let begin = Instant::now();
    assert_eq!(
        rcode(&forwarder.ask("secret.fps.test.")),
        ResponseCode::ServFail
    );
    assert!(begin.elapsed() < DEADLINE, "{:?}", begin.elapsed());
    // The default server would have been seen: it is, with another name.
    assert_eq!(forwarder.address_of("control.test."), "10.0.0.1");
    assert_eq!(lan.asked(), ["control.test."]);
}

#[test]
fn the_next_server_is_asked_where_one_is_dead_silent_or_does_not_know() {
    let (silent, good) = (Server::silent(), Server::of(1));
    let confused = Server::new(|query, _| vec![failure(query, ResponseCode::ServFail)]);
    for first in [nobody(), silent.address(), confused.address()] {
        let mut config = config(&[], &[], json!({ "timeout_ms": 1000 }));
        config["default"] = json!([first, good.address()]);
        let forwarder = Forwarder::with(&config);
        assert_eq!(forwarder.address_of("one.test."), "10.0.0.1", "{first}");
    }
    assert_eq!((silent.asked().len(), confused.asked().len()), (1, 1));
}

#[test]
fn the_server_that_answered_is_asked_first() {
    let (silent, good) = (Server::silent(), Server::of(1));
    let forwarder = Forwarder::start(&[&silent, &good], &[], json!({ "timeout_ms": 1000 }));
    forwarder.address_of("one.test.");
    forwarder.address_of("two.test.");
    assert_eq!(silent.asked(), ["one.test."]);
    assert_eq!(good.asked(), ["one.test.", "two.test."]);
}

#[test]
fn a_server_behind_many_dead_ones_has_its_turn() {
    let (dead, good) = ([(); 6].map(|()| Server::silent()), Server::of(1));
    let all: Vec<_> = dead.iter().chain([&good]).collect();
    let forwarder = Forwarder::start(&all, &[], json!({ "timeout_ms": 300 }));
    let answered = (0..5).any(|_| rcode(&forwarder.ask("one.test.")) == ResponseCode::NoError);
    assert!(answered);
}

#[test]
fn a_lost_datagram_is_sent_again() {
    let count = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::new(move |query, _| {
        match count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => vec![],
            _ => vec![answer(query, vec![a("one.test.", 60, 1)])],
        }
    });
    let forwarder = Forwarder::start(&[&server], &[], json!({ "timeout_ms": 1000 }));
    assert_eq!(forwarder.address_of("one.test."), "10.0.0.1");
}

#[test]
fn a_server_that_does_not_know_edns_is_asked_without() {
    let server = Server::new(|query, _| match query.edns {
        Some(_) => vec![failure(query, ResponseCode::FormErr)],
        None => vec![answer(query, vec![a("one.test.", 60, 1)])],
    });
    let forwarder = Forwarder::start(&[&server], &[], json!({}));
    let got = forwarder
        .client()
        .ask(&query_with_payload("one.test.", 1232));
    assert_eq!((got.answers.len(), got.edns.is_some()), (1, true));
}

#[test]
fn other_types_go_the_same_way() {
    let (lan, tunnel) = (Server::of(1), Server::of(2));
    let forwarder = Forwarder::start(&[&lan], &[("fps.test", &tunnel)], json!({}));
    for record_type in [RecordType::AAAA, RecordType::SOA, RecordType::HTTPS] {
        forwarder.client().ask(&query("fps.test.", record_type));
    }
    assert_eq!(tunnel.asked().len(), 3);
    assert!(lan.asked().is_empty());
    forwarder.ask("control.test.");
    assert_eq!(lan.asked(), ["control.test."]);
}
