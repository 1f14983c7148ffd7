//! The carriers of one client, as its server uses them: a flow goes back by the carrier by which it
//! comes.

use std::rc::Rc;
use std::time::Instant;

use super::seats::{Look, Role, Seats};
use super::{Carrier, CarrierId, Flow, PacketQueue, Way};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Followed {
    carriers: Vec<Carrier>,
    seats: Seats,
    /// By which something has come last.
    last: Option<CarrierId>,
}

impl Followed {
    /// A new one counts as the one by which something has come last.
    pub(super) fn add(&mut self, carrier: Carrier) {
        self.last = Some(carrier.id);
        self.carriers.push(carrier);
    }

    pub(super) fn remove(&mut self, id: CarrierId) -> Option<Rc<PacketQueue>> {
        let place = self.carriers.iter().position(|other| other.id == id)?;
        Some(self.carriers.remove(place).queue)
    }

    /// Nothing that went by a carrier is on its way any more.
    pub(super) fn release(&mut self, id: CarrierId) {
        self.seats.release(id);
    }

    /// A packet of a flow has come; gives the carrier of the one before, if it is another.
    pub(super) fn came(&mut self, id: CarrierId, flow: Flow) -> Option<CarrierId> {
        let carriers = &self.carriers;
        let is_live = |id| carriers.iter().any(|carrier| carrier.id == id);
        self.last = Some(id);
        let now = Instant::now();
        self.seats.came(flow, id, now, Role::Follows, is_live)
    }

    /// How a flow goes back.
    pub(super) fn choose(&mut self, flow: Flow) -> Option<Way> {
        let now = Instant::now();
        let find = |id| self.carriers.iter().find(|carrier| carrier.id == id);
        let (seat, heard) = match self.seats.look(flow, now, |id| find(id).is_some()) {
            Look::Waits if !self.carriers.is_empty() => return Some(Way::Later),
            Look::Waits => return None,
            Look::At { carrier, .. } => (Some(carrier), None),
            Look::Free(heard) => (None, heard),
        };
        let known = [seat, heard, self.last].into_iter().flatten();
        let carrier = known.filter_map(find).next().or(self.carriers.last())?;
        self.seats.sent(flow, carrier.id, now);
        Some(Way::By(Rc::clone(&carrier.queue)))
    }

    pub(super) fn len(&self) -> usize {
        self.carriers.len()
    }

    /// All of them, which are none any more. Who comes next is another process, which keeps no order
    /// with the first.
    pub(super) fn take(&mut self) -> Vec<Carrier> {
        self.seats = Seats::default();
        std::mem::take(&mut self.carriers)
    }
}
