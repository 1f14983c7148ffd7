//! Packets of flows whose carrier has ended, while something that they have sent by it may be on its way.

use std::cell::RefCell;

use super::PacketQueue;

/// How many bytes may wait, of all flows: as many as in a carrier's queue unless it is told otherwise.
const MOST: usize = 1 << 20;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Held(RefCell<Option<PacketQueue>>);

impl Held {
    /// Lets a packet be added; says `false` where there is no room.
    pub(super) fn add(&self, add: impl FnOnce(&PacketQueue) -> bool) -> bool {
        let mut packets = self.0.borrow_mut();
        add(packets.get_or_insert_with(|| PacketQueue::new(MOST)))
    }

    /// All of them, each flow's in their order.
    pub(super) fn take(&self) -> Option<PacketQueue> {
        self.0.take()
    }
}
