//! Reading the vectors.

use fps_wire::{
    Direction, Link, PrivateKey, ProfileId, PublicKey, Record, RecordParser, Transcript,
};
use serde_json::Value;

/// A set by its file's text.
pub(crate) fn set(text: &str) -> Value {
    serde_json::from_str(text).expect("the vectors are JSON")
}

/// The array of this name.
pub(crate) fn each<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of[name].as_array().unwrap_or_else(|| panic!("no {name}"))
}

pub(crate) fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_else(|| panic!("no {name}"))
}

pub(crate) fn number(of: &Value, name: &str) -> u64 {
    of[name].as_u64().unwrap_or_else(|| panic!("no {name}"))
}

pub(crate) fn short(of: &Value, name: &str) -> u16 {
    number(of, name).try_into().unwrap()
}

pub(crate) fn size(of: &Value, name: &str) -> usize {
    number(of, name).try_into().unwrap()
}

pub(crate) fn bytes(of: &Value, name: &str) -> Vec<u8> {
    hex::decode(text(of, name)).unwrap()
}

pub(crate) fn array<const N: usize>(of: &Value, name: &str) -> [u8; N] {
    bytes(of, name).try_into().unwrap()
}

pub(crate) fn private(of: &Value) -> PrivateKey {
    PrivateKey::from_bytes(array(of, "private_key"))
}

pub(crate) fn public(of: &Value, name: &str) -> PublicKey {
    PublicKey::from_bytes(array(of, name))
}

pub(crate) fn direction(of: &Value) -> Direction {
    match text(of, "direction") {
        "c2s" => Direction::ToServer,
        "s2c" => Direction::ToClient,
        other => panic!("direction {other}"),
    }
}

pub(crate) fn profile(of: &Value) -> ProfileId {
    ProfileId::new(text(of, "profile_id")).unwrap()
}

/// A transcript that is somewhere on the way.
pub(crate) fn transcript(of: &Value, direction: Direction) -> Transcript {
    let (index, count) = (number(of, "record_index"), number(of, "byte_count"));
    Transcript::at(direction, index, count, array(of, "hash"))
}

/// Compares a transcript with what it has to be.
pub(crate) fn assert_transcript(found: &Transcript, expected: &Value, at: &str) {
    let found = (found.index(), found.bytes(), hex::encode(found.hash()));
    let (index, count) = (
        number(expected, "record_index"),
        number(expected, "byte_count"),
    );
    let expected = (index, count, text(expected, "hash").to_owned());
    assert_eq!(found, expected, "{at}");
}

/// The same for both.
pub(crate) fn assert_link(link: &Link, expected: &Value, at: &str) {
    for (direction, name) in [(Direction::ToServer, "c2s"), (Direction::ToClient, "s2c")] {
        assert_transcript(link.transcript(direction), &expected[name], at);
    }
}

/// Counts records, each given with its direction.
pub(crate) fn count(link: &mut Link, records: &[Value]) {
    for given in records {
        let record = bytes(given, "record");
        link.count(direction(given), whole(&record));
    }
}

/// Bytes that are a record, whatever its content type.
pub(crate) fn whole(bytes: &[u8]) -> Record<'_> {
    Record::of(bytes).expect("a whole record")
}

/// The records of a stream.
pub(crate) fn records(parser: &mut RecordParser, bytes: &[u8]) -> Vec<Vec<u8>> {
    parser.feed(bytes);
    let mut records = Vec::new();
    while let Some(record) = parser.next_record() {
        records.push(record.as_bytes().to_vec());
    }
    records
}
