//! A client's question.

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::RecordType;

use super::name::WireName;
use super::opt;
use super::question::{CLASS_IN, HEADER_LEN, Question, Wishes};

/// The largest message by UDP where the client has not said that it takes more (RFC 1035, 4.2.1).
const SMALLEST_PAYLOAD: u16 = 512;
/// The largest message by UDP, whatever the client says.
const LARGEST_PAYLOAD: u16 = 4096;

/// A question that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What the answer has to repeat.
    pub id: u16,
    /// What is asked.
    pub question: Question,
    /// The question section as the client wrote it: some check the case of the name.
    section: Box<[u8]>,
    /// How many bytes the client takes by UDP.
    payload: u16,
}

/// Bytes that are no such question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// There is nobody to tell, or it is an answer: two servers must not answer one another for ever.
    Silence,
    /// The message that says what is wrong.
    Reply(Vec<u8>),
}

impl Request {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// FORMERR where it is malformed or has not one question, NOTIMP for operations other than
    /// QUERY, REFUSED for classes other than IN and for zone transfers, BADVERS for an EDNS that is
    /// not known; and silence for answers and for less than an ID with flags.
    pub fn read(bytes: &[u8]) -> Result<Self, Unusable> {
        let Some(&[first, second, high, _]) = bytes.first_chunk() else {
            return Err(Unusable::Silence);
        };
        if high & 0x80 != 0 {
            return Err(Unusable::Silence);
        }
        let id = u16::from_be_bytes([first, second]);
        let refuse = |rcode| Unusable::Reply(bare_reply(id, high, rcode));
        if high & 0x78 != 0 {
            return Err(refuse(ResponseCode::NotImp));
        }
        let malformed = || refuse(ResponseCode::FormErr);
        if bytes.get(4..6) != Some(&[0, 1]) {
            return Err(malformed());
        }
        let message = Message::from_vec(bytes).map_err(|_| malformed())?;
        let name = WireName::read(&bytes[HEADER_LEN..]).ok_or_else(malformed)?;
        let end = HEADER_LEN + name.as_bytes().len() + 4;
        let edns = message.edns.as_ref();
        let request = Self {
            id,
            question: Question {
                name,
                record_type: message.queries[0].query_type,
                wishes: Wishes {
                    recursion: message.metadata.recursion_desired,
                    authentic: message.metadata.authentic_data,
                    unchecked: message.metadata.checking_disabled,
                    edns: edns.is_some(),
                    dnssec: edns.is_some_and(|edns| edns.flags().dnssec_ok),
                },
            },
            section: bytes[HEADER_LEN..end].into(),
            payload: edns
                .map_or(SMALLEST_PAYLOAD, |edns| edns.max_payload())
                .clamp(SMALLEST_PAYLOAD, LARGEST_PAYLOAD),
        };
        if edns.is_some_and(|edns| edns.version() != 0) {
            return Err(Unusable::Reply(request.fail(ResponseCode::BADVERS)));
        }
        let is_transfer = matches!(
            request.question.record_type,
            RecordType::AXFR | RecordType::IXFR
        );
        if u16::from(message.queries[0].query_class) != CLASS_IN || is_transfer {
            return Err(Unusable::Reply(request.fail(ResponseCode::Refused)));
        }
        Ok(request)
    }

    /// How many bytes the client takes by UDP.
    pub fn payload(&self) -> usize {
        self.payload.into()
    }

    /// The question section as the client wrote it.
    pub fn section(&self) -> &[u8] {
        &self.section
    }

    /// An answer that says only why there is none.
    pub fn fail(&self, rcode: ResponseCode) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_LEN];
        bytes[5] = 1;
        bytes[3] = rcode.low();
        bytes.extend(&self.section);
        self.finish(bytes, rcode.high())
    }

    /// The empty answer that makes the client ask again by TCP.
    pub(super) fn truncate(&self, flags: u8) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_LEN];
        bytes[2] = 2;
        bytes[3] = flags;
        bytes[5] = 1;
        bytes.extend(&self.section);
        self.finish(bytes, 0)
    }

    /// Makes a message an answer to this one: ID, flags, and OPT where the client had one.
    pub(super) fn finish(&self, mut bytes: Vec<u8>, rcode_high: u8) -> Vec<u8> {
        let wishes = self.question.wishes;
        bytes[..2].copy_from_slice(&self.id.to_be_bytes());
        // QR, and RD as the client had it.
        bytes[2] |= 0x80 | u8::from(wishes.recursion);
        // RA, and CD as the client had it.
        bytes[3] |= 0x80 | u8::from(wishes.unchecked) << 4;
        if wishes.edns {
            let count = u16::from_be_bytes([bytes[10], bytes[11]]) + 1;
            bytes[10..HEADER_LEN].copy_from_slice(&count.to_be_bytes());
            bytes.extend(opt::record(rcode_high, wishes.dnssec));
        }
        bytes
    }
}

/// A header alone: what can be said to a message of which no more can be read.
fn bare_reply(id: u16, high: u8, rcode: ResponseCode) -> Vec<u8> {
    let [first, second] = id.to_be_bytes();
    let mut bytes = vec![first, second, 0x80 | high & 0x79, 0x80 | rcode.low()];
    bytes.resize(HEADER_LEN, 0);
    bytes
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::question::tests::question;
    use super::*;

    /// A client's request for a name's records of a type.
    pub(in super::super) fn request(name: &str, record_type: RecordType) -> Request {
        Request::read(&question(name, record_type).to_message()).unwrap()
    }

    fn rcode_of(bytes: &[u8]) -> Option<ResponseCode> {
        match Request::read(bytes) {
            Err(Unusable::Reply(reply)) => {
                let message = Message::from_vec(&reply).expect("a message");
                assert_eq!(reply[..2], bytes[..2]);
                assert_eq!(reply[2] & 0x80, 0x80);
                Some(message.metadata.response_code)
            }
            Err(Unusable::Silence) => None,
            Ok(request) => panic!("{request:?}"),
        }
    }

    #[test]
    fn is_what_the_client_asked() {
        let mut asked = question("www.fps.test.", RecordType::A);
        asked.wishes.edns = true;
        let request = Request::read(&asked.to_message()).unwrap();
        assert_eq!(request.question, asked);
        assert_eq!(request.payload(), 1232);
        asked.wishes.edns = false;
        assert_eq!(Request::read(&asked.to_message()).unwrap().payload(), 512);
    }

    #[test]
    fn what_cannot_be_read_is_a_format_error_and_less_than_flags_is_nothing() {
        let whole = question("www.fps.test.", RecordType::A).to_message();
        for length in 0..4 {
            assert_eq!(rcode_of(&whole[..length]), None, "{length}");
        }
        for length in 4..whole.len() {
            assert_eq!(
                rcode_of(&whole[..length]),
                Some(ResponseCode::FormErr),
                "{length}"
            );
        }
    }

    #[test]
    fn says_what_it_does_not_do() {
        let whole = question("www.fps.test.", RecordType::A).to_message();
        let with = |place: usize, byte: u8| {
            let mut bytes = whole.clone();
            bytes[place] = byte;
            rcode_of(&bytes)
        };
        assert_eq!(with(2, 0x80), None, "an answer");
        assert_eq!(with(2, 0x28), Some(ResponseCode::NotImp), "UPDATE");
        assert_eq!(with(5, 0), Some(ResponseCode::FormErr), "no question");
        assert_eq!(with(5, 2), Some(ResponseCode::FormErr), "two questions");
        assert_eq!(with(whole.len() - 1, 3), Some(ResponseCode::Refused), "CH");
        assert_eq!(
            with(whole.len() - 3, 252),
            Some(ResponseCode::Refused),
            "AXFR"
        );
    }

    #[test]
    fn refuses_an_edns_that_is_not_known() {
        let mut asked = question("www.fps.test.", RecordType::A);
        asked.wishes.edns = true;
        let mut bytes = asked.to_message();
        let version = bytes.len() - 5;
        bytes[version] = 1;
        // BADSIG of TSIG has the same number.
        let expected = u16::from(ResponseCode::BADVERS);
        assert_eq!(rcode_of(&bytes).map(u16::from), Some(expected));
    }
}
