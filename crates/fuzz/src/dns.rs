//! DNS messages: whatever a client asks and a server answers, what the forwarder and a lab's server say
//! to it can be read, fits, and belongs to the question.
//!
//! Input: how large a datagram may be, how old the answer is, the question behind its length, and the
//! answer.

use fps_dns::forward::answer::Answer;
use fps_dns::forward::chain::{self, End};
use fps_dns::forward::lifetime::lifetime;
use fps_dns::forward::request::{Request, Unusable};
use fps_dns::zone::{Server, Transport, Zone};
use hickory_proto::op::{Edns, Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::rdata::{A, CNAME};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use crate::input::{Input, put};
use crate::seed::Seed;

/// The least that every client takes by UDP (RFC 1035, 4.2.1).
const LEAST: usize = 512;
/// A header (RFC 1035, 4.1.1).
const HEADER_LEN: usize = 12;

/// See the module.
pub fn check(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    let (room, age) = (usize::from(input.short()), input.long());
    let (question, answer) = (input.some(), input.rest());
    served(question);
    match Request::read(question) {
        Ok(request) => forwarded(question, &request, answer, room, age),
        Err(Unusable::Silence) => false,
        Err(Unusable::Reply(reply)) => {
            let code = read(question, &reply).metadata.response_code;
            assert_ne!(code, ResponseCode::NoError);
            false
        }
    }
}

/// Reads what is said to a question.
fn read(question: &[u8], reply: &[u8]) -> Message {
    let message = Message::from_vec(reply).expect("a message");
    assert_eq!(message.metadata.message_type, MessageType::Response);
    assert_eq!(reply[..2], question[..2], "the ID");
    message
}

/// What a lab's server says.
fn served(question: &[u8]) {
    let mut zone = Zone::new(&Name::root());
    zone.add("www A 192.0.2.80").expect("a record");
    zone.add("here CNAME www").expect("a record");
    let mut server = Server::default();
    server.put(zone);
    let udp = server.reply(question, Transport::Udp).bytes;
    let tcp = server.reply(question, Transport::Tcp).bytes;
    assert_eq!(udp.is_some(), tcp.is_some());
    for reply in [udp, tcp].into_iter().flatten() {
        read(question, &reply);
    }
}

/// What the forwarder makes of an answer.
fn forwarded(question: &[u8], request: &Request, answer: &[u8], room: usize, age: u32) -> bool {
    assert!(request.payload() >= LEAST);
    let failure = read(question, &request.fail(ResponseCode::ServFail));
    assert_eq!(failure.metadata.response_code, ResponseCode::ServFail);
    let Ok(mut message) = Message::from_vec(answer) else {
        return false;
    };
    let end = chain::end(&request.question, &message);
    let kept = lifetime(&mut message, end != End::Records);
    let (code, truncated) = (message.metadata.response_code, message.metadata.truncation);
    assert!(kept.is_none() || !truncated && code != ResponseCode::ServFail);
    let ttls: Vec<_> = message.answers.iter().map(|record| record.ttl).collect();
    let Ok(answer) = Answer::new(&request.question, message) else {
        return false;
    };
    assert_eq!(answer.rcode(), code);
    let room = room.max(LEAST);
    let whole = answer.write(request, age, usize::from(u16::MAX));
    let written = answer.write(request, age, room);
    assert!(whole[HEADER_LEN..].starts_with(request.section()));
    let (whole, short) = (read(question, &whole), read(question, &written));
    assert!(written.len() <= room || short.answers.is_empty());
    assert!(short == whole || short.metadata.truncation && short.answers.is_empty());
    let left = whole.answers.iter().map(|record| record.ttl);
    assert!(left.eq(ttls.iter().map(|ttl| ttl.saturating_sub(age))));
    true
}

/// Questions with and without EDNS, answers with records, with an alias that leads nowhere and with
/// nothing.
pub fn seeds() -> Vec<Seed> {
    let name: Name = "www.fps.test.".parse().expect("a name");
    let other: Name = "other.fps.test.".parse().expect("a name");
    let mut question = Message::query();
    question.add_query(Query::query(name.clone(), RecordType::A));
    let mut with_edns = question.clone();
    with_edns.set_edns(Edns::new());
    let response = |records: Vec<Record>| {
        let mut message = question.clone().into_response();
        message.add_answers(records);
        message
    };
    let address = |of: &Name| Record::from_rdata(of.clone(), 60, RData::A(A::new(10, 0, 0, 1)));
    let alias = Record::from_rdata(name.clone(), 30, RData::CNAME(CNAME(other.clone())));
    let answers = [
        response(vec![address(&name)]),
        response(vec![alias.clone(), address(&other)]),
        response(vec![alias]),
        response((0..100).map(|_| address(&name)).collect()),
        response(Vec::new()),
    ];
    let bytes = |message: &Message| message.to_vec().expect("a message");
    // An update may have a record without data, and what is said to a client may not.
    let update = [
        &[0, 0, 0x28, 0, 0, 0, 0, 1, 0, 0, 0, 0][..],
        &[0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 0],
    ]
    .concat();
    let mut seeds = vec![Seed::any(
        [&[2, 0, 0, 0, 0, 1][..], &put(b"garbage")].concat(),
    )];
    seeds.push(Seed::any(
        [&[2, 0, 0, 0, 0, 1][..], &put(&bytes(&question)), &update].concat(),
    ));
    for question in [&question, &with_edns] {
        for answer in &answers {
            let head = [2, 0, 0, 0, 0, 1];
            seeds.push(Seed::deep(
                [&head[..], &put(&bytes(question)), &bytes(answer)].concat(),
            ));
        }
    }
    seeds
}
