//! The random mark that tells one probe from every other packet.

use std::fmt;

use nix::errno::Errno;
use nix::libc;

use crate::RandomError;

/// What stands before the nonce in a probe's payload, with the format's version at the end.
const MAGIC: [u8; 8] = *b"FPSLAB\0\x01";

/// What stands before the nonce in a control packet: nobody shall take it for a probe.
const CONTROL_MAGIC: [u8; 8] = *b"FPSLAB\0\xc1";

/// How much of an HTTP message is looked at: the lab's own have the header within it.
const HTTP_HEAD: usize = 1024;

/// How many random bytes a nonce has: enough that two never meet.
const LENGTH: usize = 16;

/// 16 random bytes that one probe carries, so that a capture recognises it wherever it went.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Nonce([u8; LENGTH]);

impl Nonce {
    /// Draws a new nonce by getrandom(2).
    pub fn random() -> Result<Self, RandomError> {
        let mut bytes = [0; LENGTH];
        loop {
            // SAFETY: the pointer and the length are those of `bytes`, which outlives the call.
            let got = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), LENGTH, 0) };
            match Errno::result(got) {
                // Up to 256 bytes come whole once the pool is ready (getrandom(2), Notes).
                Ok(_) => return Ok(Self(bytes)),
                // Only before the pool is ready, early at boot, can a signal interrupt the call.
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(RandomError(errno)),
            }
        }
    }

    /// What a probe carries: the magic, then the nonce.
    pub fn payload(&self) -> Vec<u8> {
        [&MAGIC[..], &self.0].concat()
    }

    /// The nonce at the start of a probe's payload; whatever follows it is padding.
    pub fn find(payload: &[u8]) -> Option<Self> {
        Self::behind(&MAGIC, payload)
    }

    /// Whether what a packet carries can be this probe's payload, though it may be cut off: as much of the
    /// nonce as there is, and there must be some, is the same.
    pub fn may_begin(&self, payload: &[u8]) -> bool {
        let cut = payload.strip_prefix(&MAGIC).unwrap_or_default();
        let length = cut.len().min(LENGTH);
        length > 0 && cut[..length] == self.0[..length]
    }

    /// The header of HTTP in which a question has its nonce, and the answer to it.
    pub const HTTP_HEADER: &str = "X-Fps-Lab-Nonce";

    /// Reads the hexadecimal digits that a nonce prints as.
    pub fn from_hex(text: &[u8]) -> Option<Self> {
        let (pairs, []) = text.as_chunks::<2>() else {
            return None;
        };
        let mut bytes = [0; LENGTH];
        if pairs.len() != LENGTH {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16);
            *byte = u8::try_from(digit(0)? << 4 | digit(1)?).ok()?;
        }
        Some(Self(bytes))
    }

    /// The nonce of an HTTP/1.1 request or response (RFC 9112) whose head begins a payload: that of
    /// [`Self::HTTP_HEADER`], spelt so, in the first 1024 bytes.
    pub fn find_in_http(payload: &[u8]) -> Option<Self> {
        if !payload.starts_with(b"GET ") && !payload.starts_with(b"HTTP/1.") {
            return None;
        }
        let head = &payload[..payload.len().min(HTTP_HEAD)];
        let mut lines = head.split(|byte| *byte == b'\n');
        lines.find_map(|line| {
            let rest = line.strip_prefix(Self::HTTP_HEADER.as_bytes())?;
            Self::from_hex(rest.strip_prefix(b": ")?.trim_ascii_end())
        })
    }

    /// What a control packet carries.
    pub(crate) fn control_payload(&self) -> Vec<u8> {
        [&CONTROL_MAGIC[..], &self.0].concat()
    }

    /// The nonce at the start of a control packet's payload.
    pub(crate) fn find_control(payload: &[u8]) -> Option<Self> {
        Self::behind(&CONTROL_MAGIC, payload)
    }

    fn behind(magic: &[u8; 8], payload: &[u8]) -> Option<Self> {
        let rest = payload.strip_prefix(magic)?;
        rest.first_chunk().copied().map(Self)
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nonce({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_that_is_cut_off_may_be_this_ones_and_no_others() {
        let (nonce, other) = (Nonce::random().unwrap(), Nonce::random().unwrap());
        let payload = [nonce.payload(), vec![0; 40]].concat();
        for length in [12, 24, 64] {
            assert!(nonce.may_begin(&payload[..length]), "{length}");
            assert!(!other.may_begin(&payload[..length]), "{length}");
        }
        // What all probes begin with is no sign of one of them.
        for length in [0, 4, 8] {
            assert!(!nonce.may_begin(&payload[..length]), "{length}");
        }
    }

    #[test]
    fn is_found_at_the_start_of_its_payload_padded_or_not() {
        let nonce = Nonce::random().unwrap();
        let mut payload = nonce.payload();
        assert_eq!(payload.len(), 24);
        assert_eq!(Nonce::find(&payload), Some(nonce));
        payload.extend([0; 40]);
        assert_eq!(Nonce::find(&payload), Some(nonce));
    }

    #[test]
    fn is_not_found_cut_off_shifted_or_of_another_version() {
        let payload = Nonce::random().unwrap().payload();
        assert_eq!(Nonce::find(&payload[..23]), None);
        assert_eq!(Nonce::find(&[&[0], &payload[..]].concat()), None);
        let mut other = payload;
        other[7] = 2;
        assert_eq!(Nonce::find(&other), None);
        assert_eq!(Nonce::find(&[]), None);
    }

    #[test]
    fn is_found_in_the_head_of_http() {
        let nonce = Nonce::random().unwrap();
        let header = Nonce::HTTP_HEADER;
        let request = format!("GET / HTTP/1.1\r\n{header}: {nonce}\r\nHost: web\r\n\r\n");
        assert_eq!(Nonce::find_in_http(request.as_bytes()), Some(nonce));
        let response = format!("HTTP/1.1 200 OK\r\n{header}: {nonce}\r\n\r\n");
        assert_eq!(Nonce::find_in_http(response.as_bytes()), Some(nonce));
        let cut = &request.as_bytes()[..50];
        assert_eq!(Nonce::find_in_http(cut), None);
        let other = format!("SSH-2.0\r\n{header}: {nonce}\r\n");
        assert_eq!(Nonce::find_in_http(other.as_bytes()), None);
        assert_eq!(Nonce::find_in_http(b"GET / HTTP/1.1\r\n\r\n"), None);
    }

    #[test]
    fn reads_the_digits_that_it_prints_and_no_others() {
        let nonce = Nonce::random().unwrap();
        let digits = nonce.to_string();
        assert_eq!(Nonce::from_hex(digits.as_bytes()), Some(nonce));
        assert_eq!(Nonce::from_hex(&digits.as_bytes()[2..]), None);
        assert_eq!(Nonce::from_hex(format!("{digits}00").as_bytes()), None);
        assert_eq!(Nonce::from_hex("g".repeat(32).as_bytes()), None);
    }

    #[test]
    fn two_differ() {
        assert_ne!(Nonce::random().unwrap(), Nonce::random().unwrap());
    }

    #[test]
    fn prints_as_hex() {
        let nonce = Nonce(*b"\x00\x01\x0a\xff456789abcdef");
        assert_eq!(nonce.to_string(), "00010aff343536373839616263646566");
        assert_eq!(
            format!("{nonce:?}"),
            "Nonce(00010aff343536373839616263646566)"
        );
    }
}
