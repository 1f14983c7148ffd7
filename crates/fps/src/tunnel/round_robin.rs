//! The client's choice: its carriers all lead to the same server, so they take turns.

use std::net::IpAddr;
use std::rc::Rc;

use super::{CarrierId, Dispatch, InnerAddresses, PacketQueue};

/// See the module.
#[derive(Default)]
pub struct RoundRobin {
    carriers: Vec<(CarrierId, Rc<PacketQueue>)>,
    next: usize,
}

impl Dispatch for RoundRobin {
    fn register(&mut self, id: CarrierId, queue: Rc<PacketQueue>) {
        self.carriers.push((id, queue));
    }

    fn remove(&mut self, id: CarrierId) -> Option<Rc<PacketQueue>> {
        let index = self.carriers.iter().position(|(other, _)| *other == id)?;
        Some(self.carriers.remove(index).1)
    }

    fn learn(&mut self, _id: CarrierId, _source: IpAddr) {}

    fn choose(&mut self, _addresses: &InnerAddresses) -> Option<Rc<PacketQueue>> {
        let index = self.next.checked_rem(self.carriers.len())?;
        self.next = index + 1;
        Some(Rc::clone(&self.carriers[index].1))
    }

    fn len(&self) -> usize {
        self.carriers.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::address::tests::packet;
    use super::*;

    fn turns(carriers: &mut RoundRobin, queues: &[Rc<PacketQueue>], count: usize) -> Vec<usize> {
        let addresses = InnerAddresses::of(&packet("10.0.0.1", "10.0.0.2")).expect("IPv4");
        let index = |chosen: Rc<PacketQueue>| queues.iter().position(|q| Rc::ptr_eq(q, &chosen));
        (0..count)
            .filter_map(|_| carriers.choose(&addresses).and_then(index))
            .collect()
    }

    #[test]
    fn carriers_take_turns_and_a_removed_one_has_none() {
        let queues: Vec<_> = (0..3).map(|_| Rc::new(PacketQueue::new(100))).collect();
        let mut carriers = RoundRobin::default();
        assert!(turns(&mut carriers, &queues, 1).is_empty());
        for (id, queue) in (0..).zip(&queues) {
            carriers.register(CarrierId(id), Rc::clone(queue));
        }
        assert_eq!(turns(&mut carriers, &queues, 4), [0, 1, 2, 0]);
        assert!(carriers.remove(CarrierId(1)).is_some());
        assert!(carriers.remove(CarrierId(1)).is_none());
        let rest = turns(&mut carriers, &queues, 4);
        assert!(rest == [2, 0, 2, 0] || rest == [0, 2, 0, 2], "{rest:?}");
    }
}
