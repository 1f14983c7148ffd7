//! The carriers of one client, as its server uses them: a flow goes back by the carrier by which it
//! comes. The client keeps a flow on a carrier, so it is in order both ways; and when the client moves
//! it to another, as after a roam, its answers follow with the next packet.

use std::rc::Rc;

use super::flow::FLOWS;
use super::{Carrier, CarrierId, Flow, PacketQueue};

/// See the module.
#[derive(Debug)]
pub(super) struct Followed {
    carriers: Vec<Carrier>,
    by_flow: Box<[Option<CarrierId>; FLOWS]>,
    /// By which something has come last.
    last: Option<CarrierId>,
}

impl Default for Followed {
    fn default() -> Self {
        Self {
            carriers: Vec::new(),
            by_flow: Box::new([None; FLOWS]),
            last: None,
        }
    }
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

    /// A packet of a flow has come.
    pub(super) fn came(&mut self, id: CarrierId, flow: Flow) {
        self.by_flow[flow.place()] = Some(id);
        self.last = Some(id);
    }

    /// The one by which a flow goes back.
    pub(super) fn choose(&self, flow: Flow) -> Option<Rc<PacketQueue>> {
        let known = [self.by_flow[flow.place()], self.last];
        let known = known.into_iter().flatten();
        let mut found = known.filter_map(|id| self.carriers.iter().find(|it| it.id == id));
        let carrier = found.next().or(self.carriers.last())?;
        Some(Rc::clone(&carrier.queue))
    }

    pub(super) fn len(&self) -> usize {
        self.carriers.len()
    }

    /// All of them, which are none any more.
    pub(super) fn take(&mut self) -> Vec<Carrier> {
        std::mem::take(&mut self.carriers)
    }
}
