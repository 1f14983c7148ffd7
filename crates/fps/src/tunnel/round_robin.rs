//! The client's choice: its carriers all lead to the same server, so they take turns.

use std::rc::Rc;

use super::dispatch::Turns;
use super::{Carrier, CarrierId, Dispatch, DropReason, InnerAddresses, PacketQueue};
use crate::session::Registration;

/// See the module.
#[derive(Debug, Default)]
pub struct RoundRobin(Turns);

impl Dispatch for RoundRobin {
    fn register(&mut self, carrier: Carrier, _who: &Registration) -> Vec<Carrier> {
        self.0.add(carrier);
        Vec::new()
    }

    fn remove(&mut self, id: CarrierId) -> Option<Rc<PacketQueue>> {
        self.0.remove(id)
    }

    fn admit(&mut self, _id: CarrierId, _addresses: &InnerAddresses) -> Result<(), DropReason> {
        Ok(())
    }

    fn choose(&mut self, _addresses: &InnerAddresses) -> Result<Rc<PacketQueue>, DropReason> {
        self.0.choose().ok_or(DropReason::NoCarrier)
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}
