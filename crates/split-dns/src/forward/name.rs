//! A name in the form in which names are compared.

use std::fmt;

use hickory_proto::rr::Name;
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder};

/// The longest name on the wire (RFC 1035, 2.3.4).
const LONGEST: usize = 255;
/// The longest label; a larger octet begins a pointer or nothing that is in use.
const LONGEST_LABEL: u8 = 63;

/// A name as labels with their lengths, without pointers and in lower case (RFC 1035, 3.1 and 4343).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WireName(Box<[u8]>);

impl WireName {
    /// The name that these bytes begin with; none where it is cut, too long or has a pointer.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut end = 0;
        loop {
            match *bytes.get(end)? {
                0 => break,
                length @ 1..=LONGEST_LABEL => end += 1 + usize::from(length),
                _ => return None,
            }
        }
        // No length of a label is a letter: they end below `A`.
        let whole = bytes.get(..=end).filter(|name| name.len() <= LONGEST)?;
        Some(Self(whole.to_ascii_lowercase().into()))
    }

    /// The same name in lower case.
    pub fn of(name: &Name) -> Self {
        let mut wire = Vec::with_capacity(LONGEST);
        for label in name {
            wire.push(u8::try_from(label.len()).expect("a label has at most 63 bytes"));
            wire.extend(label.to_ascii_lowercase());
        }
        wire.push(0);
        Self(wire.into())
    }

    /// The name as messages have it.
    pub fn to_name(&self) -> Name {
        Name::read(&mut BinDecoder::new(&self.0)).expect("it was read from a name")
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name itself, then each domain that it is in, from the nearest to the root.
    pub fn suffixes(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = Some(&*self.0);
        std::iter::from_fn(move || {
            let suffix = rest?;
            rest = match suffix[0] {
                0 => None,
                length => Some(&suffix[1 + usize::from(length)..]),
            };
            Some(suffix)
        })
    }
}

impl fmt::Display for WireName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_name().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_up_to_its_end_and_in_lower_case() {
        let name = WireName::read(b"\x03WwW\x03fPs\x04test\0\x00\x01").unwrap();
        assert_eq!(name.as_bytes(), b"\x03www\x03fps\x04test\0");
        assert_eq!(name.to_string(), "www.fps.test.");
        assert_eq!(WireName::of(&name.to_name()), name);
    }

    #[test]
    fn refuses_what_is_cut_or_points_elsewhere() {
        for bytes in [
            &b""[..],
            b"\x03ww",
            b"\x03www",
            b"\xc0\x0c",
            b"\x01a\xc0\x0c",
        ] {
            assert_eq!(WireName::read(bytes), None, "{bytes:?}");
        }
        let long = [[&[63][..], &[b'a'; 63]].concat().repeat(4), vec![0]].concat();
        assert_eq!(WireName::read(&long), None);
        assert!(WireName::read(&long[64..]).is_some());
    }

    #[test]
    fn its_suffixes_begin_at_labels_and_end_with_the_root() {
        let name = WireName::read(b"\x03www\x04test\0").unwrap();
        let suffixes: Vec<_> = name.suffixes().collect();
        assert_eq!(suffixes, [&b"\x03www\x04test\0"[..], b"\x04test\0", b"\0"]);
    }
}
