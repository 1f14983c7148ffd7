//! TLS records out of a stream of bytes.
//!
//! Only the five header bytes are read: `type u8, version u16, length u16`. Bytes that cannot
//! start a record are dropped one by one until a record starts again; the caller learns how many
//! were lost and decides whether that ends the carrier.

/// `type u8 || version u16 || length u16`.
pub const HEADER_LEN: usize = 5;
/// The longest payload that is still a record: 2^14 and the expansion that RFC 5246 allows.
pub const MAX_PAYLOAD: usize = 18432;
/// The content type of application data, and of everything that TLS 1.3 encrypts.
pub const APPLICATION_DATA: u8 = 23;

/// One whole record, header included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a>(&'a [u8]);

impl<'a> Record<'a> {
    /// A record, if these bytes are one and no more.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        match Header::read(bytes) {
            Header::Record(length) if length == bytes.len() => Some(Self(bytes)),
            _ => None,
        }
    }

    /// The content type: 20 to 23.
    pub fn content_type(self) -> u8 {
        self.0[0]
    }

    /// Whether this is application data, the only type that ours can hide among.
    pub fn is_application_data(self) -> bool {
        self.content_type() == APPLICATION_DATA
    }

    /// What follows the header.
    pub fn payload(self) -> &'a [u8] {
        &self.0[HEADER_LEN..]
    }

    /// The record as it came off the wire.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

/// Collects bytes and hands out whole records.
#[derive(Debug, Default)]
pub struct RecordParser {
    buffer: Vec<u8>,
    /// Everything before this was handed out or dropped.
    start: usize,
    skipped: u64,
}

impl RecordParser {
    /// The buffer to append received bytes to, with room for `room` more without growing.
    pub fn spare(&mut self, room: usize) -> &mut Vec<u8> {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.reserve(room);
        &mut self.buffer
    }

    /// Appends received bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.spare(bytes.len()).extend_from_slice(bytes);
    }

    /// The next whole record, if all of it has come.
    pub fn next_record(&mut self) -> Option<Record<'_>> {
        let length = loop {
            match Header::read(&self.buffer[self.start..]) {
                Header::Incomplete => return None,
                Header::Garbage => {
                    self.start += 1;
                    self.skipped += 1;
                }
                Header::Record(length) => break length,
            }
        };
        let begin = self.start;
        let record = self.buffer.get(begin..begin + length)?;
        self.start += length;
        Some(Record(record))
    }

    /// The same, to be opened in place.
    pub fn next_record_mut(&mut self) -> Option<&mut [u8]> {
        let length = self.next_record()?.as_bytes().len();
        Some(&mut self.buffer[self.start - length..self.start])
    }

    /// How many bytes were no part of a record since this was last asked.
    pub fn take_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.skipped)
    }

    /// How many bytes wait for the rest of their record.
    pub fn pending(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Whether none do.
    pub fn is_at_boundary(&self) -> bool {
        self.pending() == 0
    }
}

/// What the bytes at hand start with.
enum Header {
    /// Too few bytes to tell, and none that rules a record out.
    Incomplete,
    Garbage,
    /// A record of this length, header included.
    Record(usize),
}

impl Header {
    fn read(bytes: &[u8]) -> Self {
        let fits = |index: usize, range: std::ops::RangeInclusive<u8>| {
            bytes.get(index).is_none_or(|byte| range.contains(byte))
        };
        if !(fits(0, 20..=23) && fits(1, 3..=3) && fits(2, 1..=4)) {
            return Self::Garbage;
        }
        let Some(&[_, _, _, high, low]) = bytes.first_chunk::<HEADER_LEN>() else {
            return Self::Incomplete;
        };
        match usize::from(u16::from_be_bytes([high, low])) {
            0..=MAX_PAYLOAD => {
                Self::Record(HEADER_LEN + usize::from(u16::from_be_bytes([high, low])))
            }
            _ => Self::Garbage,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, version: u8, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(payload.len())
            .expect("short payload")
            .to_be_bytes();
        [&[kind, 3, version, length[0], length[1]], payload].concat()
    }

    fn parse(chunks: &[&[u8]]) -> (Vec<Vec<u8>>, u64, bool) {
        let mut parser = RecordParser::default();
        let mut records = Vec::new();
        for chunk in chunks {
            parser.feed(chunk);
            while let Some(record) = parser.next_record() {
                records.push(record.as_bytes().to_vec());
            }
        }
        (records, parser.take_skipped(), parser.is_at_boundary())
    }

    #[test]
    fn takes_every_type_and_version_of_tls() {
        for kind in 20..=23 {
            for version in 1..=4 {
                let bytes = record(kind, version, b"payload");
                assert_eq!(
                    parse(&[&bytes]),
                    (vec![bytes.clone()], 0, true),
                    "{kind} 3.{version}"
                );
            }
        }
    }

    #[test]
    fn records_survive_any_split() {
        let (one, two) = (record(22, 1, b"hello"), record(23, 3, b""));
        let bytes = [one.clone(), two.clone()].concat();
        for cut in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(cut);
            let expected = (vec![one.clone(), two.clone()], 0, true);
            assert_eq!(parse(&[head, tail]), expected, "cut at {cut}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(parse(&single), (vec![one, two], 0, true));
    }

    #[test]
    fn the_longest_payload_passes_and_one_more_does_not() {
        let longest = record(23, 3, &vec![7; MAX_PAYLOAD]);
        assert_eq!(parse(&[&longest]), (vec![longest.clone()], 0, true));
        let longer = record(23, 3, &vec![7; MAX_PAYLOAD + 1]);
        let (records, skipped, _) = parse(&[&longer]);
        assert_eq!((records.len(), skipped), (0, longer.len() as u64));
    }

    #[test]
    fn drops_garbage_byte_by_byte_and_finds_the_next_record() {
        let good = record(23, 3, b"good");
        for garbage in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            &[23, 3, 0],
            &[19, 3, 3, 0, 1],
            &[24],
        ] {
            let bytes = [garbage, &good].concat();
            let lost = garbage.len() as u64;
            assert_eq!(
                parse(&[&bytes]),
                (vec![good.clone()], lost, true),
                "{garbage:?}"
            );
        }
    }

    #[test]
    fn half_a_record_is_no_boundary() {
        let bytes = record(23, 3, b"payload");
        assert_eq!(parse(&[&bytes[..3]]), (vec![], 0, false));
        assert_eq!(parse(&[&bytes[..9]]), (vec![], 0, false));
        assert_eq!(parse(&[b"G"]), (vec![], 1, true));
    }
}
