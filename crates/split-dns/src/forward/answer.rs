//! What a server has answered, ready to be given to many clients.

use hickory_proto::ProtoError;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{RData, Record};

use super::question::{HEADER_LEN, Question};
use super::request::Request;

/// The bit TC of the third byte.
const TRUNCATED: u8 = 0x02;
/// The bit AD of the fourth byte.
const AUTHENTIC: u8 = 0x20;

/// A message without an ID, without OPT, and with the places of its TTLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    bytes: Vec<u8>,
    ttls: Vec<u16>,
}

/// A server's answer that no client can be given.
#[derive(Debug, thiserror::Error)]
pub enum UnusableAnswer {
    /// It is longer than a message can be, or a record cannot be written.
    #[error("the answer cannot be written again")]
    Encode(#[from] ProtoError),
    /// It needs EDNS to be told.
    #[error("the response code is extended")]
    ExtendedCode,
    /// A record has no data.
    #[error("a record of the answer has no data")]
    EmptyRecord,
}

impl Answer {
    /// The answer to a question; AA is left out, for it comes from here.
    ///
    /// # Errors
    ///
    /// Where it would be no message.
    pub fn new(question: &Question, mut message: Message) -> Result<Self, UnusableAnswer> {
        if message.metadata.response_code.high() != 0 {
            return Err(UnusableAnswer::ExtendedCode);
        }
        // Only an update may have a record without data (RFC 2136, 2.4); in an answer it cannot be read.
        let is_empty = |record: &Record| matches!(record.data, RData::Update0(_));
        if message.all_sections().any(is_empty) {
            return Err(UnusableAnswer::EmptyRecord);
        }
        message.queries = vec![question.to_query()];
        message.edns = None;
        message.signature = None;
        let bytes = message.to_vec()?;
        // What does not fit is left out when it is written, and TC is set.
        if bytes[2] & TRUNCATED != 0 || bytes.len() > usize::from(u16::MAX) - super::opt::LEN {
            return Err(ProtoError::Message("longer than 65535 bytes").into());
        }
        let behind = HEADER_LEN + question.name.as_bytes().len() + 4;
        let ttls = ttls(&bytes, behind);
        Ok(Self::with_header(bytes, ttls))
    }

    fn with_header(mut bytes: Vec<u8>, ttls: Vec<u16>) -> Self {
        bytes[..3].fill(0);
        bytes[3] &= AUTHENTIC | 0x0f;
        Self { bytes, ttls }
    }

    /// Whether the name was there.
    pub fn rcode(&self) -> ResponseCode {
        ResponseCode::from(0, self.bytes[3] & 0x0f)
    }

    /// How many bytes it takes.
    pub fn size(&self) -> usize {
        self.bytes.len() + self.ttls.len() * size_of::<u16>()
    }

    /// The message for a client, with TTLs that have become `age` seconds shorter. What has more
    /// than `room` bytes is cut to nothing, with TC.
    pub fn write(&self, request: &Request, age: u32, room: usize) -> Vec<u8> {
        let opt = usize::from(request.question.wishes.edns) * super::opt::LEN;
        if self.bytes.len() + opt > room {
            return request.truncate(self.bytes[3]);
        }
        let mut bytes = Vec::with_capacity(self.bytes.len() + opt);
        bytes.extend(&self.bytes);
        let section = request.section();
        bytes[HEADER_LEN..HEADER_LEN + section.len()].copy_from_slice(section);
        for place in &self.ttls {
            let place = usize::from(*place);
            let ttl = bytes[place..].first_chunk_mut::<4>().expect("four bytes");
            *ttl = u32::from_be_bytes(*ttl).saturating_sub(age).to_be_bytes();
        }
        request.finish(bytes, 0)
    }
}

/// Where the TTLs of the records are, of which the first is at `begin`, in a message that was
/// written here.
fn ttls(bytes: &[u8], begin: usize) -> Vec<u16> {
    let mut places = Vec::new();
    let mut next = begin;
    while next < bytes.len() {
        while (1..0xc0).contains(&bytes[next]) {
            next += 1 + usize::from(bytes[next]);
        }
        // The root, or a pointer; then type and class.
        next += if bytes[next] == 0 { 1 } else { 2 } + 4;
        places.push(u16::try_from(next).expect("a message has at most 65535 bytes"));
        let length = u16::from_be_bytes([bytes[next + 4], bytes[next + 5]]);
        next += 6 + usize::from(length);
    }
    places
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::rdata::{A, CNAME, MX, TXT};
    use hickory_proto::rr::{Name, RData, Record, RecordType};

    use super::super::question::tests::question;
    use super::super::request::tests::request;
    use super::*;

    fn record(name: &str, ttl: u32, data: RData) -> Record {
        Record::from_rdata(Name::from_ascii(name).unwrap(), ttl, data)
    }

    fn answer() -> (Answer, Message) {
        let target = Name::from_ascii("b.fps.test.").unwrap();
        let mut message = Message::query();
        message.metadata.authentic_data = true;
        message.metadata.authoritative = true;
        message.answers = vec![
            record("a.fps.test.", 60, RData::CNAME(CNAME(target.clone()))),
            record("b.fps.test.", 30, RData::A(A::new(10, 0, 0, 1))),
        ];
        message.authorities = vec![record(".", 9, RData::MX(MX::new(1, target)))];
        message.additionals = vec![record("c.", 5, RData::TXT(TXT::new(vec!["x".repeat(200)])))];
        let question = question("a.fps.test.", RecordType::A);
        (Answer::new(&question, message.clone()).unwrap(), message)
    }

    #[test]
    fn is_the_whole_answer_with_shorter_ttls() {
        let (answer, message) = answer();
        let request = request("a.fps.test.", RecordType::A);
        let read = Message::from_vec(&answer.write(&request, 10, 512)).unwrap();
        assert_eq!(read.metadata.id, request.id);
        assert!(read.metadata.recursion_desired && read.metadata.recursion_available);
        assert!(read.metadata.authentic_data && !read.metadata.authoritative);
        let ttls: Vec<_> = read.all_sections().map(|record| record.ttl).collect();
        assert_eq!(ttls, [50, 20, 0, 0]);
        let data = |message: &Message| -> Vec<_> {
            let all = message.all_sections();
            all.map(|record| (record.name.clone(), record.data.clone()))
                .collect()
        };
        assert_eq!(data(&read), data(&message));
    }

    #[test]
    fn records_of_any_type_stay_as_they_are() {
        let asked = question("a.fps.test.", RecordType::A);
        // RRSIG, NSEC, DNSKEY, HTTPS, one that nobody has defined yet.
        for (record_type, data) in [
            (
                46,
                &b"\0\x01\x08\x02\0\0\0\x3cabcdefgh\x12\x34\x03fps\x04test\0signature"[..],
            ),
            (47, b"\x01b\x03fps\x04test\0\0\x01\x40"),
            (48, b"\x01\x01\x03\x08\x03\x01\0\x01abc"),
            (65, b"\0\x01\0\0\x01\0\x03\x02h2"),
            (65280, b"\xc0\x0c\x01\x02\x03"),
        ] {
            let mut bytes = asked.to_message();
            (bytes[2], bytes[7]) = (0x81, 1);
            bytes.extend([0xc0, 0x0c]);
            bytes.extend(u16::to_be_bytes(record_type));
            bytes.extend([0, 1, 0, 0, 0, 60, 0, u8::try_from(data.len()).unwrap()]);
            bytes.extend(data);
            let message = Message::from_vec(&bytes).unwrap();
            let answer = Answer::new(&asked, message).unwrap();
            let request = Request::read(&asked.to_message()).unwrap();
            let written = answer.write(&request, 0, 512);
            assert!(written.ends_with(data), "{record_type}: {written:?}");
        }
    }

    #[test]
    fn one_that_is_longer_than_a_message_is_refused() {
        let text = || RData::TXT(TXT::new(vec!["x".repeat(250)]));
        let of = |count| {
            let mut message = Message::query();
            message.answers = (0..count).map(|_| record("a.test.", 1, text())).collect();
            Answer::new(&question("a.test.", RecordType::TXT), message)
        };
        assert!(of(240).is_ok());
        assert!(of(260).is_err());
    }

    #[test]
    fn whatever_a_server_sends_is_written_or_refused() {
        let (answer, _) = answer();
        let request = request("a.fps.test.", RecordType::A);
        let whole = answer.write(&request, 0, 4096);
        let mut usable = 0;
        for place in 0..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[place] ^= 1 << bit;
                let message = Message::from_vec(&bytes).ok();
                let changed =
                    message.and_then(|message| Answer::new(&request.question, message).ok());
                usable += usize::from(changed.is_some());
                changed.map(|answer| answer.write(&request, 1, 4096));
            }
        }
        assert!(usable > whole.len(), "{usable}");
    }

    #[test]
    fn repeats_the_name_in_the_case_of_the_client() {
        let mut bytes = question("a.fps.test.", RecordType::A).to_message();
        bytes[13] = b'A';
        let request = Request::read(&bytes).unwrap();
        let written = answer().0.write(&request, 0, 512);
        assert_eq!(written[12..14], *b"\x01A");
    }

    #[test]
    fn has_opt_where_the_client_had_it() {
        let mut asked = question("a.fps.test.", RecordType::A);
        for edns in [false, true] {
            asked.wishes.edns = edns;
            let request = Request::read(&asked.to_message()).unwrap();
            let read = Message::from_vec(&answer().0.write(&request, 0, 4096)).unwrap();
            assert_eq!(read.edns.is_some(), edns);
            assert_eq!(read.additionals.len(), 1);
        }
    }

    #[test]
    fn what_does_not_fit_is_cut_to_nothing() {
        let (answer, _) = answer();
        let request = request("a.fps.test.", RecordType::A);
        let length = answer.write(&request, 0, 512).len();
        assert_eq!(answer.write(&request, 0, length).len(), length);
        let cut = Message::from_vec(&answer.write(&request, 0, length - 1)).unwrap();
        assert!(cut.metadata.truncation);
        assert_eq!((cut.all_sections().count(), cut.queries.len()), (0, 1));
    }
}
