//! Which carrier takes which packet.

use std::net::IpAddr;
use std::rc::Rc;

use super::{InnerAddresses, PacketQueue};

/// Numbers the carriers of one process, in the order in which they were accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CarrierId(pub u64);

/// The registered carriers, and the choice among them.
pub trait Dispatch {
    /// Adds a carrier.
    fn register(&mut self, id: CarrierId, queue: Rc<PacketQueue>);

    /// Takes a carrier out; `None` if it was not in.
    fn remove(&mut self, id: CarrierId) -> Option<Rc<PacketQueue>>;

    /// A packet with this inner source came from this carrier.
    fn learn(&mut self, id: CarrierId, source: IpAddr);

    /// The queue that a packet goes into; `None` if no carrier leads to its destination.
    fn choose(&mut self, addresses: &InnerAddresses) -> Option<Rc<PacketQueue>>;

    /// How many carriers are registered.
    fn len(&self) -> usize;

    /// Whether none is.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
