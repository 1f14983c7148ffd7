//! The server's choice where it leases addresses: a packet goes to the client that has its destination.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use fps_wire::PublicKey;
use fps_wire::control::ClientInstance;
use ipnet::Ipv4Net;

use super::followed::Followed;
use super::{Carrier, CarrierId, Dispatch, DropReason, InnerAddresses, PacketQueue};
use crate::session::Registration;

/// See the module.
pub struct ByLease {
    pool: Ipv4Net,
    server: Ipv4Addr,
    /// Whether clients may not reach each other.
    isolates: bool,
    clients: HashMap<PublicKey, Client>,
    by_address: HashMap<Ipv4Addr, PublicKey>,
    by_carrier: HashMap<CarrierId, PublicKey>,
}

struct Client {
    address: Ipv4Addr,
    instance: Option<ClientInstance>,
    carriers: Followed,
}

impl ByLease {
    /// Nobody yet.
    pub fn new(pool: Ipv4Net, server: Ipv4Addr, isolates: bool) -> Self {
        Self {
            pool,
            server,
            isolates,
            clients: HashMap::new(),
            by_address: HashMap::new(),
            by_carrier: HashMap::new(),
        }
    }
}

impl Dispatch for ByLease {
    /// A second process of a client takes the place of the first: both would have one address.
    fn register(&mut self, carrier: Carrier, who: &Registration) -> Vec<Carrier> {
        let &Registration::Client {
            client,
            instance,
            address: Some(address),
            ..
        } = who
        else {
            return Vec::new();
        };
        let entry = self.clients.entry(client).or_insert_with(|| Client {
            address,
            instance,
            carriers: Followed::default(),
        });
        let old = match entry.instance == instance {
            true => Vec::new(),
            false => entry.carriers.take(),
        };
        self.by_address.remove(&entry.address);
        (entry.address, entry.instance) = (address, instance);
        self.by_address.insert(address, client);
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
            self.by_address.remove(&client.address);
            self.clients.remove(&key);
        }
        queue
    }

    fn admit(&mut self, id: CarrierId, addresses: &InnerAddresses) -> Result<(), DropReason> {
        let key = self.by_carrier.get(&id);
        let client = key.and_then(|key| self.clients.get_mut(key));
        let client = client.ok_or(DropReason::UnassignedSource)?;
        let (IpAddr::V4(source), IpAddr::V4(destination)) =
            (addresses.source, addresses.destination)
        else {
            return Err(DropReason::NotIpv4Inward);
        };
        if source != client.address {
            return Err(DropReason::SpoofedSource);
        }
        let other = self.pool.contains(&destination) && destination != self.server;
        if self.isolates && other {
            return Err(DropReason::Isolated);
        }
        client.carriers.came(id, addresses.flow);
        Ok(())
    }

    fn choose(&mut self, addresses: &InnerAddresses) -> Result<Rc<PacketQueue>, DropReason> {
        let IpAddr::V4(destination) = addresses.destination else {
            return Err(DropReason::NotIpv4);
        };
        let key = self.by_address.get(&destination);
        let client = key.and_then(|key| self.clients.get(key));
        let client = client.ok_or(DropReason::UnassignedDestination)?;
        let chosen = client.carriers.choose(addresses.flow);
        chosen.ok_or(DropReason::NoCarrier)
    }

    fn len(&self) -> usize {
        self.by_carrier.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::address::tests::packet;
    use super::*;

    fn who(client: u8, instance: u8, address: &str) -> Registration {
        Registration::Client {
            client: PublicKey::from_bytes([client; 32]),
            instance: Some(ClientInstance([instance; 16])),
            address: Some(address.parse().unwrap()),
            leases: None,
        }
    }

    fn carrier(id: u64) -> Carrier {
        Carrier {
            id: CarrierId(id),
            queue: Rc::new(PacketQueue::new(100)),
        }
    }

    fn flow(source: &str, destination: &str) -> InnerAddresses {
        InnerAddresses::of(&packet(source, destination)).unwrap()
    }

    fn table(isolates: bool) -> ByLease {
        let pool = "10.77.0.0/24".parse().unwrap();
        ByLease::new(pool, "10.77.0.1".parse().unwrap(), isolates)
    }

    #[test]
    fn a_client_has_its_address_and_no_other() {
        let mut table = table(true);
        let (one, two) = (carrier(1), carrier(2));
        table.register(one.clone(), &who(1, 1, "10.77.0.2"));
        table.register(two.clone(), &who(2, 2, "10.77.0.3"));
        let inward = |table: &mut ByLease, id, source, to| {
            table.admit(CarrierId(id), &flow(source, to)).err()
        };
        for (id, source, to, dropped) in [
            (1, "10.77.0.2", "192.0.2.1", None),
            (1, "10.77.0.2", "10.77.0.1", None),
            (1, "10.77.0.3", "192.0.2.1", Some(DropReason::SpoofedSource)),
            (1, "10.77.0.2", "10.77.0.3", Some(DropReason::Isolated)),
            (1, "fd00::2", "fd00::1", Some(DropReason::NotIpv4Inward)),
            (
                9,
                "10.77.0.2",
                "192.0.2.1",
                Some(DropReason::UnassignedSource),
            ),
        ] {
            assert_eq!(inward(&mut table, id, source, to), dropped, "{source} {to}");
        }
        let outward = |table: &mut ByLease, to| table.choose(&flow("192.0.2.1", to));
        assert!(Rc::ptr_eq(
            &outward(&mut table, "10.77.0.3").unwrap(),
            &two.queue
        ));
        let unknown = outward(&mut table, "10.77.0.9").unwrap_err();
        assert_eq!(unknown, DropReason::UnassignedDestination);
        table.isolates = false;
        assert_eq!(inward(&mut table, 1, "10.77.0.2", "10.77.0.3"), None);
    }

    #[test]
    fn a_second_process_takes_the_first_ones_place() {
        let mut table = table(true);
        let carriers = [1, 2, 3, 4].map(carrier);
        let [one, two, three, four] = &carriers;
        assert!(
            table
                .register(one.clone(), &who(1, 1, "10.77.0.2"))
                .is_empty()
        );
        assert!(
            table
                .register(two.clone(), &who(1, 1, "10.77.0.2"))
                .is_empty()
        );
        assert_eq!(table.len(), 2);
        let old = table.register(three.clone(), &who(1, 2, "10.77.0.2"));
        let ids: Vec<_> = old.iter().map(|old| old.id.0).collect();
        assert_eq!(ids, [1, 2]);
        assert_eq!(table.len(), 1);
        // They end later, and take nothing with them.
        assert!(table.remove(CarrierId(1)).is_none());
        let to = flow("192.0.2.1", "10.77.0.2");
        assert!(Rc::ptr_eq(&table.choose(&to).unwrap(), &three.queue));
        assert!(
            table
                .register(four.clone(), &who(1, 2, "10.77.0.2"))
                .is_empty()
        );
        table.remove(CarrierId(3));
        table.remove(CarrierId(4));
        let gone = table.choose(&to).unwrap_err();
        assert_eq!(gone, DropReason::UnassignedDestination);
        assert!(table.by_address.is_empty() && table.clients.is_empty());
    }
}
