//! What a server is asked.

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::RecordType;

use super::name::WireName;
use super::opt;

/// How many bytes the header of a message has (RFC 1035, 4.1.1).
pub const HEADER_LEN: usize = 12;
/// The class IN: no other is forwarded, so that no key needs one.
pub const CLASS_IN: u16 = 1;

/// What of a client's flags a server may answer to in another way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Wishes {
    /// RD: follow referrals.
    pub recursion: bool,
    /// AD: the client understands it in an answer (RFC 6840, 5.7).
    pub authentic: bool,
    /// CD: do not verify.
    pub unchecked: bool,
    /// There is an OPT record (RFC 6891).
    pub edns: bool,
    /// DO: add the records of DNSSEC (RFC 3225).
    pub dnssec: bool,
}

/// A name, a type and the wishes that go along; the class is IN.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// Whose records are asked for.
    pub name: WireName,
    /// Which of them.
    pub record_type: RecordType,
    /// And how.
    pub wishes: Wishes,
}

/// What some bytes are to a question that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The answer to something else, or none.
    Foreign,
    /// The answer, of which a part is missing (TC).
    Truncated,
    /// The answer.
    Whole,
}

impl Question {
    /// The question of the same kind about another name.
    pub fn about(&self, name: WireName) -> Self {
        Self {
            name,
            ..self.clone()
        }
    }

    /// The same question in the words of 1987.
    pub fn without_edns(&self) -> Self {
        let mut question = self.clone();
        question.wishes.edns = false;
        question.wishes.dnssec = false;
        question
    }

    /// As a message's question section has it.
    pub fn to_query(&self) -> Query {
        Query::query(self.name.to_name(), self.record_type)
    }

    /// A message that asks it. Its ID cannot be guessed (RFC 5452, 4.3).
    pub fn to_message(&self) -> Vec<u8> {
        let id: u16 = Message::query().metadata.id;
        let wishes = self.wishes;
        let high = u8::from(wishes.recursion);
        let low = u8::from(wishes.authentic) << 5 | u8::from(wishes.unchecked) << 4;
        let mut bytes = id.to_be_bytes().to_vec();
        bytes.extend([high, low, 0, 1, 0, 0, 0, 0, 0, u8::from(wishes.edns)]);
        bytes.extend(self.name.as_bytes());
        bytes.extend(u16::from(self.record_type).to_be_bytes());
        bytes.extend(CLASS_IN.to_be_bytes());
        if wishes.edns {
            bytes.extend(opt::record(0, wishes.dnssec));
        }
        bytes
    }

    /// What these bytes are, where the message with the ID `id` was asked.
    pub fn verdict(&self, id: [u8; 2], bytes: &[u8]) -> Verdict {
        let Some((header, rest)) = bytes.split_at_checked(HEADER_LEN) else {
            return Verdict::Foreign;
        };
        let (is_query_response, failed) = (header[2] & 0xf8 == 0x80, header[3] & 0x0f != 0);
        let fits = match [header[4], header[5]] {
            [0, 1] => self.is_at(rest),
            // Who could not read the question leaves it out.
            [0, 0] => failed,
            _ => false,
        };
        match header[..2] == id && is_query_response && fits {
            false => Verdict::Foreign,
            true if header[2] & 2 != 0 => Verdict::Truncated,
            true => Verdict::Whole,
        }
    }

    fn is_at(&self, bytes: &[u8]) -> bool {
        let [high, low] = u16::from(self.record_type).to_be_bytes();
        let behind = bytes.get(self.name.as_bytes().len()..);
        WireName::read(bytes).as_ref() == Some(&self.name)
            && behind.is_some_and(|behind| behind.starts_with(&[high, low, 0, 1]))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use hickory_proto::op::{Edns, MessageType, OpCode};
    use hickory_proto::rr::Name;

    use super::*;

    /// A question with recursion and no other wish.
    pub(in super::super) fn question(name: &str, record_type: RecordType) -> Question {
        Question {
            name: WireName::of(&Name::from_ascii(name).unwrap()),
            record_type,
            wishes: Wishes {
                recursion: true,
                ..Wishes::default()
            },
        }
    }

    #[test]
    fn is_a_message_that_others_can_read() {
        let mut asked = question("www.fps.test.", RecordType::AAAA);
        asked.wishes.edns = true;
        asked.wishes.dnssec = true;
        let read = Message::from_vec(&asked.to_message()).unwrap();
        assert_eq!(read.queries, [asked.to_query()]);
        assert_eq!(
            (read.metadata.op_code, read.metadata.message_type),
            (OpCode::Query, MessageType::Query)
        );
        assert!(read.metadata.recursion_desired && !read.metadata.checking_disabled);
        assert!(
            read.edns
                .as_ref()
                .is_some_and(|edns: &Edns| edns.flags().dnssec_ok)
        );
    }

    #[test]
    fn takes_an_answer_only_with_its_id_its_name_and_its_type() {
        let asked = question("www.fps.test.", RecordType::A);
        let mut answer = asked.to_message();
        let id = [answer[0], answer[1]];
        assert_eq!(asked.verdict(id, &answer), Verdict::Foreign, "a question");
        answer[2] |= 0x80;
        assert_eq!(asked.verdict(id, &answer), Verdict::Whole);
        answer[13] = b'W';
        assert_eq!(asked.verdict(id, &answer), Verdict::Whole, "case");
        for (place, what) in [
            (0, "ID"),
            (5, "count"),
            (14, "name"),
            (27, "type"),
            (29, "class"),
        ] {
            let mut other = answer.clone();
            other[place] ^= 4;
            assert_eq!(asked.verdict(id, &other), Verdict::Foreign, "{what}");
        }
        for length in 0..answer.len() {
            assert_eq!(
                asked.verdict(id, &answer[..length]),
                Verdict::Foreign,
                "{length}"
            );
        }
        answer[2] |= 2;
        assert_eq!(asked.verdict(id, &answer), Verdict::Truncated);
    }
}
