//! The client's choice: its carriers all lead to the same server, so its flows take turns. A flow keeps
//! its carrier as long as it sends, so that none of its packets overtakes another.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::flow::FLOWS;
use super::{Carrier, CarrierId, Dispatch, DropReason, InnerAddresses, PacketQueue};
use crate::session::Registration;

/// After so long a silence a flow may go by another carrier: what it sent before has arrived.
const IDLE: Duration = Duration::from_millis(250);

/// See the module.
#[derive(Debug)]
pub struct RoundRobin {
    carriers: Vec<Carrier>,
    next: usize,
    flows: Box<[Option<(CarrierId, Instant)>; FLOWS]>,
}

impl Default for RoundRobin {
    fn default() -> Self {
        Self {
            carriers: Vec::new(),
            next: 0,
            flows: Box::new([None; FLOWS]),
        }
    }
}

impl RoundRobin {
    fn choose_at(
        &mut self,
        addresses: &InnerAddresses,
        now: Instant,
    ) -> Result<Rc<PacketQueue>, DropReason> {
        let flow = &mut self.flows[addresses.flow.place()];
        let kept = flow.and_then(|(id, last)| {
            let carrier = self.carriers.iter().find(|carrier| carrier.id == id)?;
            let idle = now.saturating_duration_since(last) >= IDLE && carrier.queue.is_empty();
            (!idle).then_some(carrier)
        });
        let carrier = match kept {
            Some(carrier) => carrier,
            None => {
                let turn = self.next.checked_rem(self.carriers.len());
                let turn = turn.ok_or(DropReason::NoCarrier)?;
                self.next = turn + 1;
                &self.carriers[turn]
            }
        };
        *flow = Some((carrier.id, now));
        Ok(Rc::clone(&carrier.queue))
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

    fn admit(&mut self, _id: CarrierId, _addresses: &InnerAddresses) -> Result<(), DropReason> {
        Ok(())
    }

    fn choose(&mut self, addresses: &InnerAddresses) -> Result<Rc<PacketQueue>, DropReason> {
        self.choose_at(addresses, Instant::now())
    }

    fn len(&self) -> usize {
        self.carriers.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::address::tests::packet;
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
            let chosen = self.robin.choose_at(&addresses, self.now).unwrap();
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
        scene.now += IDLE;
        scene.queues[first].push(
            &packet("10.0.0.1", "10.0.1.1"),
            crate::tunnel::Flow::default(),
        );
        assert_eq!(scene.choose(1), first, "something of it waits");
        drop(scene.queues[first].pop());
        scene.now += IDLE;
        let second = scene.choose(1);
        assert_ne!(second, first);
        let id = CarrierId(second as u64);
        assert!(scene.robin.remove(id).is_some());
        assert!(scene.robin.remove(id).is_none());
        assert_ne!(scene.choose(1), second);
    }

    #[test]
    fn without_a_carrier_there_is_none() {
        let addresses = InnerAddresses::of(&packet("10.0.0.1", "10.0.1.1")).expect("IPv4");
        let none = RoundRobin::default().choose(&addresses).unwrap_err();
        assert_eq!(none, DropReason::NoCarrier);
    }
}
