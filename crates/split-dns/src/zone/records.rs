//! What a zone holds.

use std::collections::BTreeMap;

use hickory_proto::rr::rdata::SOA;
use hickory_proto::rr::{LowerName, Name, RData, Record, RecordSet, RecordType, RrKey};
use hickory_proto::serialize::txt::Parser;

/// How long a record may be kept where its line does not say, in seconds; and how long it may be kept
/// that there is none (RFC 2308, 5).
const TTL: u32 = 60;

/// The records of a name and all names below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    apex: Name,
    pub(super) sets: BTreeMap<RrKey, RecordSet>,
}

/// A line that is no record of its zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// It is a directive such as `$INCLUDE`, or several lines.
    #[error("a record is one line, and no directive")]
    NotOneRecord,
    /// It belongs to another zone.
    #[error("{0} is not in the zone")]
    Outside(Name),
    /// A name with an alias has nothing else (RFC 1034, 3.6.2).
    #[error("{0} has a CNAME, and so nothing else")]
    BesideAlias(Name),
}

impl Zone {
    /// With an SOA and nothing else.
    pub fn new(apex: &Name) -> Self {
        let mut apex = apex.clone();
        apex.set_fqdn(true);
        let below = |label| apex.prepend_label(label).unwrap_or_else(|_| apex.clone());
        let soa = SOA::new(below("ns"), below("hostmaster"), 1, 3600, 600, 86400, TTL);
        let mut zone = Self {
            apex: apex.clone(),
            sets: BTreeMap::new(),
        };
        zone.insert(Record::from_rdata(apex, TTL, RData::SOA(soa)));
        zone
    }

    /// The name that all of its names end in.
    pub fn apex(&self) -> &Name {
        &self.apex
    }

    /// Adds the record of a line: owner, TTL where it is not 60 s, class where it is said, type, data. A
    /// name without a dot at its end is one below the apex, and `@` the apex.
    pub fn add(&mut self, line: &str) -> Result<(), BadRecord> {
        let records = self.read(line)?;
        for record in &records {
            self.check(record)?;
        }
        records.into_iter().for_each(|record| self.insert(record));
        Ok(())
    }

    /// Takes all records of a name and type away; says whether there were any.
    pub fn remove(&mut self, name: &Name, kind: RecordType) -> bool {
        let key = RrKey::new(LowerName::new(name), kind);
        self.sets.remove(&key).is_some()
    }

    fn read(&self, line: &str) -> Result<Vec<Record>, BadRecord> {
        if line.contains(['\n', '\r']) || line.trim_start().starts_with('$') {
            return Err(BadRecord::NotOneRecord);
        }
        let text = format!("$TTL {TTL}\n{}\n", line.trim());
        let parser = Parser::new(text, None, Some(self.apex.clone()));
        let parsed = parser.parse();
        let (_, sets) = parsed.map_err(|error| BadRecord::Unreadable(error.to_string()))?;
        let records: Vec<_> = sets
            .values()
            .flat_map(|set| set.records_without_rrsigs().cloned())
            .collect();
        match records.is_empty() {
            true => Err(BadRecord::NotOneRecord),
            false => Ok(records),
        }
    }

    fn check(&self, record: &Record) -> Result<(), BadRecord> {
        if !self.apex.zone_of(&record.name) {
            return Err(BadRecord::Outside(record.name.clone()));
        }
        let name = LowerName::new(&record.name);
        let others = self.sets.values().filter(|set| {
            let is_soa = set.record_type() == RecordType::SOA;
            LowerName::new(set.name()) == name && !is_soa
        });
        let alias = |kind| kind == RecordType::CNAME;
        for set in others {
            if alias(set.record_type()) || alias(record.record_type()) {
                return Err(BadRecord::BesideAlias(record.name.clone()));
            }
        }
        Ok(())
    }

    fn insert(&mut self, record: Record) {
        let key = RrKey::new(LowerName::new(&record.name), record.record_type());
        let set = self.sets.entry(key);
        let (name, kind) = (record.name.clone(), record.record_type());
        let set = set.or_insert_with(|| RecordSet::new(name, kind, 0));
        set.insert(record, 0);
    }
}
