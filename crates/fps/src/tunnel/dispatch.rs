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
