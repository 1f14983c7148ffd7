//! The addresses that a server leases to its clients, kept in a file.

mod file;
mod pool;

pub use file::LeaseFileError;
pub use pool::{InvalidPool, Pool};

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use fps_wire::PublicKey;

/// Who has which address. Each client has one for good, until it is revoked.
#[derive(Debug)]
pub struct Leases {
    pool: Pool,
    path: PathBuf,
    of_client: BTreeMap<PublicKey, Ipv4Addr>,
}

/// Why a client gets no address.
#[derive(Debug, thiserror::Error)]
pub enum NoLease {
    /// All are taken.
    #[error(
        "all addresses of tun.lease_pool are leased: revoke some (--lease-revoke-client-uuid, --lease-prune)"
    )]
    Exhausted,
    /// It could not be kept.
    #[error(transparent)]
    File(#[from] LeaseFileError),
}

impl Leases {
    /// What the file says; nothing where there is none yet.
    pub fn load(pool: Pool, path: PathBuf) -> Result<Self, LeaseFileError> {
        let of_client = file::read(&path, &pool)?;
        Ok(Self {
            pool,
            path,
            of_client,
        })
    }

    /// The pool.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Who has which address, by address.
    pub fn by_address(&self) -> Vec<(Ipv4Addr, PublicKey)> {
        let mut leases: Vec<_> = self.of_client.iter().map(|(key, ip)| (*ip, *key)).collect();
        leases.sort_unstable();
        leases
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.of_client.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.of_client.is_empty()
    }

    /// The address of a client; the lowest that is free where it has none yet. A new one is in the
    /// file before anybody hears of it.
    pub fn assign(&mut self, client: PublicKey) -> Result<Ipv4Addr, NoLease> {
        if let Some(address) = self.of_client.get(&client) {
            return Ok(*address);
        }
        let taken: std::collections::BTreeSet<_> = self.of_client.values().copied().collect();
        let mut free = self.pool.clients().filter(|it| !taken.contains(it));
        let address = free.next().ok_or(NoLease::Exhausted)?;
        self.of_client.insert(client, address);
        if let Err(error) = file::write(&self.path, &self.of_client) {
            self.of_client.remove(&client);
            return Err(error.into());
        }
        Ok(address)
    }

    /// Takes away the leases of clients that are not wanted, and says how many went.
    pub fn keep(&mut self, wanted: impl Fn(&PublicKey) -> bool) -> Result<usize, LeaseFileError> {
        let before = self.of_client.clone();
        self.of_client.retain(|client, _| wanted(client));
        let removed = before.len() - self.of_client.len();
        if removed > 0
            && let Err(error) = file::write(&self.path, &self.of_client)
        {
            self.of_client = before;
            return Err(error);
        }
        Ok(removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> PublicKey {
        PublicKey::from_bytes([number; 32])
    }

    fn leases(folder: &tempfile::TempDir) -> Leases {
        let pool = Pool::new("10.77.0.0/30".parse().unwrap(), None).unwrap();
        Leases::load(pool, folder.path().join("leases.json")).unwrap()
    }

    #[test]
    fn a_client_keeps_its_address_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = leases(&folder);
        assert!(first.is_empty());
        let address = first.assign(key(1)).unwrap();
        assert_eq!(address, Ipv4Addr::new(10, 77, 0, 2));
        assert_eq!(first.assign(key(1)).unwrap(), address);
        // 10.77.0.1 is the server's, and .0 and .3 are nobody's.
        assert!(matches!(first.assign(key(2)), Err(NoLease::Exhausted)));
        let mut second = leases(&folder);
        assert_eq!(second.by_address(), [(address, key(1))]);
        assert_eq!(second.keep(|client| *client != key(1)).unwrap(), 1);
        assert_eq!(leases(&folder).len(), 0);
        assert_eq!(second.assign(key(2)).unwrap(), address);
    }

    #[test]
    fn what_cannot_be_kept_is_not_leased() {
        let folder = tempfile::tempdir().unwrap();
        let mut leases = leases(&folder);
        leases.path = folder.path().join("nowhere").join("leases.json");
        let error = leases.assign(key(1)).unwrap_err();
        assert!(matches!(error, NoLease::File(_)), "{error}");
        assert!(leases.is_empty());
    }
}
