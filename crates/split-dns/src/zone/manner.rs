//! How a server misbehaves.

use std::time::Duration;

use hickory_proto::rr::{LowerName, Name};

/// What it does with a question in place of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It answers, so much later.
    Delayed(Duration),
    /// It says REFUSED.
    Refuses,
    /// It says SERVFAIL.
    Fails,
    /// It says nothing.
    Silent,
    /// By UDP it says that the answer is too long, so that it is asked by TCP.
    Truncates,
}

/// The manners of a server, by name.
#[derive(Clone, Debug, Default)]
pub struct Manners(Vec<(Name, Manner)>);

impl Manners {
    /// From now on it does that for a name and all below it, and nothing else.
    pub fn set(&mut self, name: Name, manner: Manner) {
        self.forget(&name);
        self.0.push((name, manner));
    }

    /// It answers for that name as usual again.
    pub fn forget(&mut self, name: &Name) {
        let name = LowerName::new(name);
        self.0.retain(|(other, _)| LowerName::new(other) != name);
    }

    /// That of the longest name.
    pub(super) fn of(&self, name: &Name) -> Option<Manner> {
        let matching = self.0.iter().filter(|(above, _)| above.zone_of(name));
        let longest = matching.max_by_key(|(above, _)| above.num_labels());
        longest.map(|(_, manner)| *manner)
    }
}
