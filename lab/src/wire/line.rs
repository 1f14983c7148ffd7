//! What happens to the frames of one way.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use tokio::time::Instant;

use super::tally::Fate;
use crate::scenario::Shape;

/// How many frames wait at most; what comes when it is full is lost. As many as netem's `limit`.
const ROOM: usize = 1000;

/// A queue in which frames wait until they are due.
#[derive(Debug)]
pub(super) struct Line {
    /// What happens to frames that come.
    pub(super) shape: Shape,
    dice: fastrand::Rng,
    waiting: BinaryHeap<Reverse<Waiting>>,
    count: u64,
    /// When the last frame is through that the rate has let through.
    free_at: Option<Instant>,
    /// When the last frame is due that keeps the order.
    last: Option<Instant>,
    /// Where between the least and the most delay we are, -1 to 1.
    sway: f64,
}

/// A frame and when it is due; the earlier one first, the one that came first before the other.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    due: Instant,
    number: u64,
    frame: Vec<u8>,
}

impl Line {
    /// An empty one that does no harm yet.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            shape: Shape::default(),
            dice: fastrand::Rng::with_seed(seed),
            waiting: BinaryHeap::new(),
            count: 0,
            free_at: None,
            last: None,
            sway: 0.0,
        }
    }

    /// A frame comes.
    pub(super) fn push(&mut self, frame: &[u8], now: Instant) -> Fate {
        let loss = self.shape.loss.fraction();
        if loss > 0.0 && self.dice.f64() < loss {
            return Fate::Lost;
        }
        if self.waiting.len() >= ROOM {
            return Fate::NoRoom;
        }
        let through = self.through(frame.len(), now);
        let reorder = self.shape.reorder.fraction();
        let due = if reorder > 0.0 && self.dice.f64() < reorder {
            through
        } else {
            let due = through + self.delay();
            let due = self.last.map_or(due, |last| due.max(last));
            self.last = Some(due);
            due
        };
        self.count += 1;
        self.waiting.push(Reverse(Waiting {
            due,
            number: self.count,
            frame: frame.to_vec(),
        }));
        Fate::Queued(due.saturating_duration_since(now))
    }

    /// Loses all frames that wait; says how many.
    pub(super) fn clear(&mut self) -> u64 {
        let lost = self.waiting.len();
        self.waiting.clear();
        (self.free_at, self.last) = (None, None);
        u64::try_from(lost).unwrap_or(u64::MAX)
    }

    /// When the rate has let a frame through.
    fn through(&mut self, length: usize, now: Instant) -> Instant {
        let Some(rate) = self.shape.rate else {
            return now;
        };
        let bits = u64::try_from(length).unwrap_or(u64::MAX).saturating_mul(8);
        let nanos = u128::from(bits) * 1_000_000_000 / u128::from(rate.0);
        let takes = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let begins = self.free_at.map_or(now, |free| free.max(now));
        self.free_at = Some(begins + takes);
        begins + takes
    }

    /// The delay of a frame. It goes up and down by a quarter of the jitter at most from one frame to
    /// the next: with dice of its own for each, and the order kept, every frame would wait for the
    /// slowest before it, and all would take the most.
    fn delay(&mut self) -> Duration {
        if self.shape.jitter.is_zero() {
            return self.shape.delay;
        }
        let step = (self.dice.f64() - 0.5) / 2.0;
        self.sway = (self.sway + step).clamp(-1.0, 1.0);
        let seconds = self.shape.delay.as_secs_f64() + self.sway * self.shape.jitter.as_secs_f64();
        Duration::from_secs_f64(seconds.max(0.0))
    }

    /// When the next frame is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.peek().map(|Reverse(waiting)| waiting.due)
    }

    /// The next frame, if it is due.
    pub(super) fn take(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.next_due().filter(|due| *due <= now)?;
        self.waiting.pop().map(|Reverse(waiting)| waiting.frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{BitRate, Share};

    const MS: Duration = Duration::from_millis(1);

    /// Sends frames of 1000 bytes, one each millisecond; gives number and time of those that arrive.
    fn sent(shape: Shape, count: u16) -> Vec<(u16, Duration)> {
        let mut line = Line::new(1);
        line.shape = shape;
        let start = Instant::now();
        for number in 0..count {
            let mut frame = vec![0; 1000];
            frame[..2].copy_from_slice(&number.to_be_bytes());
            line.push(&frame, start + MS * u32::from(number));
        }
        let mut arrived = Vec::new();
        while let Some(due) = line.next_due() {
            let frame = line.take(due).expect("it is due");
            arrived.push((u16::from_be_bytes([frame[0], frame[1]]), due - start));
        }
        arrived
    }

    fn in_order(arrived: &[(u16, Duration)]) -> bool {
        arrived.is_sorted_by_key(|(number, _)| *number)
    }

    #[test]
    fn a_good_line_delays_nothing_and_loses_nothing() {
        let arrived = sent(Shape::default(), 500);
        assert_eq!(arrived.len(), 500);
        assert!(arrived.iter().all(|(n, at)| *at == MS * u32::from(*n)));
    }

    #[test]
    fn each_frame_takes_its_delay_and_no_more_or_less_than_the_jitter() {
        let delay = MS * 50;
        let jitter = MS * 20;
        let arrived = sent(
            Shape {
                delay,
                jitter,
                ..Shape::default()
            },
            900,
        );
        assert!(in_order(&arrived));
        let took = |(n, at): &(u16, Duration)| *at - MS * u32::from(*n);
        let takes: Vec<_> = arrived.iter().map(took).collect();
        let (least, most) = (takes.iter().min().unwrap(), takes.iter().max().unwrap());
        assert!(
            *least >= delay - jitter && *most <= delay + jitter,
            "{least:?} {most:?}"
        );
        assert!(
            *least < delay - jitter / 2 && *most > delay + jitter / 2,
            "{least:?} {most:?}"
        );
    }

    #[test]
    fn as_many_are_lost_as_are_to_be() {
        let arrived = sent(
            Shape {
                loss: Share(200_000),
                ..Shape::default()
            },
            1000,
        );
        assert!((750..=850).contains(&arrived.len()), "{}", arrived.len());
        assert!(
            sent(
                Shape {
                    loss: Share::ALL,
                    ..Shape::default()
                },
                100
            )
            .is_empty()
        );
    }

    #[test]
    fn some_overtake_others() {
        let shape = Shape {
            delay: MS * 20,
            reorder: Share(250_000),
            ..Shape::default()
        };
        let arrived = sent(shape, 400);
        assert_eq!(arrived.len(), 400);
        assert!(!in_order(&arrived));
        let quick = arrived
            .iter()
            .filter(|(n, at)| *at == MS * u32::from(*n))
            .count();
        assert!((60..=140).contains(&quick), "{quick}");
    }

    #[test]
    fn the_rate_spreads_frames_and_a_full_queue_loses_them() {
        // 8000 bits take 10 ms.
        let shape = Shape {
            rate: Some(BitRate(800_000)),
            ..Shape::default()
        };
        let arrived = sent(shape, 100);
        let last = arrived.last().unwrap().1;
        assert_eq!((arrived.len(), last), (100, MS * 1000));
        let mut line = Line::new(1);
        line.shape = shape;
        let now = Instant::now();
        let fates: Vec<_> = (0..=ROOM).map(|_| line.push(&[0; 100], now)).collect();
        assert!(
            fates[..ROOM]
                .iter()
                .all(|fate| matches!(fate, Fate::Queued(_)))
        );
        assert_eq!(fates[ROOM], Fate::NoRoom);
        assert_eq!((line.clear(), line.next_due()), (1000, None));
        let at_once = line.push(&[0; 100], now);
        assert_eq!(at_once, Fate::Queued(MS), "it waits for nobody");
    }
}
