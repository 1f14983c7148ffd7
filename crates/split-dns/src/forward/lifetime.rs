//! How long an answer may be kept.

use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::RData;

/// The longest that an answer with records is kept, in seconds.
const LONGEST: u32 = 24 * 3600;
/// The longest that it is kept that there are none (RFC 2308, 5), in seconds.
const LONGEST_NEGATIVE: u32 = 3 * 3600;

/// How long: the smallest TTL of the records that answer and, where the name or the type is
/// missing, no longer than its SOA says (RFC 2308, 3). The TTL of that SOA is lowered to it.
///
/// None for an answer that is not to be kept: a failure, one that is cut, a missing name without
/// SOA, or a TTL of 0.
pub fn lifetime(message: &mut Message, is_negative: bool) -> Option<Duration> {
    let rcode = message.metadata.response_code;
    let is_kept = matches!(rcode, ResponseCode::NoError | ResponseCode::NXDomain);
    if !is_kept || message.metadata.truncation {
        return None;
    }
    let mut seconds = message
        .answers
        .iter()
        .map(|record| record.ttl)
        .fold(LONGEST, u32::min);
    if is_negative || rcode == ResponseCode::NXDomain {
        seconds = seconds.min(negative_ttl(message)?);
    }
    (seconds > 0).then(|| Duration::from_secs(seconds.into()))
}

fn negative_ttl(message: &mut Message) -> Option<u32> {
    message.authorities.iter_mut().find_map(|record| {
        let RData::SOA(soa) = &record.data else {
            return None;
        };
        record.ttl = record.ttl.min(soa.minimum).min(LONGEST_NEGATIVE);
        Some(record.ttl)
    })
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::rdata::{A, SOA};
    use hickory_proto::rr::{Name, Record};

    use super::*;

    fn message(rcode: ResponseCode, ttls: &[u32], soa: Option<(u32, u32)>) -> Message {
        let mut message = Message::query();
        message.metadata.response_code = rcode;
        let a = |ttl: &u32| Record::from_rdata(Name::root(), *ttl, RData::A(A::new(0, 0, 0, 0)));
        message.answers = ttls.iter().map(a).collect();
        message.authorities = Vec::from_iter(soa.map(|(ttl, minimum)| {
            let soa = SOA::new(Name::root(), Name::root(), 1, 2, 3, 4, minimum);
            Record::from_rdata(Name::root(), ttl, RData::SOA(soa))
        }));
        message
    }

    fn seconds(mut message: Message, is_negative: bool) -> Option<u64> {
        lifetime(&mut message, is_negative).map(|time| time.as_secs())
    }

    #[test]
    fn the_smallest_ttl_counts_and_a_day_is_the_most() {
        use ResponseCode::NoError;
        assert_eq!(
            seconds(message(NoError, &[60, 30, 90], None), false),
            Some(30)
        );
        assert_eq!(
            seconds(message(NoError, &[u32::MAX], None), false),
            Some(86400)
        );
        assert_eq!(seconds(message(NoError, &[60, 0], None), false), None);
        // The SOA of a whole answer says nothing about it.
        assert_eq!(
            seconds(message(NoError, &[60], Some((5, 5))), false),
            Some(60)
        );
    }

    #[test]
    fn what_is_missing_is_so_for_as_long_as_its_soa_says() {
        use ResponseCode::{NXDomain, NoError};
        for (ttl, minimum, expected) in [(60, 30, 30), (30, 60, 30), (99999, 99999, 10800)] {
            let soa = Some((ttl, minimum));
            assert_eq!(seconds(message(NXDomain, &[], soa), false), Some(expected));
            assert_eq!(seconds(message(NoError, &[], soa), true), Some(expected));
        }
        assert_eq!(
            seconds(message(NXDomain, &[7], Some((60, 60))), false),
            Some(7)
        );
        assert_eq!(seconds(message(NXDomain, &[], None), false), None);
        assert_eq!(seconds(message(NoError, &[], None), true), None);
        let mut lowered = message(NXDomain, &[], Some((60, 30)));
        lifetime(&mut lowered, true);
        assert_eq!(lowered.authorities[0].ttl, 30);
    }

    #[test]
    fn no_failure_and_nothing_that_is_cut_is_kept() {
        use ResponseCode::{FormErr, NoError, Refused, ServFail};
        for rcode in [ServFail, Refused, FormErr] {
            assert_eq!(seconds(message(rcode, &[60], Some((60, 60))), false), None);
        }
        let mut cut = message(NoError, &[60], None);
        cut.metadata.truncation = true;
        assert_eq!(seconds(cut, false), None);
    }
}
