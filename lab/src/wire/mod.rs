//! A wire that is bad: it carries the frames of one link, with delay, jitter, loss, reordering and a
//! rate.
//!
//! - [`Wire`]: two tasks, one for each way, that copy frames between two interfaces
//! - `line`: what happens to the frames of one way
//! - [`Tally`]: how many went, and what became of the others
//!
//! It stands in for netem (tc-netem(8)), which not every kernel has.

mod line;
mod tally;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fps_packet::{CaptureError, Frames};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use line::Line;
pub use tally::Tally;

use crate::scenario::{Shape, Ways};

/// The longest frame: without offloads none is longer than the MTU and its headers.
const LONGEST: usize = 65_536 + 32;
/// How many frames are taken before those are sent that are due.
const HAUL: usize = 64;
/// What the dice of the two ways begin with: a play that is played again has the same luck, as far
/// as the same frames come in the same order.
const SEEDS: [u64; 2] = [0x0046_5053_0001, 0x0046_5053_0002];

/// A wire between the interface that a host's link leads to and one that leads into its net.
#[derive(Debug)]
pub struct Wire {
    out: Way,
    back: Way,
    ends: [Arc<Frames>; 2],
}

#[derive(Debug)]
struct Way {
    orders: watch::Sender<Orders>,
    cuts: watch::Receiver<u64>,
    tally: Arc<Mutex<Tally>>,
    task: JoinHandle<()>,
}

/// What a way is told.
#[derive(Clone, Copy, Debug, Default)]
struct Orders {
    /// What happens to frames.
    shape: Shape,
    /// How often the wire was cut.
    cuts: u64,
}

impl Wire {
    /// Carries frames from now on, well at first.
    pub fn start(host: Frames, net: Frames) -> Self {
        let (host, net) = (Arc::new(host), Arc::new(net));
        Self {
            out: Way::start(SEEDS[0], &host, &net),
            back: Way::start(SEEDS[1], &net, &host),
            ends: [host, net],
        }
    }

    /// Changes what happens to the frames that come from now on.
    pub fn reshape(&self, shape: Shape, ways: Ways) {
        if ways != Ways::In {
            self.out.orders.send_modify(|orders| orders.shape = shape);
        }
        if ways != Ways::Out {
            self.back.orders.send_modify(|orders| orders.shape = shape);
        }
    }

    /// Loses all frames that are under way, as a cable does that is taken out; returns when they are
    /// gone.
    pub async fn cut(&self) {
        for way in [&self.out, &self.back] {
            way.orders.send_modify(|orders| orders.cuts += 1);
            let wanted = way.orders.borrow().cuts;
            // One that broke carries nothing anyway, and the play says so.
            drop(way.cuts.clone().wait_for(|done| *done >= wanted).await);
        }
    }

    /// The longest that a frame has had to wait, both ways together, since they were last changed.
    pub fn longest_wait(&self) -> Duration {
        self.out.tally().longest + self.back.tally().longest
    }

    /// What became of the frames up to now: of those that left the host, and of the others.
    pub fn tallies(&self) -> Result<[Tally; 2], CaptureError> {
        let ways = [(&self.out, &self.ends[0]), (&self.back, &self.ends[1])];
        let mut tallies = ways.map(|(way, _)| way.tally().clone());
        for (tally, (way, end)) in tallies.iter_mut().zip(ways) {
            // The kernel forgets its count once it has told it.
            let unseen = u64::from(end.lost()?);
            way.tally().unseen += unseen;
            tally.unseen += unseen;
        }
        Ok(tallies)
    }
}

impl Way {
    fn start(seed: u64, from: &Arc<Frames>, to: &Arc<Frames>) -> Self {
        let (orders, told) = watch::channel(Orders::default());
        let (tell_cuts, cuts) = watch::channel(0);
        let tally = Arc::new(Mutex::new(Tally::default()));
        let carrier = Carrier {
            line: Line::new(seed),
            from: Arc::clone(from),
            to: Arc::clone(to),
            told,
            cuts: tell_cuts,
            tally: Arc::clone(&tally),
        };
        let task = tokio::spawn(carrier.carry());
        Self {
            orders,
            cuts,
            tally,
            task,
        }
    }

    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The task of one way.
struct Carrier {
    line: Line,
    from: Arc<Frames>,
    to: Arc<Frames>,
    told: watch::Receiver<Orders>,
    /// How often it has lost all that was under way.
    cuts: watch::Sender<u64>,
    tally: Arc<Mutex<Tally>>,
}

impl Carrier {
    async fn carry(mut self) {
        let mut buffer = vec![0; LONGEST];
        let end = loop {
            if let Err(error) = self.turn(&mut buffer).await {
                break error;
            }
        };
        self.tell(|tally| tally.end = Some(end.to_string()));
    }

    /// Waits until there is something to do, and does it.
    async fn turn(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        let due = self.line.next_due();
        tokio::select! {
            told = self.told.changed() => {
                told.map_err(io::Error::other)?;
                self.obey(buffer)?;
            }
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            ready = self.from.readable() => ready?,
        }
        for _ in 0..HAUL {
            let Some(length) = self.from.receive(buffer)? else {
                break;
            };
            let fate = self.line.push(&buffer[..length], Instant::now());
            self.tell(|tally| tally.count(fate));
        }
        while let Some(frame) = self.line.take(Instant::now()) {
            let taken = self.to.send(&frame)?;
            self.tell(|tally| tally.sent(taken));
        }
        Ok(())
    }

    fn obey(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        let Orders { shape, cuts } = *self.told.borrow_and_update();
        if *self.cuts.borrow() != cuts {
            let mut lost = self.line.clear();
            while self.from.receive(buffer)?.is_some() {
                lost += 1;
            }
            self.tell(|tally| tally.cut += lost);
            self.cuts.send_replace(cuts);
        }
        self.line.shape = shape;
        self.tell(|tally| tally.longest = Duration::ZERO);
        Ok(())
    }

    fn tell(&self, tell: impl FnOnce(&mut Tally)) {
        tell(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
