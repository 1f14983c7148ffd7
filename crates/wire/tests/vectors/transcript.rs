//! Set 2: records out of reads, and the chains over them.

use fps_wire::{Direction, Link, RecordParser};

use crate::data::{
    assert_link, assert_transcript, bytes, direction, each, number, profile, public, records, set,
    size, text, whole,
};

const SET: &str = include_str!("data/2-transcript.json");

#[test]
fn every_read_leads_to_the_same_state() {
    for case in each(&set(SET), "cases") {
        let name = text(case, "name");
        let server = public(case, "server_public_key");
        let least = number(case, "min_records_before_trial");
        let mut link = Link::new(&server, profile(case), least);
        assert_link(&link, &case["initial"], name);
        let mut parsers = [RecordParser::default(), RecordParser::default()];
        for (at, read) in each(case, "reads").iter().enumerate() {
            let at = format!("{name}, read {at}");
            let direction = direction(read);
            let parser = &mut parsers[usize::from(direction == Direction::ToClient)];
            let found = records(parser, &bytes(read, "bytes"));
            let expected = each(read, "records");
            assert_eq!(found.len(), expected.len(), "{at}");
            for (record, expected) in found.iter().zip(expected) {
                let record = whole(record);
                assert_eq!(
                    u64::from(record.content_type()),
                    number(expected, "content_type")
                );
                assert_eq!(record.payload().len(), size(expected, "length"), "{at}");
                link.count(direction, record);
                assert_transcript(link.transcript(direction), &expected["after"], &at);
            }
            assert_eq!(parser.pending(), size(read, "pending_bytes"), "{at}");
            let errors = each(read, "parse_errors").iter();
            let errors: u64 = errors.map(|error| number(error, "count")).sum();
            assert_eq!(parser.take_skipped(), errors, "{at}");
            let binding = link.binding().map(|it| hex::encode(it.as_bytes()));
            assert_eq!(
                binding.as_deref(),
                read["handshake_binding"].as_str(),
                "{at}"
            );
        }
        assert_link(&link, &case["final"], name);
    }
}
