//! A gateway's DNS: addresses of a few names, over UDP (RFC 1035).

use std::net::IpAddr;

use tokio::net::UdpSocket;

use super::args::DnsArgs;
use super::{CarrierError, announce};

/// A question that is longer is none of a resolver (RFC 1035, section 4.2.1).
const LONGEST: usize = 512;
const HEADER: usize = 12;
/// An answer, with authority, recursion asked for and offered.
const ANSWER: u16 = 0x8580;
const NO_SUCH_NAME: u16 = 3;
const A: u16 = 1;
const AAAA: u16 = 28;
const INTERNET: u16 = 1;
/// How long an answer may be kept, in seconds: not at all.
const LIFETIME: u32 = 0;
/// "The name is the question's": a pointer to where that stands, behind the header.
const SAME_NAME: u16 = 0xc00c;

/// Answers until it is dropped.
pub(super) async fn run(args: DnsArgs) -> Result<(), CarrierError> {
    let failed = |error| CarrierError::Listen(args.listen, error);
    let socket = UdpSocket::bind(args.listen).await.map_err(failed)?;
    announce(&format!("dns {}", socket.local_addr().map_err(failed)?));
    let mut buffer = [0; LONGEST];
    loop {
        let (length, peer) = socket.recv_from(&mut buffer).await.map_err(failed)?;
        let Some(question) = Question::read(&buffer[..length]) else {
            tracing::warn!(event = "malformed", peer = %peer);
            continue;
        };
        tracing::info!(event = "asked", peer = %peer, name = question.name, kind = question.kind);
        // Whoever asked and has gone will not miss it.
        if let Err(error) = socket.send_to(&question.answer(&args.answers), peer).await {
            tracing::warn!(event = "answer_failed", peer = %peer, error = %error);
        }
    }
}

/// What is asked.
#[derive(Debug)]
struct Question<'a> {
    id: u16,
    /// The question as it came, which the answer repeats.
    bytes: &'a [u8],
    name: String,
    kind: u16,
}

impl<'a> Question<'a> {
    fn read(message: &'a [u8]) -> Option<Self> {
        let header = message.first_chunk::<HEADER>()?;
        let number = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let is_answer = number(2) & 0x8000 != 0;
        if is_answer || number(4) != 1 {
            return None;
        }
        let mut labels = Vec::new();
        let mut at = HEADER;
        loop {
            let length = usize::from(*message.get(at)?);
            at += 1;
            if length == 0 {
                break;
            }
            // A question has no pointers: there is nothing before it.
            let label = message.get(at..at + length).filter(|_| length < 64)?;
            labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
            at += length;
        }
        let kind = message.get(at..at + 4)?;
        Some(Self {
            id: number(0),
            bytes: &message[HEADER..at + 4],
            name: labels.join("."),
            kind: u16::from_be_bytes([kind[0], kind[1]]),
        })
    }

    fn answer(&self, answers: &[(String, IpAddr)]) -> Vec<u8> {
        let mut known = answers.iter().filter(|(name, _)| *name == self.name);
        let flags = match known.clone().next() {
            Some(_) => ANSWER,
            None => ANSWER | NO_SUCH_NAME,
        };
        let records: Vec<Vec<u8>> = known
            .by_ref()
            .filter_map(|(_, ip)| self.record(*ip))
            .collect();
        let count = u16::try_from(records.len()).unwrap_or(u16::MAX);
        let header = [self.id, flags, 1, count, 0, 0].map(u16::to_be_bytes);
        [&header.concat(), self.bytes, &records.concat()].concat()
    }

    /// The record of an address, where it is of the family that is asked for.
    fn record(&self, ip: IpAddr) -> Option<Vec<u8>> {
        let (kind, address) = match ip {
            IpAddr::V4(ip) => (A, ip.octets().to_vec()),
            IpAddr::V6(ip) => (AAAA, ip.octets().to_vec()),
        };
        let head = [SAME_NAME, kind, INTERNET].map(u16::to_be_bytes);
        let length = u16::try_from(address.len()).ok()?.to_be_bytes();
        let record = [
            &head.concat(),
            &LIFETIME.to_be_bytes()[..],
            &length,
            &address,
        ];
        (kind == self.kind).then(|| record.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(kind: u8) -> Vec<u8> {
        let header = [7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        [&header[..], b"\x01A\x07example\x00", &[0, kind, 0, 1]].concat()
    }

    fn answers() -> Vec<(String, IpAddr)> {
        vec![("a.example".to_owned(), IpAddr::from([192, 0, 2, 1]))]
    }

    #[test]
    fn a_name_has_its_address_whatever_its_case() {
        let message = asked(1);
        let question = Question::read(&message).unwrap();
        let answer = question.answer(&answers());
        assert_eq!(answer[..8], [7, 7, 0x85, 0x80, 0, 1, 0, 1]);
        assert!(answer.ends_with(&[0, 4, 192, 0, 2, 1]));
    }

    #[test]
    fn a_name_without_an_address_of_the_family_exists_all_the_same() {
        let message = asked(28);
        let answer = Question::read(&message).unwrap().answer(&answers());
        assert_eq!(answer[2..8], [0x85, 0x80, 0, 1, 0, 0]);
    }

    #[test]
    fn any_other_name_does_not_exist() {
        let message = asked(1);
        let answer = Question::read(&message).unwrap().answer(&[]);
        assert_eq!(answer[2..8], [0x85, 0x83, 0, 1, 0, 0]);
    }

    #[test]
    fn what_is_cut_off_is_no_question() {
        let message = asked(1);
        for length in 0..message.len() {
            assert!(Question::read(&message[..length]).is_none(), "{length}");
        }
    }
}
