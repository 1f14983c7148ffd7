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

/// How a packet goes.
#[derive(Clone, Debug)]
pub enum Way {
    /// Into this queue.
    By(Rc<PacketQueue>),
    /// Not before the carrier is [released](Dispatch::release) by which its flow went: it could overtake
    /// what is on its way there.
    Later,
}

#[cfg(test)]
impl Way {
    /// Whether it is by that queue.
    pub(super) fn is_by(&self, queue: &Rc<PacketQueue>) -> bool {
        matches!(self, Self::By(by) if Rc::ptr_eq(by, queue))
    }
}

/// The registered carriers, and the choice among them.
pub trait Dispatch {
    /// Adds a carrier, and gives those whose place it takes.
    fn register(&mut self, carrier: Carrier, who: &Registration) -> Vec<Carrier>;

    /// Takes a carrier out; `None` if it was not in.
    fn remove(&mut self, id: CarrierId) -> Option<Rc<PacketQueue>>;

    /// Nothing that went by a carrier, which is out, is on its way any more.
    fn release(&mut self, id: CarrierId);

    /// Whether a packet that came from this carrier may pass.
    fn admit(&mut self, id: CarrierId, addresses: &InnerAddresses) -> Result<(), DropReason>;

    /// A packet has come in its turn. Gives the carrier by which the one before of its flow has come, if
    /// by another.
    fn came(&mut self, id: CarrierId, addresses: &InnerAddresses) -> Option<CarrierId>;

    /// How a packet goes.
    fn choose(&mut self, addresses: &InnerAddresses) -> Result<Way, DropReason>;

    /// How many carriers are registered.
    fn len(&self) -> usize;

    /// Whether none is.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
