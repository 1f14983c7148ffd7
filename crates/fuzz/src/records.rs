//! TLS records out of a stream: however it is cut, the same records come out, and no byte gets lost
//! unseen.
//!
//! Input: one byte that says how the stream is cut, and the stream.

use fps_wire::{Direction, HEADER_LEN, MAX_PAYLOAD, Record, RecordParser, Transcript};

use crate::input::Input;
use crate::seed::Seed;
use crate::vectors::{self, bytes, each};
use crate::world::somewhere;

/// All that comes of a stream.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    records: Vec<Vec<u8>>,
    skipped: u64,
    pending: usize,
    transcript: Transcript,
}

impl Outcome {
    /// Of a stream that comes in these parts.
    fn of<'a>(parts: impl Iterator<Item = &'a [u8]>, in_place: bool) -> Self {
        let mut parser = RecordParser::default();
        let mut transcript = somewhere(Direction::ToServer, 0);
        let mut records = Vec::new();
        for part in parts {
            parser.feed(part);
            while let Some(record) = next(&mut parser, in_place) {
                transcript.count(Record::of(&record).expect("it came as a record"));
                records.push(record);
            }
            assert!(parser.pending() < HEADER_LEN + MAX_PAYLOAD, "it would wait");
            assert_eq!(parser.is_at_boundary(), parser.pending() == 0);
        }
        Self {
            skipped: parser.take_skipped(),
            pending: parser.pending(),
            records,
            transcript,
        }
    }
}

fn next(parser: &mut RecordParser, in_place: bool) -> Option<Vec<u8>> {
    match in_place {
        true => parser.next_record_mut().map(|record| record.to_vec()),
        false => parser.next_record().map(|it| it.as_bytes().to_vec()),
    }
}

/// See the module.
pub fn check(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    let cut = usize::from(input.byte()) + 1;
    let stream = input.rest();
    let whole = Outcome::of([stream].into_iter(), false);
    assert_eq!(whole, Outcome::of(stream.chunks(cut), true));

    let mut taken = 0;
    for bytes in &whole.records {
        let record = Record::of(bytes).expect("it came as a record");
        assert!((20..=23).contains(&record.content_type()));
        assert!(record.payload().len() <= MAX_PAYLOAD);
        assert_eq!(record.as_bytes(), bytes);
        taken += bytes.len() as u64;
    }
    assert_eq!(taken, whole.transcript.bytes());
    let seen = taken + whole.skipped + whole.pending as u64;
    assert_eq!(seen, stream.len() as u64, "no byte twice, and none lost");
    !whole.records.is_empty()
}

/// Whole reads of recorded links, cut differently; and what is no record.
pub fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (at, case) in (0_u8..).zip(each(&vectors::transcript(), "cases")) {
        let reads = each(case, "reads").iter();
        let stream: Vec<u8> = reads.flat_map(|read| bytes(read, "bytes")).collect();
        let cut = at.wrapping_mul(41);
        let few = &stream[..stream.len().min(4000)];
        seeds.push(Seed::any([&[cut], few].concat()));
    }
    seeds.push(Seed::deep([5, 22, 3, 1, 0, 2, 1, 2, 23, 3, 3, 0, 0, 20, 3]));
    seeds.push(Seed::any([0, 19, 3, 3, 0, 1, 23, 3, 0, 23, 3, 3, 0x48, 1]));
    seeds
}
