//! What a zone says of a name.

use hickory_proto::rr::{LowerName, Name, RData, Record, RecordSet, RecordType, RrKey};

use super::Zone;

/// How many aliases are followed.
pub(super) const ALIASES: usize = 8;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The records, behind the aliases that lead to them.
    pub(super) answers: Vec<Record>,
    /// What comes with an answer that has no record of that type: the SOA.
    pub(super) authority: Option<Record>,
    /// Whether there is no such name.
    pub(super) is_unknown: bool,
}

impl Zone {
    /// Looks a name up, and the targets of its aliases as long as they are in the zone.
    pub(super) fn look_up(&self, name: &Name, kind: RecordType) -> Found {
        let (mut found, mut name) = (Found::default(), name.clone());
        for _ in 0..ALIASES {
            if let Some(set) = self.set(&name, kind) {
                found.answers.extend(records(set));
                return found;
            }
            let Some(set) = self.set(&name, RecordType::CNAME) else {
                found.is_unknown = !self.knows(&name);
                found.authority = self.soa();
                return found;
            };
            found.answers.extend(records(set));
            match set.record().map(|record| &record.data) {
                Some(RData::CNAME(target)) if self.apex().zone_of(target) => {
                    name = target.0.clone();
                }
                // Who asks has to ask another for the target.
                _ => return found,
            }
        }
        found
    }

    fn set(&self, name: &Name, kind: RecordType) -> Option<&RecordSet> {
        self.sets.get(&RrKey::new(LowerName::new(name), kind))
    }

    /// Whether it has a record of any type, or a name below it has (RFC 8020).
    fn knows(&self, name: &Name) -> bool {
        self.sets.values().any(|set| name.zone_of(set.name()))
    }

    /// With the TTL for which it may be kept that there is nothing (RFC 2308, 3).
    fn soa(&self) -> Option<Record> {
        let mut record = self.set(self.apex(), RecordType::SOA)?.record()?.clone();
        if let RData::SOA(soa) = &record.data {
            record.ttl = record.ttl.min(soa.minimum);
        }
        Some(record)
    }
}

fn records(set: &RecordSet) -> impl Iterator<Item = Record> {
    set.records_without_rrsigs().cloned()
}
