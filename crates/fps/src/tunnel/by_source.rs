//! The server's choice where it leases no addresses (`tun.lease_pool` is not set): a packet goes back to
//! the client that its destination last spoke from.
//!
//! Whoever speaks last from an address has it. That trusts every client with every address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;

use fps_wire::PublicKey;
use fps_wire::control::ClientInstance;

use super::followed::Followed;
use super::{Carrier, CarrierId, Dispatch, DropReason, InnerAddresses, PacketQueue, Way};
use crate::session::Registration;

/// How many addresses one client may hold: it has a few, a flood of forged ones has many.
const MOST_ADDRESSES: usize = 256;

/// See the module.
#[derive(Default)]
pub struct BySource {
    clients: HashMap<PublicKey, Client>,
    by_carrier: HashMap<CarrierId, PublicKey>,
    owners: HashMap<IpAddr, PublicKey>,
}

#[derive(Default)]
struct Client {
    instance: Option<ClientInstance>,
    carriers: Followed,
    addresses: usize,
}

impl Dispatch for BySource {
    /// A second process of a client takes the place of the first.
    fn register(&mut self, carrier: Carrier, who: &Registration) -> Vec<Carrier> {
        let &Registration::Client {
            client, instance, ..
        } = who
        else {
            return Vec::new();
        };
        let entry = self.clients.entry(client).or_default();
        let old = match entry.carriers.len() == 0 || entry.instance == instance {
            true => Vec::new(),
            false => entry.carriers.take(),
        };
        entry.instance = instance;
        for old in &old {
            self.by_carrier.remove(&old.id);
        }
        self.by_carrier.insert(carrier.id, client);
        entry.carriers.add(carrier);
        old
    }

    fn remove(&mut self, id: CarrierId) -> Option<Rc<PacketQueue>> {
        let key = self.by_carrier.remove(&id)?;
        let client = self.clients.get_mut(&key)?;
        let queue = client.carriers.remove(id);
        if client.carriers.len() == 0 {
            self.clients.remove(&key);
            self.owners.retain(|_, owner| *owner != key);
        }
        queue
    }

    fn release(&mut self, id: CarrierId) {
        let clients = self.clients.values_mut();
        clients.for_each(|client| client.carriers.release(id));
    }

    fn admit(&mut self, id: CarrierId, addresses: &InnerAddresses) -> Result<(), DropReason> {
        // A carrier that has half-closed may still deliver; nothing can be sent back on it.
        let Some(key) = self.by_carrier.get(&id).copied() else {
            return Ok(());
        };
        self.learn(key, addresses.source);
        Ok(())
    }

    fn came(&mut self, id: CarrierId, addresses: &InnerAddresses) -> Option<CarrierId> {
        let client = self.clients.get_mut(self.by_carrier.get(&id)?)?;
        client.carriers.came(id, addresses.flow)
    }

    fn choose(&mut self, addresses: &InnerAddresses) -> Result<Way, DropReason> {
        let owner = self.owners.get(&addresses.destination);
        let client = owner.and_then(|owner| self.clients.get_mut(owner));
        let chosen = client.and_then(|client| client.carriers.choose(addresses.flow));
        chosen.ok_or(DropReason::NoCarrier)
    }

    fn len(&self) -> usize {
        self.by_carrier.len()
    }
}

impl BySource {
    fn learn(&mut self, key: PublicKey, source: IpAddr) {
        let owner = self.owners.get(&source).copied();
        if owner == Some(key) || source.is_unspecified() || source.is_multicast() {
            return;
        }
        let Some(client) = self.clients.get_mut(&key) else {
            return;
        };
        if client.addresses == MOST_ADDRESSES {
            return;
        }
        client.addresses += 1;
        self.owners.insert(source, key);
        if let Some(former) = owner.and_then(|owner| self.clients.get_mut(&owner)) {
            former.addresses -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::address::tests::packet;
    use super::*;

    const ONE: CarrierId = CarrierId(1);
    const TWO: CarrierId = CarrierId(2);

    /// A packet for an address.
    fn to(destination: &str) -> InnerAddresses {
        let source = if destination.contains(':') {
            "fd00:9::9"
        } else {
            "192.0.2.1"
        };
        InnerAddresses::of(&packet(source, destination)).unwrap()
    }

    /// A packet from one.
    fn from(source: &str) -> InnerAddresses {
        let destination = if source.contains(':') {
            "fd00:9::9"
        } else {
            "192.0.2.1"
        };
        InnerAddresses::of(&packet(source, destination)).unwrap()
    }

    fn register(table: &mut BySource, id: CarrierId, client: u8) -> Rc<PacketQueue> {
        let queue = Rc::new(PacketQueue::new(100));
        let carrier = Carrier {
            id,
            queue: Rc::clone(&queue),
        };
        let who = Registration::Client {
            client: PublicKey::from_bytes([client; 32]),
            instance: None,
            address: None,
            address_v6: None,
            leases: None,
        };
        assert!(table.register(carrier, &who).is_empty());
        queue
    }

    #[test]
    fn the_latest_speaker_has_the_address() {
        let mut table = BySource::default();
        let (one, two) = (register(&mut table, ONE, 1), register(&mut table, TWO, 2));
        assert!(table.choose(&to("10.0.0.1")).is_err());
        table.admit(ONE, &from("10.0.0.1")).unwrap();
        assert!(table.choose(&to("10.0.0.1")).unwrap().is_by(&one));
        table.admit(TWO, &from("10.0.0.1")).unwrap();
        assert!(table.choose(&to("10.0.0.1")).unwrap().is_by(&two));
        assert!(table.choose(&to("10.0.0.2")).is_err());
    }

    #[test]
    fn a_flow_goes_back_by_the_carrier_by_which_it_comes() {
        let mut table = BySource::default();
        let (one, two) = (register(&mut table, ONE, 1), register(&mut table, TWO, 1));
        for (id, queue) in [(ONE, &one), (TWO, &two), (ONE, &one)] {
            table.admit(id, &from("10.0.0.1")).unwrap();
            table.came(id, &from("10.0.0.1"));
            assert!(table.choose(&to("10.0.0.1")).unwrap().is_by(queue));
        }
        // Without it by the other, when that cannot overtake it.
        table.remove(ONE);
        let waits = table.choose(&to("10.0.0.1"));
        assert!(matches!(waits, Ok(Way::Later)), "{waits:?}");
        table.release(ONE);
        assert!(table.choose(&to("10.0.0.1")).unwrap().is_by(&two));
    }

    #[test]
    fn what_a_client_had_that_is_gone_is_unknown_again() {
        let mut table = BySource::default();
        register(&mut table, ONE, 1);
        register(&mut table, TWO, 2);
        table.admit(ONE, &from("fd00::1")).unwrap();
        assert!(table.remove(ONE).is_some());
        assert!(table.owners.is_empty(), "kept for nobody");
        assert!(table.choose(&to("fd00::1")).is_err());
        table.admit(ONE, &from("fd00::1")).unwrap();
        assert!(
            table.choose(&to("fd00::1")).is_err(),
            "learned on a carrier that is gone"
        );
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn one_client_cannot_fill_the_table() {
        let mut table = BySource::default();
        register(&mut table, ONE, 1);
        register(&mut table, TWO, 2);
        for low in 0..1000 {
            let address = std::net::Ipv4Addr::from(0x0a00_0000 + low);
            table.admit(ONE, &from(&address.to_string())).unwrap();
        }
        assert_eq!(table.owners.len(), MOST_ADDRESSES);
        table.admit(TWO, &from("10.0.0.1")).unwrap();
        table.admit(ONE, &from("10.1.0.0")).unwrap();
        assert_eq!(
            table.owners.len(),
            MOST_ADDRESSES + 1,
            "a lost address leaves room for one"
        );
    }
}
