//! A question, and what is said to it.

use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, RecordType};

use super::lookup::{ALIASES, Found};
use super::{Manner, Manners, Zone};

/// The longest answer by UDP to who says nothing of its size (RFC 1035, 4.2.1).
const PLAIN: u16 = 512;

/// How a question came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// As a datagram.
    Udp,
    /// Behind its length, in a connection.
    Tcp,
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// For which name.
    pub name: Name,
    /// And type.
    pub kind: RecordType,
}

/// What comes of a question.
#[derive(Clone, Debug)]
pub struct Reply {
    /// What was asked; none where it cannot be read.
    pub asked: Option<Asked>,
    /// In a few words what is answered, for a log.
    pub word: String,
    /// How much later.
    pub delay: Duration,
    /// What is sent, if anything.
    pub bytes: Option<Vec<u8>>,
}

/// A server of zones. What is in none of them it refuses.
#[derive(Clone, Debug, Default)]
pub struct Server {
    zones: Vec<Zone>,
    /// How it misbehaves.
    pub manners: Manners,
}

impl Server {
    /// Takes a zone, in place of one with the same apex.
    pub fn put(&mut self, zone: Zone) {
        self.zones.retain(|other| other.apex() != zone.apex());
        self.zones.push(zone);
        // The longest apex is found first.
        self.zones
            .sort_by_key(|zone| std::cmp::Reverse(zone.apex().num_labels()));
    }

    /// The zone with an apex.
    pub fn zone_mut(&mut self, apex: &Name) -> Option<&mut Zone> {
        self.zones.iter_mut().find(|zone| zone.apex() == apex)
    }

    /// Answers a question.
    pub fn reply(&self, bytes: &[u8], by: Transport) -> Reply {
        let question = match Message::from_vec(bytes) {
            Ok(message) if message.metadata.message_type == MessageType::Query => message,
            Ok(_) => return Reply::none("no question"),
            Err(_) => return unreadable(bytes),
        };
        let [query] = question.queries.as_slice() else {
            return Reply::error(&question, ResponseCode::FormErr);
        };
        if question.metadata.op_code != OpCode::Query {
            return Reply::error(&question, ResponseCode::NotImp);
        }
        if query.query_class() != DNSClass::IN {
            return Reply::error(&question, ResponseCode::Refused);
        }
        let (name, kind) = (query.name().clone(), query.query_type());
        let manner = self.manners.of(&name);
        let mut reply = match manner {
            Some(Manner::Silent) => Reply::none("silence"),
            Some(Manner::Refuses) => Reply::error(&question, ResponseCode::Refused),
            Some(Manner::Fails) => Reply::error(&question, ResponseCode::ServFail),
            _ => self.answer(&question, &name, kind, by, manner),
        };
        if let Some(Manner::Delayed(delay)) = manner {
            reply.delay = delay;
        }
        reply.asked = Some(Asked { name, kind });
        reply
    }

    fn answer(
        &self,
        question: &Message,
        name: &Name,
        kind: RecordType,
        by: Transport,
        manner: Option<Manner>,
    ) -> Reply {
        let zone = self.zones.iter().find(|zone| zone.apex().zone_of(name));
        let Some(zone) = zone else {
            return Reply::error(question, ResponseCode::Refused);
        };
        let found = self.across(zone.look_up(name, kind), kind);
        let mut message = response(question, code(&found));
        message.metadata.authoritative = true;
        let word = word(&found, message.metadata.response_code);
        message.add_answers(found.answers);
        message.add_authorities(found.authority);
        let whole = message.to_vec().expect("records of a zone");
        let most = match by {
            Transport::Udp => question.edns.as_ref().map_or(PLAIN, Edns::max_payload),
            Transport::Tcp => u16::MAX,
        };
        let truncates = manner == Some(Manner::Truncates) && by == Transport::Udp;
        if !truncates && whole.len() <= most.max(PLAIN).into() {
            return Reply::of(word, whole);
        }
        let short = message.truncate().to_vec().expect("a head and a question");
        Reply::of("truncated".to_owned(), short)
    }
}

impl Server {
    /// Follows an alias that leads into another zone of ours, as a resolver would.
    fn across(&self, mut found: Found, kind: RecordType) -> Found {
        for _ in 0..ALIASES {
            let target = match found.answers.last().map(|record| &record.data) {
                Some(RData::CNAME(target))
                    if found.authority.is_none() && kind != RecordType::CNAME =>
                {
                    target.0.clone()
                }
                _ => return found,
            };
            let zone = self.zones.iter().find(|zone| zone.apex().zone_of(&target));
            let Some(zone) = zone else {
                return found;
            };
            let more = zone.look_up(&target, kind);
            found.answers.extend(more.answers);
            (found.authority, found.is_unknown) = (more.authority, more.is_unknown);
        }
        found
    }
}

impl Reply {
    fn of(word: String, bytes: Vec<u8>) -> Self {
        Self {
            asked: None,
            word,
            delay: Duration::ZERO,
            bytes: Some(bytes),
        }
    }

    fn none(word: &str) -> Self {
        Self {
            bytes: None,
            ..Self::of(word.to_owned(), Vec::new())
        }
    }

    fn error(question: &Message, code: ResponseCode) -> Self {
        let message = response(question, code);
        let bytes = message.to_vec().expect("a head and questions");
        Self::of(code.to_string(), bytes)
    }
}

/// The head of an answer. Who serves a network answers all that can be known, so recursion is available.
fn response(question: &Message, code: ResponseCode) -> Message {
    let asked = &question.metadata;
    let mut message = Message::response(asked.id, asked.op_code);
    message.metadata.recursion_desired = asked.recursion_desired;
    message.metadata.recursion_available = true;
    message.metadata.response_code = code;
    message.add_queries(question.queries.iter().cloned());
    if question.edns.is_some() {
        let mut edns = Edns::new();
        edns.set_max_payload(1232).set_version(0);
        message.set_edns(edns);
    }
    message
}

/// FORMERR where there is at least an ID to say it to (RFC 1035, 4.1.1).
fn unreadable(bytes: &[u8]) -> Reply {
    match bytes {
        [high, low, flags, ..] if bytes.len() >= 12 && flags & 0x80 == 0 => {
            let id = u16::from_be_bytes([*high, *low]);
            let code = ResponseCode::FormErr;
            let message = Message::error_msg(id, OpCode::Query, code);
            Reply::of(code.to_string(), message.to_vec().expect("a head"))
        }
        _ => Reply::none("no question"),
    }
}

fn code(found: &Found) -> ResponseCode {
    match found.is_unknown {
        true => ResponseCode::NXDomain,
        false => ResponseCode::NoError,
    }
}

fn word(found: &Found, code: ResponseCode) -> String {
    let data = found.answers.iter().map(|record| record.data.to_string());
    let data: Vec<_> = data.collect();
    match (found.is_unknown, data.as_slice()) {
        (true, _) => code.to_string(),
        (false, []) => "no data".to_owned(),
        (false, data) => data.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::Query;

    use super::*;

    fn server() -> Server {
        let mut zone = Zone::new(&"fps.test.".parse().unwrap());
        for line in [
            "intranet 30 IN A 10.66.1.80",
            "intranet AAAA fd66:1::80",
            "www CNAME intranet",
            "out CNAME www.example.net.",
            "back CNAME host.test.",
            "one.two.three TXT \"deep down\"",
            "_ldap._tcp SRV 10 20 389 intranet",
        ] {
            zone.add(line).unwrap();
        }
        (0..60).for_each(|host| zone.add(&format!("many A 10.66.2.{host}")).unwrap());
        let mut server = Server::default();
        let mut above = Zone::new(&"test.".parse().unwrap());
        above.add("host A 10.66.1.81").unwrap();
        server.put(above);
        server.put(zone);
        server
    }

    fn ask(server: &Server, name: &str, kind: RecordType, by: Transport) -> Option<Message> {
        let mut question = Message::query();
        question.add_query(Query::query(name.parse().unwrap(), kind));
        let reply = server.reply(&question.to_vec().unwrap(), by);
        let answer = Message::from_vec(&reply.bytes?).unwrap();
        assert_eq!(answer.metadata.id, question.metadata.id);
        assert_eq!(answer.queries, question.queries);
        Some(answer)
    }

    fn data(message: &Message) -> Vec<String> {
        let records = message.answers.iter();
        records.map(|record| record.data.to_string()).collect()
    }

    #[test]
    fn answers_what_is_in_its_zones() {
        use RecordType::{A, AAAA, SRV, TXT};
        let server = server();
        for (name, kind, expected) in [
            ("intranet.fps.test.", A, &["10.66.1.80"][..]),
            ("INTRANET.fps.Test.", AAAA, &["fd66:1::80"]),
            ("www.fps.test.", A, &["intranet.fps.test.", "10.66.1.80"]),
            ("out.fps.test.", A, &["www.example.net."]),
            ("back.fps.test.", A, &["host.test.", "10.66.1.81"]),
            ("one.two.three.fps.test.", TXT, &["deep down"]),
            (
                "_ldap._tcp.fps.test.",
                SRV,
                &["10 20 389 intranet.fps.test."],
            ),
            // It is there, and has none of that type; so is a name between two dots.
            ("intranet.fps.test.", TXT, &[]),
            ("two.three.fps.test.", A, &[]),
        ] {
            let answer = ask(&server, name, kind, Transport::Udp).unwrap();
            assert_eq!(data(&answer), expected, "{name}");
            let code = answer.metadata.response_code;
            assert_eq!(code, ResponseCode::NoError, "{name}");
            assert_eq!(answer.authorities.len(), usize::from(expected.is_empty()));
        }
        let unknown = ask(&server, "none.fps.test.", A, Transport::Udp).unwrap();
        assert_eq!(unknown.metadata.response_code, ResponseCode::NXDomain);
        assert_eq!(unknown.authorities[0].name, "fps.test.".parse().unwrap());
        assert_eq!(unknown.authorities[0].ttl, 60);
        let other = ask(&server, "www.example.net.", A, Transport::Udp).unwrap();
        assert_eq!(other.metadata.response_code, ResponseCode::Refused);
    }

    #[test]
    fn an_answer_that_is_too_long_for_a_datagram_is_whole_by_tcp() {
        let (server, name) = (server(), "many.fps.test.");
        let short = ask(&server, name, RecordType::A, Transport::Udp).unwrap();
        assert!(short.metadata.truncation && short.answers.is_empty());
        let whole = ask(&server, name, RecordType::A, Transport::Tcp).unwrap();
        assert!(!whole.metadata.truncation);
        assert_eq!(whole.answers.len(), 60);
    }

    #[test]
    fn misbehaves_as_it_is_told() {
        let (mut server, kind) = (server(), RecordType::A);
        let below: Name = "fps.test.".parse().unwrap();
        let name = "intranet.fps.test.";
        let udp = |server: &Server| ask(server, name, kind, Transport::Udp);
        server.manners.set(below.clone(), Manner::Silent);
        assert_eq!(udp(&server), None);
        server.manners.set(name.parse().unwrap(), Manner::Fails);
        let code = udp(&server).unwrap().metadata.response_code;
        assert_eq!(code, ResponseCode::ServFail, "the longest name counts");
        server.manners.set(name.parse().unwrap(), Manner::Truncates);
        assert!(udp(&server).unwrap().metadata.truncation);
        let tcp = ask(&server, name, kind, Transport::Tcp).unwrap();
        assert_eq!(data(&tcp), ["10.66.1.80"]);
        server.manners.forget(&name.parse().unwrap());
        server.manners.forget(&below);
        assert_eq!(data(&udp(&server).unwrap()), ["10.66.1.80"]);
    }

    #[test]
    fn garbage_gets_little() {
        let server = server();
        let say = |bytes: &[u8]| server.reply(bytes, Transport::Udp).bytes;
        assert_eq!(say(&[]), None);
        assert_eq!(say(&[7; 5]), None);
        let bad = [&[1, 2, 1, 0, 0, 9][..], &[0; 6], b"\xff"].concat();
        let answer = Message::from_vec(&say(&bad).unwrap()).unwrap();
        assert_eq!(answer.metadata.id, 0x0102);
        assert_eq!(answer.metadata.response_code, ResponseCode::FormErr);
        let answer = ask(&server, "www.fps.test.", RecordType::A, Transport::Udp).unwrap();
        assert_eq!(say(&answer.to_vec().unwrap()), None, "it is no question");
    }

    #[test]
    fn a_line_that_is_no_record_is_refused() {
        let mut zone = Zone::new(&"fps.test.".parse().unwrap());
        zone.add("www CNAME intranet").unwrap();
        for line in [
            "",
            "www",
            "a A 10.0.0",
            "a NOSUCH 1",
            "$INCLUDE /etc/passwd",
            "a A 10.0.0.1\nb A 10.0.0.2",
            "www.example.net. A 10.0.0.1",
            "www A 10.0.0.1",
        ] {
            assert!(zone.add(line).is_err(), "{line}");
        }
    }
}
