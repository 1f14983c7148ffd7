//! What waits for one carrier.
//!
//! Packets lie one behind the other in chunks, so that none costs an allocation; a long one stays in the
//! buffer that it was read to. There are two lanes:
//! a flow of which nothing waits goes first, as in fq_codel (RFC 8290), so that a question is not held
//! up behind a download. No flow is ever out of order: it has the first lane only as long as it has
//! nothing in the second.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::os::fd::RawFd;

use fps_wire::classified::Spread;
use tokio::sync::Notify;

use super::Flow;
use super::flow::FLOWS;
use crate::socket::unacknowledged;

/// How large a chunk is, but for one with a packet that is larger.
const CHUNK: usize = 64 << 10;
/// How much of a flow may wait in the first lane: a packet or two.
const SPARSE: usize = 3000;
/// How many empty chunks are kept for the next packets.
const SPARE: usize = 4;

/// Packets on their way from the device into one carrier, bounded in bytes. A full queue drops the
/// packet: the senders inside the tunnel take that for congestion, which it is.
#[derive(Debug)]
pub struct PacketQueue {
    lanes: RefCell<Lanes>,
    bytes: Cell<usize>,
    most_bytes: usize,
    dropped: Cell<u64>,
    replaced: Notify,
    takes_whole: Cell<bool>,
    /// The socket that they are written to.
    link: Cell<Option<RawFd>>,
    /// What was taken is being written.
    writes: Cell<bool>,
    wake: Notify,
}

#[derive(Debug)]
struct Lanes {
    sparse: VecDeque<Chunk>,
    bulk: VecDeque<Chunk>,
    /// How many bytes of each flow wait in each lane.
    waiting: Box<[[usize; 2]; FLOWS]>,
    spare: Vec<Packed>,
}

/// Packets that leave the queue together.
#[derive(Debug)]
pub enum Chunk {
    /// In one buffer.
    Packed(Packed),
    /// One, where it can be sealed.
    Spread(Spread, Flow),
}

/// Packets, one behind the other.
#[derive(Debug, Default)]
pub struct Packed {
    bytes: Vec<u8>,
    /// The end of each packet, and its flow.
    ends: Vec<(usize, Flow)>,
}

impl Chunk {
    /// How many packets.
    pub fn count(&self) -> usize {
        match self {
            Self::Packed(packed) => packed.ends.len(),
            Self::Spread(..) => 1,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Packed(packed) => packed.bytes.len(),
            Self::Spread(spread, _) => spread.len(),
        }
    }

    /// Where there is room for another packet.
    fn with_room(&mut self, length: usize) -> Option<&mut Packed> {
        match self {
            Self::Packed(packed) => Some(packed).filter(|packed| packed.has_room(length)),
            Self::Spread(..) => None,
        }
    }

    /// How long each packet is, and its flow.
    fn each(&self, mut note: impl FnMut(usize, Flow)) {
        match self {
            Self::Packed(packed) => {
                let mut begin = 0;
                for (end, flow) in &packed.ends {
                    note(end - begin, *flow);
                    begin = *end;
                }
            }
            Self::Spread(spread, flow) => note(spread.len(), *flow),
        }
    }
}

impl Packed {
    /// Each packet, in its order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let begins = [0].into_iter().chain(self.ends.iter().map(|(end, _)| *end));
        let ends = self.ends.iter().map(|(end, _)| *end);
        begins.zip(ends).map(|(begin, end)| &self.bytes[begin..end])
    }

    fn push(&mut self, packet: &[u8], flow: Flow) {
        self.bytes.extend_from_slice(packet);
        self.ends.push((self.bytes.len(), flow));
    }

    fn has_room(&self, length: usize) -> bool {
        self.bytes.len() + length <= CHUNK
    }
}

impl Default for Lanes {
    fn default() -> Self {
        Self {
            sparse: VecDeque::new(),
            bulk: VecDeque::new(),
            waiting: Box::new([[0; 2]; FLOWS]),
            spare: Vec::new(),
        }
    }
}

impl Lanes {
    fn push(&mut self, packet: &[u8], flow: Flow) {
        let [sparse, bulk] = &mut self.waiting[flow.place()];
        let first = *bulk == 0 && *sparse + packet.len() <= SPARSE;
        let (lane, waiting) = match first {
            true => (&mut self.sparse, sparse),
            false => (&mut self.bulk, bulk),
        };
        *waiting += packet.len();
        match lane.back_mut().and_then(|it| it.with_room(packet.len())) {
            Some(packed) => packed.push(packet, flow),
            None => {
                let mut packed = self.spare.pop().unwrap_or_default();
                packed.push(packet, flow);
                lane.push_back(Chunk::Packed(packed));
            }
        }
    }

    fn push_spread(&mut self, packet: Spread, flow: Flow) {
        let [_, bulk] = &mut self.waiting[flow.place()];
        *bulk += packet.len();
        self.bulk.push_back(Chunk::Spread(packet, flow));
    }

    fn pop(&mut self) -> Option<Chunk> {
        let (lane, chunk) = match self.sparse.pop_front() {
            Some(chunk) => (0, chunk),
            None => (1, self.bulk.pop_front()?),
        };
        chunk.each(|length, flow| self.waiting[flow.place()][lane] -= length);
        Some(chunk)
    }

    fn give_back(&mut self, mut packed: Packed) {
        if self.spare.len() < SPARE {
            packed.bytes.clear();
            packed.ends.clear();
            self.spare.push(packed);
        }
    }
}

impl PacketQueue {
    /// An empty queue that holds at most so many bytes.
    pub fn new(most_bytes: usize) -> Self {
        Self {
            lanes: RefCell::default(),
            bytes: Cell::new(0),
            most_bytes,
            dropped: Cell::new(0),
            replaced: Notify::new(),
            takes_whole: Cell::new(false),
            link: Cell::default(),
            writes: Cell::default(),
            wake: Notify::new(),
        }
    }

    /// The same, for what is written to a link.
    pub fn of_link(most_bytes: usize, link: RawFd) -> Self {
        let queue = Self::new(most_bytes);
        queue.link.set(Some(link));
        queue
    }

    /// What was taken out is being written, or has been.
    pub fn set_writes(&self, writes: bool) {
        self.writes.set(writes);
    }

    /// Whether the other end's kernel has all that was put in.
    pub fn has_arrived(&self) -> bool {
        let written = self.is_empty() && !self.writes.get();
        written && self.link.get().is_none_or(|link| unacknowledged(link) == 0)
    }

    /// Adds a packet, or counts it as dropped and says `false`.
    pub fn push(&self, packet: &[u8], flow: Flow) -> bool {
        let fits = self.admit(packet.len());
        if fits {
            self.lanes.borrow_mut().push(packet, flow);
        }
        fits
    }

    /// The same with the buffer that it lies in, which another takes the place of.
    pub fn push_spread(
        &self,
        packet: &mut Spread,
        flow: Flow,
        other: impl FnOnce() -> Spread,
    ) -> bool {
        let fits = self.admit(packet.len());
        if fits {
            let packet = std::mem::replace(packet, other());
            self.lanes.borrow_mut().push_spread(packet, flow);
        }
        fits
    }

    fn admit(&self, length: usize) -> bool {
        let bytes = self.bytes.get() + length;
        if bytes > self.most_bytes {
            self.dropped.set(self.dropped.get() + 1);
            return false;
        }
        if self.bytes.replace(bytes) == 0 {
            self.wake.notify_one();
        }
        true
    }

    /// Takes the packets that are next.
    pub fn pop(&self) -> Option<Chunk> {
        let chunk = self.lanes.borrow_mut().pop()?;
        self.bytes.set(self.bytes.get() - chunk.len());
        Some(chunk)
    }

    /// Takes back a buffer that has been used.
    pub fn give_back(&self, packed: Packed) {
        self.lanes.borrow_mut().give_back(packed);
    }

    /// Ends the carrier: another process of its client has taken its place.
    pub fn replace(&self) {
        self.replaced.notify_one();
    }

    /// Waits until it has ended so.
    pub async fn replaced(&self) {
        self.replaced.notified().await;
    }

    /// From now on it takes packets as the device gives them, each behind its header.
    pub fn take_whole(&self) {
        self.takes_whole.set(true);
    }

    /// Whether it does.
    pub fn takes_whole(&self) -> bool {
        self.takes_whole.get()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.bytes.get() == 0
    }

    /// How many packets found it full.
    pub fn dropped(&self) -> u64 {
        self.dropped.get()
    }

    /// Wakes the carrier although there is no packet: the session has a record to send.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits for a packet or for [`Self::wake`]; one call that came earlier counts.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::super::address::tests::packet;
    use super::*;

    fn push(queue: &PacketQueue, packet: &[u8]) -> bool {
        queue.push(packet, Flow::of(packet))
    }

    /// What comes out, by the last byte of each.
    fn drain(queue: &PacketQueue) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(chunk) = queue.pop() {
            match chunk {
                Chunk::Packed(packed) => {
                    all.extend(packed.iter().map(|packet| packet[packet.len() - 1]));
                    queue.give_back(packed);
                }
                Chunk::Spread(mut packet, _) => all.extend(packet.join().last()),
            }
        }
        all
    }

    fn push_long(queue: &PacketQueue, packet: &[u8]) -> bool {
        let mut spread = Spread::new(packet.len());
        spread.fill(packet);
        let took = queue.push_spread(&mut spread, Flow::of(packet), || Spread::new(0));
        assert_eq!(took, spread.is_empty(), "it stays where it is dropped");
        took
    }

    fn of(destination: &str, length: usize, number: u8) -> Vec<u8> {
        let mut packet = packet("10.0.0.1", destination);
        packet.resize(length, number);
        packet
    }

    #[test]
    fn drops_and_counts_what_does_not_fit() {
        let queue = PacketQueue::new(100);
        assert!(push(&queue, &of("10.0.0.2", 60, 1)));
        assert!(!push(&queue, &of("10.0.0.2", 50, 2)));
        assert!(push(&queue, &of("10.0.0.2", 40, 3)));
        assert_eq!(queue.dropped(), 1);
        assert_eq!(drain(&queue), [1, 3]);
        assert!(queue.is_empty());
        assert!(push(&queue, &of("10.0.0.2", 60, 4)), "room is free again");
        assert_eq!(drain(&queue), [4]);
    }

    #[test]
    fn a_flow_of_which_nothing_waits_goes_first_and_none_is_out_of_order() {
        let queue = PacketQueue::new(1 << 20);
        // Two of it are few, and more are many.
        for number in 0..200 {
            assert!(push(&queue, &of("10.0.0.2", 1400, number)));
        }
        assert!(push(&queue, &of("10.0.0.3", 100, 250)));
        let Some(Chunk::Packed(first)) = queue.pop() else {
            panic!("short ones lie in one buffer");
        };
        let numbers: Vec<_> = first.iter().map(|it| it[it.len() - 1]).collect();
        assert_eq!(numbers, [0, 1, 250]);
        // While it has many that wait it has no place before them.
        assert!(push(&queue, &of("10.0.0.2", 100, 200)));
        assert!(push(&queue, &of("10.0.0.3", 100, 251)));
        let rest = drain(&queue);
        assert_eq!(rest[0], 251);
        assert_eq!(rest[1..], (2..=200).collect::<Vec<_>>());
        let waiting = queue.lanes.borrow();
        assert!(waiting.waiting.iter().all(|it| *it == [0, 0]));
        assert!(waiting.spare.len() <= SPARE);
    }

    #[test]
    fn a_long_packet_keeps_its_place_and_counts() {
        let queue = PacketQueue::new(100_000);
        let long = |number| of("10.0.0.2", 30_000, number);
        // More than the first lane takes of a flow, so that all of it is in the second.
        assert!(push(&queue, &of("10.0.0.2", SPARSE + 1, 1)));
        assert!(push_long(&queue, &long(2)));
        assert!(push(&queue, &of("10.0.0.2", 100, 3)));
        assert!(push_long(&queue, &long(4)));
        assert!(push_long(&queue, &long(5)));
        assert!(push(&queue, &of("10.0.0.3", 100, 6)));
        assert!(!push_long(&queue, &long(7)));
        assert_eq!(queue.dropped(), 1);
        assert_eq!(drain(&queue), [6, 1, 2, 3, 4, 5]);
        assert!(queue.is_empty());
        let waiting = queue.lanes.borrow();
        assert!(waiting.waiting.iter().all(|it| *it == [0, 0]));
    }
}
