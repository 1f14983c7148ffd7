//! Which carrier takes which packet.

use std::rc::Rc;

use super::{DropReason, InnerAddresses, PacketQueue};
use crate::session::Registration;

/// Numbers the carriers of one process, in the order in which they were accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CarrierId(pub u64);

/// A carrier that may take packets.
#[derive(Clone, Debug)]
pub struct Carrier {
    /// Which it is.
    pub id: CarrierId,
    /// What waits for it.
    pub queue: Rc<PacketQueue>,
}

/// The registered carriers, and the choice among them.
pub trait Dispatch {
    /// Adds a carrier, and gives those whose place it takes.
    fn register(&mut self, carrier: Carrier, who: &Registration) -> Vec<Carrier>;

    /// Takes a carrier out; `None` if it was not in.
    fn remove(&mut self, id: CarrierId) -> Option<Rc<PacketQueue>>;

    /// Whether a packet that came from this carrier may pass.
    fn admit(&mut self, id: CarrierId, addresses: &InnerAddresses) -> Result<(), DropReason>;

    /// The queue that a packet goes into.
    fn choose(&mut self, addresses: &InnerAddresses) -> Result<Rc<PacketQueue>, DropReason>;

    /// How many carriers are registered.
    fn len(&self) -> usize;

    /// Whether none is.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Carriers that all lead to the same place take turns.
#[derive(Debug, Default)]
pub(super) struct Turns {
    carriers: Vec<Carrier>,
    next: usize,
}

impl Turns {
    pub(super) fn add(&mut self, carrier: Carrier) {
        self.carriers.push(carrier);
    }

    pub(super) fn remove(&mut self, id: CarrierId) -> Option<Rc<PacketQueue>> {
        let index = self.carriers.iter().position(|other| other.id == id)?;
        Some(self.carriers.remove(index).queue)
    }

    /// The one whose turn it is.
    pub(super) fn choose(&mut self) -> Option<Rc<PacketQueue>> {
        let index = self.next.checked_rem(self.carriers.len())?;
        self.next = index + 1;
        Some(Rc::clone(&self.carriers[index].queue))
    }

    pub(super) fn len(&self) -> usize {
        self.carriers.len()
    }

    /// All of them, which are none any more.
    pub(super) fn take(&mut self) -> Vec<Carrier> {
        std::mem::take(&mut self.carriers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(turns: &mut Turns, queues: &[Rc<PacketQueue>], count: usize) -> Vec<usize> {
        let index = |chosen: Rc<PacketQueue>| queues.iter().position(|q| Rc::ptr_eq(q, &chosen));
        (0..count)
            .filter_map(|_| turns.choose().and_then(index))
            .collect()
    }

    #[test]
    fn carriers_take_turns_and_a_removed_one_has_none() {
        let queues: Vec<_> = (0..3).map(|_| Rc::new(PacketQueue::new(100))).collect();
        let mut turns = Turns::default();
        assert!(chosen(&mut turns, &queues, 1).is_empty());
        for (id, queue) in (0..).zip(&queues) {
            let (id, queue) = (CarrierId(id), Rc::clone(queue));
            turns.add(Carrier { id, queue });
        }
        assert_eq!(chosen(&mut turns, &queues, 4), [0, 1, 2, 0]);
        assert!(turns.remove(CarrierId(1)).is_some());
        assert!(turns.remove(CarrierId(1)).is_none());
        let rest = chosen(&mut turns, &queues, 4);
        assert!(rest == [2, 0, 2, 0] || rest == [0, 2, 0, 2], "{rest:?}");
        assert_eq!(turns.take().len(), 2);
        assert_eq!(turns.len(), 0);
    }
}
