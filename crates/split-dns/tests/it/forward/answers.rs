//! What is taken for an answer, and what of it clients get.

use hickory_proto::op::{MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::TXT;
use serde_json::json;

use super::server::{Server, Transport};
use super::*;

/// So many records with texts of 200 bytes.
fn texts(query: &Message, count: usize) -> Message {
    let text = || RData::TXT(TXT::new(vec!["x".repeat(200)]));
    let record = |_| Record::from_rdata(name("long.test."), 60, text());
    answer(query, (0..count).map(record).collect())
}

#[test]
fn an_answer_that_is_cut_is_asked_for_by_tcp() {
    let server = Server::new(|query, transport| match transport {
        Transport::Udp => {
            let mut message = answer(query, vec![]);
            message.metadata.truncation = true;
            vec![message]
        }
        Transport::Tcp => vec![answer(query, vec![a("one.test.", 60, 1)])],
    });
    let forwarder = Forwarder::start(&[&server], &[], json!({}));
    assert_eq!(forwarder.address_of("one.test."), "10.0.0.1");
    assert_eq!(server.asked(), ["one.test.", "one.test. by TCP"]);
}

#[test]
fn a_client_gets_no_more_than_it_takes() {
    let server = Server::new(|query, _| vec![texts(query, 5)]);
    let forwarder = Forwarder::start(&[&server], &[], json!({}));
    let client = forwarder.client();
    let asked = query("long.test.", RecordType::TXT);
    let mut edns = query_with_payload("long.test.", 1100);
    edns.queries = asked.queries.clone();
    let mut large = query_with_payload("long.test.", 1200);
    large.queries = asked.queries.clone();
    for (asked, expected) in [(&asked, 0), (&edns, 0), (&large, 5)] {
        let got = client.ask(asked);
        assert_eq!(got.answers.len(), expected, "{asked:?}");
        assert_eq!(got.metadata.truncation, expected == 0);
        assert_eq!(got.edns.is_some(), asked.edns.is_some());
    }
    let mut stream = forwarder.connect();
    write_all(&mut stream, &frame(&asked));
    assert_eq!(read_frame(&mut stream).unwrap().answers.len(), 5);
}

#[test]
fn only_the_answer_to_the_question_is_taken() {
    let server = Server::new(|query, _| {
        let forged = || answer(query, vec![a("one.test.", 60, 66)]);
        let (mut id, mut name_, mut kind, mut is_query) = (forged(), forged(), forged(), forged());
        id.metadata.id ^= 1;
        name_.queries[0].set_name(name("two.test."));
        kind.queries[0].set_query_type(RecordType::AAAA);
        is_query.metadata.message_type = MessageType::Query;
        let good = answer(query, vec![a("one.test.", 60, 1)]);
        vec![id, name_, kind, is_query, good]
    });
    let forwarder = Forwarder::start(&[&server], &[], json!({}));
    assert_eq!(forwarder.address_of("one.test."), "10.0.0.1");
}

#[test]
fn only_the_server_that_was_asked_is_believed() {
    let server = UdpSocket::bind("127.0.0.2:0").unwrap();
    server.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut config = config(&[], &[], json!({}));
    config["default"] = json!([server.local_addr().unwrap()]);
    let forwarder = Forwarder::with(&config);
    let client = forwarder.client();
    client.send(&query("one.test.", RecordType::A));
    let mut bytes = [0; 512];
    let (length, port) = uninterrupted(|| server.recv_from(&mut bytes)).unwrap();
    let query = Message::from_vec(&bytes[..length]).unwrap();
    let stranger = UdpSocket::bind("127.0.0.3:0").unwrap();
    let forged = answer(&query, vec![a("one.test.", 60, 66)]);
    stranger.send_to(&forged.to_vec().unwrap(), port).unwrap();
    let good = answer(&query, vec![a("one.test.", 60, 1)]);
    server.send_to(&good.to_vec().unwrap(), port).unwrap();
    assert_eq!(client.receive().answers, good.answers);
}

#[test]
fn each_question_has_another_port_and_another_id() {
    let server = UdpSocket::bind("127.0.0.2:0").unwrap();
    server.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut config = config(&[], &[], json!({}));
    config["default"] = json!([server.local_addr().unwrap()]);
    let forwarder = Forwarder::with(&config);
    let mut seen = (0..20).map(|number| {
        let asked = query(&format!("a{number}.test."), RecordType::A);
        forwarder.client().send(&asked);
        let mut bytes = [0; 512];
        let (_, port) = uninterrupted(|| server.recv_from(&mut bytes)).unwrap();
        let is_the_clients = bytes[..2] == asked.metadata.id.to_be_bytes();
        (port, bytes[0], bytes[1], is_the_clients)
    });
    let mut all: Vec<_> = seen.by_ref().collect();
    assert!(
        all.iter()
            .filter(|(.., is_the_clients)| *is_the_clients)
            .count()
            < 3
    );
    all.sort();
    all.dedup_by_key(|(port, ..)| *port);
    assert_eq!(all.len(), 20, "all wait, so that no port can be used twice");
    let spread = all
        .windows(2)
        .any(|pair| pair[0].0.port() + 1 < pair[1].0.port());
    assert!(spread, "{all:?}");
}

#[test]
fn garbage_is_told_or_left_alone_and_harms_nobody() {
    let server = Server::of(1);
    let forwarder = Forwarder::start(&[&server], &[], json!({}));
    let client = forwarder.client();
    let good = query("one.test.", RecordType::A);
    let whole = good.to_vec().unwrap();
    // In the order of arrival, so that an answer to what is left alone would come first.
    let mut response = whole.clone();
    response[2] |= 0x80;
    for silent in [&b""[..], b"\x01", b"\x01\x02\x01", &response] {
        client.0.send(silent).unwrap();
    }
    assert_eq!(rcode(&client.ask(&good)), ResponseCode::NoError);
    let mut compressed = whole[..12].to_vec();
    compressed.extend([0xc0, 12, 0, 1, 0, 1]);
    for wrong in [&whole[..4], &whole[..20], &compressed] {
        client.0.send(wrong).unwrap();
        let got = client.receive();
        assert_eq!(rcode(&got), ResponseCode::FormErr, "{wrong:?}");
        assert_eq!(got.metadata.id, good.metadata.id);
    }
    let mut notify = good.clone();
    notify.metadata.op_code = OpCode::Notify;
    client.send(&notify);
    assert_eq!(rcode(&client.receive()), ResponseCode::NotImp);
    let mut two = good.clone();
    two.queries.extend(good.queries.clone());
    client.send(&two);
    assert_eq!(rcode(&client.receive()), ResponseCode::FormErr);
    let mut chaos = good.clone();
    chaos.queries[0].set_query_class(hickory_proto::rr::DNSClass::CH);
    assert_eq!(rcode(&client.ask(&chaos)), ResponseCode::Refused);
    assert_eq!(server.asked(), ["one.test."]);
}
