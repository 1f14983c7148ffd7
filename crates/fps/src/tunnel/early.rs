//! Packets that have come by another carrier than those before them in their flow, and would overtake
//! them: they wait until those are read.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use tokio::sync::Notify;

use super::inbound::Kept;
use super::inlets::{Behind, Inlets};
use super::{CarrierId, Flow, Inbound};

/// How long a flow waits for a carrier of which nothing is read: an application that does not read keeps
/// its own back.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many bytes may wait, of all flows.
const ROOM: usize = 1 << 20;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Early {
    flows: RefCell<FxHashMap<Flow, Waiting>>,
    bytes: Cell<usize>,
    changed: Notify,
}

/// The packets of a flow.
#[derive(Debug)]
struct Waiting {
    behind: Behind,
    /// When it began.
    since: Instant,
    packets: Vec<Kept>,
}

/// Where a packet stands to its flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// None of it waits.
    InOrder,
    /// It is one of those that are waited for.
    Awaited,
    /// Others wait before it.
    Waits,
}

impl Waiting {
    /// How long it waits if nothing more is read of the other carrier.
    fn until(&self, inlets: &Inlets) -> Instant {
        let last = inlets.last_read(&self.behind);
        last.map_or(self.since, |last| last.max(self.since)) + PATIENCE
    }
}

impl Early {
    /// Where a packet of a flow stands that has come by a carrier.
    pub(super) fn standing(&self, flow: Flow, from: CarrierId) -> Standing {
        match self.flows.borrow().get(&flow) {
            None => Standing::InOrder,
            Some(waiting) if waiting.behind.carrier == from => Standing::Awaited,
            Some(_) => Standing::Waits,
        }
    }

    /// Keeps the first packet of a flow.
    pub(super) fn begin(&self, flow: Flow, behind: Behind, inbound: Inbound<'_>) -> bool {
        let waiting = Waiting {
            behind,
            since: Instant::now(),
            packets: Vec::new(),
        };
        self.flows.borrow_mut().insert(flow, waiting);
        // Whoever waits for the first to be due does not know of this one.
        self.changed.notify_one();
        self.push(flow, inbound)
    }

    /// Keeps one more, or says `false` where there is no room.
    pub(super) fn push(&self, flow: Flow, inbound: Inbound<'_>) -> bool {
        let bytes = self.bytes.get() + inbound.len();
        let mut flows = self.flows.borrow_mut();
        let Some(waiting) = flows.get_mut(&flow).filter(|_| bytes <= ROOM) else {
            return false;
        };
        self.bytes.set(bytes);
        waiting.packets.push(inbound.keep());
        true
    }

    /// Those that need not wait any more, each flow's in their order.
    pub(super) fn take(&self, inlets: &Inlets) -> Vec<Kept> {
        let mut flows = self.flows.borrow_mut();
        if flows.is_empty() {
            return Vec::new();
        }
        let now = Instant::now();
        let ready = |_: &Flow, waiting: &mut Waiting| {
            inlets.has_reached(&waiting.behind) || waiting.until(inlets) <= now
        };
        let ready = flows.extract_if(ready);
        let packets: Vec<_> = ready.flat_map(|(_, waiting)| waiting.packets).collect();
        let bytes: usize = packets.iter().map(|packet| packet.inbound().len()).sum();
        self.bytes.set(self.bytes.get() - bytes);
        packets
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        let flows = self.flows.borrow();
        flows.values().map(|waiting| waiting.packets.len()).sum()
    }

    /// A carrier has ended, for which some may wait.
    pub(super) fn ended(&self) {
        self.changed.notify_one();
    }

    /// Waits until some of them need not wait any more, but for what is read meanwhile.
    pub(super) async fn due(&self, inlets: &Inlets) {
        let changed = self.changed.notified();
        let first = self
            .flows
            .borrow()
            .values()
            .map(|it| it.until(inlets))
            .min();
        match first {
            Some(until) => {
                // Both are reasons to look.
                let _ = tokio::time::timeout_at(until.into(), changed).await;
            }
            None => changed.await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    const BEFORE: CarrierId = CarrierId(1);
    const NEXT: CarrierId = CarrierId(2);

    fn waiting(inlets: &Inlets, early: &Early) -> Vec<u8> {
        let packets = early.take(inlets);
        let first = packets.iter().map(|packet| match packet.inbound() {
            Inbound::Packet(bytes) | Inbound::Whole(bytes) => bytes[0],
        });
        first.collect()
    }

    #[test]
    fn a_packet_waits_for_what_lies_in_the_other_carriers_socket() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let (inlets, early, flow) = (Inlets::default(), Early::default(), Flow::default());
        inlets.open(BEFORE, ours.as_raw_fd());
        assert_eq!(inlets.behind(BEFORE), None, "nothing lies there");
        theirs.write_all(&[0; 100]).unwrap();
        let behind = inlets.behind(BEFORE).unwrap();
        assert_eq!(early.standing(flow, NEXT), Standing::InOrder);
        assert!(early.begin(flow, behind, Inbound::Packet(&[1])));
        assert_eq!(early.standing(flow, BEFORE), Standing::Awaited);
        assert_eq!(early.standing(flow, NEXT), Standing::Waits);
        assert!(early.push(flow, Inbound::Whole(&[2])));
        assert!(waiting(&inlets, &early).is_empty());
        inlets.have_read(BEFORE, 99);
        assert!(waiting(&inlets, &early).is_empty());
        inlets.have_read(BEFORE, 1);
        assert_eq!(waiting(&inlets, &early), [1, 2]);
        assert_eq!(early.standing(flow, NEXT), Standing::InOrder);
        assert_eq!(early.bytes.get(), 0);
    }

    #[test]
    fn nobody_waits_for_a_carrier_that_has_ended_and_few_bytes_wait_at_all() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let (inlets, early, flow) = (Inlets::default(), Early::default(), Flow::default());
        inlets.open(BEFORE, ours.as_raw_fd());
        theirs.write_all(&[0; 100]).unwrap();
        let behind = inlets.behind(BEFORE).unwrap();
        assert!(early.begin(flow, behind, Inbound::Packet(&[1])));
        assert!(!early.push(flow, Inbound::Packet(&[0; ROOM])), "too many");
        inlets.close(BEFORE);
        assert_eq!(waiting(&inlets, &early), [1]);
    }
}
