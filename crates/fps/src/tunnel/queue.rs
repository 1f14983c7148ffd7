//! What waits for one carrier.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use tokio::sync::Notify;

/// Packets on their way from the device into one carrier, bounded in bytes. A full queue drops the
/// packet: the senders inside the tunnel take that for congestion, which it is.
#[derive(Debug)]
pub struct PacketQueue {
    packets: RefCell<VecDeque<Box<[u8]>>>,
    bytes: Cell<usize>,
    most_bytes: usize,
    dropped: Cell<u64>,
    replaced: Cell<bool>,
    wake: Notify,
}

impl PacketQueue {
    /// An empty queue that holds at most so many bytes.
    pub fn new(most_bytes: usize) -> Self {
        Self {
            packets: RefCell::default(),
            bytes: Cell::new(0),
            most_bytes,
            dropped: Cell::new(0),
            replaced: Cell::new(false),
            wake: Notify::new(),
        }
    }

    /// Adds a packet, or counts it as dropped and says `false`.
    pub fn push(&self, packet: &[u8]) -> bool {
        let bytes = self.bytes.get() + packet.len();
        if bytes > self.most_bytes {
            self.dropped.set(self.dropped.get() + 1);
            return false;
        }
        self.bytes.set(bytes);
        self.packets.borrow_mut().push_back(packet.into());
        self.wake.notify_one();
        true
    }

    /// Takes the oldest packet.
    pub fn pop(&self) -> Option<Box<[u8]>> {
        let packet = self.packets.borrow_mut().pop_front()?;
        self.bytes.set(self.bytes.get() - packet.len());
        Some(packet)
    }

    /// How long the oldest packet is.
    pub fn next_len(&self) -> Option<usize> {
        self.packets.borrow().front().map(|packet| packet.len())
    }

    /// Ends the carrier: another process of its client has taken its place.
    pub fn replace(&self) {
        self.replaced.set(true);
        self.wake();
    }

    /// Whether it has ended so.
    pub fn is_replaced(&self) -> bool {
        self.replaced.get()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.packets.borrow().is_empty()
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
    use super::*;

    #[test]
    fn drops_and_counts_what_does_not_fit() {
        let queue = PacketQueue::new(10);
        assert!(queue.push(&[1; 6]));
        assert!(!queue.push(&[2; 5]));
        assert!(queue.push(&[3; 4]));
        assert_eq!(queue.dropped(), 1);
        assert_eq!(queue.pop().as_deref(), Some(&[1; 6][..]));
        assert!(queue.push(&[4; 6]), "room is free again");
        assert_eq!(queue.pop().as_deref(), Some(&[3; 4][..]));
        assert_eq!(queue.pop().as_deref(), Some(&[4; 6][..]));
        assert!(queue.is_empty());
    }
}
