//! Who of a step's expectations waits for whom: absence is to come of what the others do, either.

use tokio::sync::watch;

use crate::scenario::Check;

/// When an expectation comes to its verdict: behind all that come sooner.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// As soon as it is sure.
    AtOnce,
    /// It looks at what was asked, counted or printed when those are through.
    Counting,
    /// It goes on all the time, and puts a packet of the lab's own onto a link in the end, which nobody
    /// who counts is to count.
    Watching,
}

impl Turn {
    fn of(check: &Check) -> Self {
        match check {
            Check::NotAsked(_) => Self::Counting,
            Check::Counter(counter) if counter.count.waits() => Self::Counting,
            Check::Log(log) if log.count.waits() => Self::Counting,
            Check::Silent(_) | Check::NoCarrierLoop(_) => Self::Watching,
            _ => Self::AtOnce,
        }
    }
}

/// The expectations of a step that are not through.
pub(in crate::play) struct Others(watch::Sender<Vec<Turn>>);

impl Others {
    /// Of expectations that are checked side by side.
    pub(in crate::play) fn among<'a>(checks: impl Iterator<Item = &'a Check>) -> Self {
        Self(watch::Sender::new(checks.map(Turn::of).collect()))
    }

    /// One is through.
    pub(in crate::play) fn ended(&self, check: &Check) {
        let turn = Turn::of(check);
        self.0.send_modify(|left| {
            let place = left.iter().position(|it| *it == turn);
            left.swap_remove(place.expect("it is one of them"));
        });
    }

    /// Waits until it is the turn of one that looks at the end alone.
    pub(in crate::play) async fn await_turn(&self, check: &Check) {
        if Turn::of(check) == Turn::Counting {
            self.sooner(Turn::Counting).await;
        }
    }

    /// Whether those are through for which one waits that goes on all the time.
    pub(super) fn are_through(&self) -> bool {
        !any_sooner(&self.0.borrow(), Turn::Watching)
    }

    /// Waits until they are.
    pub(super) async fn through(&self) {
        self.sooner(Turn::Watching).await;
    }

    async fn sooner(&self, turn: Turn) {
        let mut left = self.0.subscribe();
        let through = left.wait_for(|left| !any_sooner(left, turn)).await;
        through.expect("its sender is this");
    }
}

fn any_sooner(left: &[Turn], turn: Turn) -> bool {
    left.iter().any(|it| *it < turn)
}
