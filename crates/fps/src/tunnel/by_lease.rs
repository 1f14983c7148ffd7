//! The server's choice where it leases addresses: a packet goes to the client that has its destination.

use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;

use fps_wire::PublicKey;
use fps_wire::control::ClientInstance;

use super::followed::Followed;
use super::{Carrier, CarrierId, Dispatch, DropReason, InnerAddresses, PacketQueue, Way};
use crate::lease::Pool;
use crate::session::Registration;

/// See the module.
pub struct ByLease {
    pool: Pool,
    /// Whether clients may not reach each other.
    isolates: bool,
    clients: HashMap<PublicKey, Client>,
    by_address: HashMap<IpAddr, PublicKey>,
    by_carrier: HashMap<CarrierId, PublicKey>,
}

struct Client {
    addresses: [Option<IpAddr>; 2],
    instance: Option<ClientInstance>,
    carriers: Followed,
}

impl ByLease {
    /// Nobody yet.
    pub fn new(pool: Pool, isolates: bool) -> Self {
        Self {
            pool,
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
            address_v6,
            ..
        } = who
        else {
            return Vec::new();
        };
        let addresses = [Some(address.into()), address_v6.map(IpAddr::from)];
        let entry = self.clients.entry(client).or_insert_with(|| Client {
            addresses,
            instance,
            carriers: Followed::default(),
        });
        let old = match entry.instance == instance {
            true => Vec::new(),
            false => entry.carriers.take(),
        };
        for address in entry.addresses.iter().flatten() {
            self.by_address.remove(address);
        }
        (entry.addresses, entry.instance) = (addresses, instance);
        for address in addresses.into_iter().flatten() {
            self.by_address.insert(address, client);
        }
        for old in &old {
            self.by_carrier.remove(&old.id);
        }
        self.by_carrier.insert(carrier.id, client);
        entry.carriers.add(carrier);
        old
    }

    /// The client stays known by it, which may still bring something, and with it the order of its
    /// flows, until it is released.
    fn remove(&mut self, id: CarrierId) -> Option<Rc<PacketQueue>> {
        let client = self.clients.get_mut(self.by_carrier.get(&id)?)?;
        let queue = client.carriers.remove(id);
        if client.carriers.len() == 0 {
            for address in client.addresses.iter().flatten() {
                self.by_address.remove(address);
            }
        }
        queue
    }

    fn release(&mut self, id: CarrierId) {
        let Some(key) = self.by_carrier.remove(&id) else {
            return;
        };
        let is_gone = !self.by_carrier.values().any(|other| *other == key);
        if let Some(client) = self.clients.get_mut(&key) {
            client.carriers.release(id);
        }
        if is_gone {
            self.clients.remove(&key);
        }
    }

    fn admit(&mut self, id: CarrierId, addresses: &InnerAddresses) -> Result<(), DropReason> {
        let key = self.by_carrier.get(&id);
        let client = key.and_then(|key| self.clients.get(key));
        let client = client.ok_or(DropReason::UnassignedSource)?;
        let source = addresses.source;
        if let IpAddr::V6(v6) = source
            // What a host sends from its link-local address, or from none, is about its own link.
            && (client.addresses[1].is_none() || v6.is_unicast_link_local() || v6.is_unspecified())
        {
            return Err(DropReason::NotIpv4Inward);
        }
        if !client.addresses.contains(&Some(source)) {
            return Err(DropReason::SpoofedSource);
        }
        let other = match addresses.destination {
            IpAddr::V4(to) => self.pool.network().contains(&to) && to != self.pool.server(),
            IpAddr::V6(to) => {
                let inside = self.pool.v6().is_some_and(|network| network.contains(&to));
                inside && Some(to) != self.pool.server_v6()
            }
        };
        if self.isolates && other {
            return Err(DropReason::Isolated);
        }
        Ok(())
    }

    fn came(&mut self, id: CarrierId, addresses: &InnerAddresses) -> Option<CarrierId> {
        let client = self.clients.get_mut(self.by_carrier.get(&id)?)?;
        client.carriers.came(id, addresses.flow)
    }

    fn choose(&mut self, addresses: &InnerAddresses) -> Result<Way, DropReason> {
        let destination = addresses.destination;
        if let IpAddr::V6(to) = destination
            && self.pool.v6().is_none_or(|network| !network.contains(&to))
        {
            return Err(DropReason::NotIpv4);
        }
        let key = self.by_address.get(&destination);
        let client = key.and_then(|key| self.clients.get_mut(key));
        let client = client.ok_or(DropReason::UnassignedDestination)?;
        let chosen = client.carriers.choose(addresses.flow);
        chosen.ok_or(DropReason::NoCarrier)
    }

    fn len(&self) -> usize {
        let clients = self.clients.values();
        clients.map(|client| client.carriers.len()).sum()
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
            address_v6: None,
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
        let pool = Pool::new("10.77.0.0/24".parse().unwrap(), None).unwrap();
        ByLease::new(pool, isolates)
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
        assert!(outward(&mut table, "10.77.0.3").unwrap().is_by(&two.queue));
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
        assert!(table.choose(&to).unwrap().is_by(&three.queue));
        assert!(
            table
                .register(four.clone(), &who(1, 2, "10.77.0.2"))
                .is_empty()
        );
        table.remove(CarrierId(3));
        table.remove(CarrierId(4));
        let gone = table.choose(&to).unwrap_err();
        assert_eq!(gone, DropReason::UnassignedDestination);
        assert!(table.by_address.is_empty());
        // What it has sent may still come.
        let sent = flow("10.77.0.2", "192.0.2.1");
        assert_eq!(table.admit(CarrierId(4), &sent), Ok(()));
        [3, 4]
            .into_iter()
            .for_each(|id| table.release(CarrierId(id)));
        assert!(table.clients.is_empty() && table.by_carrier.is_empty());
        let late = table.admit(CarrierId(4), &sent);
        assert_eq!(late, Err(DropReason::UnassignedSource));
    }

    #[test]
    fn a_client_has_an_address_of_ipv6_beside_it() {
        let pool = Pool::new("10.77.0.0/24".parse().unwrap(), None).unwrap();
        let pool = pool.with_v6("fd77::/64".parse().unwrap()).unwrap();
        let mut table = ByLease::new(pool, true);
        let with_v6 = |client: u8, v6: &str| {
            let mut who = who(client, client, &format!("10.77.0.{client}"));
            let Registration::Client { address_v6, .. } = &mut who else {
                unreachable!("it is a client")
            };
            *address_v6 = Some(v6.parse().unwrap());
            who
        };
        let (two, three, old) = (carrier(2), carrier(3), carrier(4));
        table.register(two.clone(), &with_v6(2, "fd77::2"));
        table.register(three, &with_v6(3, "fd77::3"));
        table.register(old, &who(4, 4, "10.77.0.4"));
        for (id, source, to, dropped) in [
            (2, "fd77::2", "2001:db8::1", None),
            (2, "fd77::2", "fd77::1", None),
            (2, "fd77::2", "fd77::3", Some(DropReason::Isolated)),
            (2, "fd77::3", "2001:db8::1", Some(DropReason::SpoofedSource)),
            (2, "fe80::2", "ff02::2", Some(DropReason::NotIpv4Inward)),
            (4, "fd77::4", "2001:db8::1", Some(DropReason::NotIpv4Inward)),
        ] {
            let admitted = table.admit(CarrierId(id), &flow(source, to));
            assert_eq!(admitted.err(), dropped, "{id}: {source} {to}");
        }
        let mut choose = |to| table.choose(&flow("2001:db8::1", to));
        assert!(choose("fd77::2").unwrap().is_by(&two.queue));
        assert_eq!(
            choose("fd77::9").unwrap_err(),
            DropReason::UnassignedDestination
        );
        assert_eq!(choose("2001:db8::2").unwrap_err(), DropReason::NotIpv4);
        table.remove(CarrierId(2));
        let gone = table.choose(&flow("2001:db8::1", "fd77::2")).unwrap_err();
        assert_eq!(gone, DropReason::UnassignedDestination);
    }
}
