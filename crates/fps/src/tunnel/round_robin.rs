//! The client's choice: its carriers all lead to the same server, so its flows take turns.

use std::rc::Rc;
use std::time::Instant;

use super::seats::{Look, Role, Seats};
use super::{Carrier, CarrierId, Dispatch, DropReason, InnerAddresses, PacketQueue, Way};
use crate::session::Registration;

/// See the module.
#[derive(Debug, Default)]
pub struct RoundRobin {
    carriers: Vec<Carrier>,
    next: usize,
    seats: Seats,
}

impl RoundRobin {
    fn choose_at(&mut self, addresses: &InnerAddresses, now: Instant) -> Result<Way, DropReason> {
        let find = |id| self.carriers.iter().find(|carrier| carrier.id == id);
        let flow = addresses.flow;
        let kept = match self.seats.look(flow, now, |id| find(id).is_some()) {
            Look::Waits if !self.carriers.is_empty() => return Ok(Way::Later),
            Look::Waits | Look::Free(_) => None,
            Look::At { carrier, silent } => {
                find(carrier).filter(|carrier| !silent || !carrier.queue.has_arrived())
            }
        };
        let carrier = match kept {
            Some(carrier) => carrier,
            None => {
                let turn = self.next.checked_rem(self.carriers.len());
                let turn = turn.ok_or(DropReason::NoCarrier)?;
                self.next = turn + 1;
                &self.carriers[turn]
            }
        };
        self.seats.sent(flow, carrier.id, now);
        Ok(Way::By(Rc::clone(&carrier.queue)))
    }
}

impl Dispatch for RoundRobin {
    fn register(&mut self, carrier: Carrier, _who: &Registration) -> Vec<Carrier> {
        self.carriers.push(carrier);
        Vec::new()
    }

    fn remove(&mut self, id: CarrierId) -> Option<Rc<PacketQueue>> {
        let index = self.carriers.iter().position(|other| other.id == id)?;
        Some(self.carriers.remove(index).queue)
    }

    fn release(&mut self, id: CarrierId) {
        self.seats.release(id);
    }

    fn admit(&mut self, _id: CarrierId, _addresses: &InnerAddresses) -> Result<(), DropReason> {
        Ok(())
    }

    fn came(&mut self, id: CarrierId, addresses: &InnerAddresses) -> Option<CarrierId> {
        let carriers = &self.carriers;
        let is_live = |id| carriers.iter().any(|carrier| carrier.id == id);
        let (flow, now) = (addresses.flow, Instant::now());
        self.seats.came(flow, id, now, Role::Leads, is_live)
    }

    fn choose(&mut self, addresses: &InnerAddresses) -> Result<Way, DropReason> {
        self.choose_at(addresses, Instant::now())
    }

    fn len(&self) -> usize {
        self.carriers.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::address::tests::packet;
    use super::super::seats::SILENCE;
    use super::*;

    struct Scene {
        robin: RoundRobin,
        queues: Vec<Rc<PacketQueue>>,
        now: Instant,
    }

    impl Scene {
        fn new() -> Self {
            let queues: Vec<_> = (0..3).map(|_| Rc::new(PacketQueue::new(1000))).collect();
            let mut robin = RoundRobin::default();
            for (id, queue) in (0..).zip(&queues) {
                let (id, queue) = (CarrierId(id), Rc::clone(queue));
                let who = Registration::Server {
                    lease: None,
                    lease_v6: None,
                };
                robin.register(Carrier { id, queue }, &who);
            }
            Self {
                robin,
                queues,
                now: Instant::now(),
            }
        }

        /// Which carrier a packet to this host goes by.
        fn choose(&mut self, host: u8) -> usize {
            let addresses = packet("10.0.0.1", &format!("10.0.1.{host}"));
            let addresses = InnerAddresses::of(&addresses).expect("IPv4");
            let Ok(Way::By(chosen)) = self.robin.choose_at(&addresses, self.now) else {
                panic!("no carrier for {host}");
            };
            let mut queues = self.queues.iter();
            queues.position(|queue| Rc::ptr_eq(queue, &chosen)).unwrap()
        }
    }

    #[test]
    fn flows_take_turns_and_each_keeps_its_carrier() {
        let mut scene = Scene::new();
        let mut seen = std::collections::HashMap::new();
        for host in (1..=60).chain(1..=60) {
            let chosen = scene.choose(host);
            assert_eq!(*seen.entry(host).or_insert(chosen), chosen, "{host}");
        }
        for carrier in 0..3 {
            let share = seen.values().filter(|chosen| **chosen == carrier).count();
            assert!(share >= 10, "{carrier}: {share} of 60");
        }
    }

    #[test]
    fn a_flow_moves_when_its_carrier_is_gone_or_when_it_was_silent_and_has_arrived() {
        let mut scene = Scene::new();
        let first = scene.choose(1);
        scene.now += SILENCE;
        scene.queues[first].push(
            &packet("10.0.0.1", "10.0.1.1"),
            crate::tunnel::Flow::default(),
        );
        assert_eq!(scene.choose(1), first, "something of it waits");
        drop(scene.queues[first].pop());
        scene.now += SILENCE;
        let second = scene.choose(1);
        assert_ne!(second, first);
        let id = CarrierId(second as u64);
        assert!(scene.robin.remove(id).is_some());
        assert!(scene.robin.remove(id).is_none());
        let waits = InnerAddresses::of(&packet("10.0.0.1", "10.0.1.1")).expect("IPv4");
        let waits = scene.robin.choose_at(&waits, scene.now);
        assert!(matches!(waits, Ok(Way::Later)), "{waits:?}");
        scene.robin.release(id);
        assert_ne!(scene.choose(1), second);
    }

    #[test]
    fn without_a_carrier_there_is_none() {
        let addresses = InnerAddresses::of(&packet("10.0.0.1", "10.0.1.1")).expect("IPv4");
        let none = RoundRobin::default().choose(&addresses).unwrap_err();
        assert_eq!(none, DropReason::NoCarrier);
    }
}
