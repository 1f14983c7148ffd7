//! How long a pump has the thread for itself.

use std::time::{Duration, Instant};

/// After so long another has its turn.
const LENGTH: Duration = Duration::from_micros(200);

/// What a pump does before others are looked at. A socket that always has more, and one that always takes
/// more, would keep it going until tokio's budget ends it, which is 128 reads or writes; meanwhile nobody
/// reads the device, and a packet that is to go first waits there behind all others.
#[derive(Debug)]
pub(super) struct Turn(Instant);

impl Turn {
    /// It begins.
    pub(super) fn begin() -> Self {
        Self(Instant::now())
    }

    /// Lets others go on if it has been long enough.
    pub(super) async fn may_end(&mut self) {
        if self.0.elapsed() >= LENGTH {
            tokio::task::yield_now().await;
            *self = Self::begin();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_always_has_more_to_do_lets_others_go_on() {
        let busy = async {
            let (begin, mut turn) = (Instant::now(), Turn::begin());
            while begin.elapsed() < Duration::from_secs(5) {
                turn.may_end().await;
            }
            panic!("it has never given way");
        };
        let others = async {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
        };
        // Whoever is polled first: the busy one has to give way for the other to be polled at all.
        tokio::select! {
            biased;
            () = busy => {}
            () = others => {}
        }
    }
}
