//! The server's choice where it leases no addresses (`tun.lease_pool` is not set): a packet goes back to
//! the carrier that its destination last spoke on.
//!
//! Whoever speaks last from an address has it. That trusts every client with every address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;

use super::{Carrier, CarrierId, Dispatch, DropReason, InnerAddresses, PacketQueue};
use crate::session::Registration;

/// How many addresses one carrier may hold: a client has a few, a flood of forged ones has many.
const MOST_ADDRESSES: usize = 256;

/// See the module.
#[derive(Default)]
pub struct BySource {
    carriers: HashMap<CarrierId, Speaker>,
    owners: HashMap<IpAddr, CarrierId>,
}

struct Speaker {
    queue: Rc<PacketQueue>,
    addresses: usize,
}

impl Dispatch for BySource {
    fn register(&mut self, carrier: Carrier, _who: &Registration) -> Vec<Carrier> {
        let speaker = Speaker {
            queue: carrier.queue,
            addresses: 0,
        };
        self.carriers.insert(carrier.id, speaker);
        Vec::new()
    }

    fn remove(&mut self, id: CarrierId) -> Option<Rc<PacketQueue>> {
        let carrier = self.carriers.remove(&id)?;
        self.owners.retain(|_, owner| *owner != id);
        Some(carrier.queue)
    }

    fn admit(&mut self, id: CarrierId, addresses: &InnerAddresses) -> Result<(), DropReason> {
        self.learn(id, addresses.source);
        Ok(())
    }

    fn choose(&mut self, addresses: &InnerAddresses) -> Result<Rc<PacketQueue>, DropReason> {
        let owner = self.owners.get(&addresses.destination);
        let speaker = owner.and_then(|owner| self.carriers.get(owner));
        let speaker = speaker.ok_or(DropReason::NoCarrier)?;
        Ok(Rc::clone(&speaker.queue))
    }

    fn len(&self) -> usize {
        self.carriers.len()
    }
}

impl BySource {
    fn learn(&mut self, id: CarrierId, source: IpAddr) {
        let owner = self.owners.get(&source).copied();
        if owner == Some(id) || source.is_unspecified() || source.is_multicast() {
            return;
        }
        // A carrier that has half-closed may still deliver; nothing can be sent back on it.
        let Some(carrier) = self.carriers.get_mut(&id) else {
            return;
        };
        if carrier.addresses == MOST_ADDRESSES {
            return;
        }
        carrier.addresses += 1;
        self.owners.insert(source, id);
        if let Some(former) = owner.and_then(|owner| self.carriers.get_mut(&owner)) {
            former.addresses -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: CarrierId = CarrierId(1);
    const TWO: CarrierId = CarrierId(2);

    fn to(destination: &str) -> InnerAddresses {
        let destination = destination.parse().expect("an address");
        InnerAddresses {
            source: "192.0.2.1".parse().expect("an address"),
            destination,
        }
    }

    fn table() -> (BySource, Rc<PacketQueue>, Rc<PacketQueue>) {
        let (one, two) = (
            Rc::new(PacketQueue::new(100)),
            Rc::new(PacketQueue::new(100)),
        );
        let mut table = BySource::default();
        for (id, queue) in [(ONE, &one), (TWO, &two)] {
            let queue = Rc::clone(queue);
            table.register(Carrier { id, queue }, &Registration::Server { lease: None });
        }
        (table, one, two)
    }

    #[test]
    fn the_latest_speaker_has_the_address() {
        let (mut table, one, two) = table();
        assert!(table.choose(&to("10.0.0.1")).is_err());
        table.learn(ONE, to("10.0.0.1").destination);
        assert!(Rc::ptr_eq(
            &table.choose(&to("10.0.0.1")).expect("learned"),
            &one
        ));
        table.learn(TWO, to("10.0.0.1").destination);
        assert!(Rc::ptr_eq(
            &table.choose(&to("10.0.0.1")).expect("learned"),
            &two
        ));
        assert!(table.choose(&to("10.0.0.2")).is_err());
    }

    #[test]
    fn what_a_removed_carrier_had_is_unknown_again() {
        let (mut table, ..) = table();
        table.learn(ONE, to("fd00::1").destination);
        assert!(table.remove(ONE).is_some());
        assert!(table.owners.is_empty(), "kept for nobody");
        assert!(table.choose(&to("fd00::1")).is_err());
        table.learn(ONE, to("fd00::1").destination);
        assert!(
            table.choose(&to("fd00::1")).is_err(),
            "learned on a carrier that is gone"
        );
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn one_carrier_cannot_fill_the_table() {
        let (mut table, ..) = table();
        for low in 0..1000 {
            table.learn(
                ONE,
                IpAddr::from(std::net::Ipv4Addr::from(0x0a00_0000 + low)),
            );
        }
        assert_eq!(table.owners.len(), MOST_ADDRESSES);
        table.learn(TWO, to("10.0.0.1").destination);
        table.learn(ONE, to("10.1.0.0").destination);
        assert_eq!(
            table.owners.len(),
            MOST_ADDRESSES + 1,
            "a lost address leaves room for one"
        );
    }
}
