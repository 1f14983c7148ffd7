//! Attributes of netlink messages (`struct nlattr` in linux/netlink.h).

use std::io;

/// The bits of a type that say how its value is written (NLA_F_NESTED, NLA_F_NET_BYTEORDER).
const FLAGS: u16 = 0xc000;
const HEADER: usize = 4;

/// An attribute: its number, and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attribute<'a> {
    pub(super) kind: u16,
    pub(super) value: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// The attributes that bytes consist of.
    pub(super) fn all(mut bytes: &'a [u8]) -> io::Result<Vec<Self>> {
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let header = bytes.get(..HEADER).ok_or_else(malformed)?;
            let length = usize::from(u16::from_ne_bytes([header[0], header[1]]));
            let kind = u16::from_ne_bytes([header[2], header[3]]) & !FLAGS;
            let value = bytes.get(HEADER..length).ok_or_else(malformed)?;
            found.push(Self { kind, value });
            // The last one may lack what fills it up.
            bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        Ok(found)
    }

    /// A text, which ends with a zero.
    pub(super) fn text(self) -> String {
        let text = self
            .value
            .split(|byte| *byte == 0)
            .next()
            .unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    }

    /// Its bytes in hexadecimal digits.
    pub(super) fn hex(self) -> String {
        self.value
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// A number as nftables writes it: the highest byte first.
    pub(super) fn number(self) -> u32 {
        let bytes = self.value.try_into();
        bytes.map_or(0, u32::from_be_bytes)
    }
}

/// The first attribute of a kind.
pub(super) fn find<'a>(attributes: &[Attribute<'a>], kind: u16) -> Option<Attribute<'a>> {
    attributes.iter().copied().find(|it| it.kind == kind)
}

/// Writes an attribute behind others.
pub(super) fn push(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = HEADER + value.len();
    let told = u16::try_from(length).expect("names are short");
    bytes.extend(told.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len() + length.next_multiple_of(4) - length, 0);
}

pub(super) fn malformed() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the kernel's answer makes no sense",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut bytes = Vec::new();
        push(&mut bytes, 1, b"filter\0");
        push(&mut bytes, 0x8002, &[0, 0, 1, 2]);
        let read = Attribute::all(&bytes).unwrap();
        assert_eq!(read[0].text(), "filter");
        assert_eq!(
            (read[1].kind, read[1].number(), read[1].hex().as_str()),
            (2, 258, "00000102")
        );
    }

    #[test]
    fn a_length_that_is_too_large_is_an_error() {
        assert!(Attribute::all(&[9, 0, 1, 0, 7]).is_err());
        assert!(Attribute::all(&[2, 0, 1, 0]).is_err());
        assert!(Attribute::all(&[1]).is_err());
    }
}
