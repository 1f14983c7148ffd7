//! What became of the frames of one way.

use std::fmt;
use std::time::Duration;

/// What becomes of a frame that has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It waits for its time, for so long.
    Queued(Duration),
    /// It is lost, as it was to be.
    Lost,
    /// It is lost, since the queue was full.
    NoRoom,
}

/// How many frames went, and what became of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Those that arrived.
    pub carried: u64,
    /// Those that were lost, as they were to be.
    pub lost: u64,
    /// Those for which the queue had no room.
    pub no_room: u64,
    /// Those that the interface at the other end did not take: it was down, or they were too long.
    pub not_taken: u64,
    /// Those that the kernel lost before this program could read them.
    pub unseen: u64,
    /// Those that were under way when the cable was taken out.
    pub cut: u64,
    /// The longest that one has had to wait, since this way was last changed.
    pub longest: Duration,
    /// Why the wire carries nothing any more, where that is so.
    pub end: Option<String>,
}

impl Tally {
    pub(super) fn count(&mut self, fate: Fate) {
        match fate {
            Fate::Queued(wait) => self.longest = self.longest.max(wait),
            Fate::Lost => self.lost += 1,
            Fate::NoRoom => self.no_room += 1,
        }
    }

    pub(super) fn sent(&mut self, taken: bool) {
        match taken {
            true => self.carried += 1,
            false => self.not_taken += 1,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} carried, {} lost", self.carried, self.lost)?;
        let others = [
            (self.no_room, "no room in the queue"),
            (self.not_taken, "not taken at the other end"),
            (self.unseen, "lost by the kernel before the wire"),
            (self.cut, "under way when the cable was taken out"),
        ];
        for (count, what) in others.iter().filter(|(count, _)| *count > 0) {
            write!(f, ", {count} {what}")?;
        }
        match &self.end {
            Some(end) => write!(f, ", then it broke: {end}"),
            None => Ok(()),
        }
    }
}
