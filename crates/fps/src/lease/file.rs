//! The file of leases: `{"leases": [{"client_public_key": BASE64, "ipv4": ADDRESS}]}`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::net::Ipv4Addr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use fps_wire::PublicKey;
use serde::{Deserialize, Serialize};

use super::{Pool, pool};

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Text {
    leases: Vec<Entry>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    client_public_key: String,
    ipv4: Ipv4Addr,
}

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LeaseFileError {
    /// It cannot be read or written.
    #[error("cannot {what} the lease file {}", path.display())]
    Io {
        /// What was to be done.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It says something impossible.
    #[error("the lease file {} is not valid: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Who has which address, where all of them are of the pool and nobody's twice.
pub(super) fn read(
    path: &Path,
    pool: &Pool,
) -> Result<BTreeMap<PublicKey, Ipv4Addr>, LeaseFileError> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        text => text.map_err(|source| io_error("read", path, source))?,
    };
    let invalid = |reason: String| LeaseFileError::Invalid {
        path: path.to_owned(),
        reason,
    };
    let text: Text = serde_json::from_slice(&text).map_err(|error| invalid(error.to_string()))?;
    let (mut leases, mut taken) = (BTreeMap::new(), BTreeSet::new());
    for (
        at,
        Entry {
            client_public_key,
            ipv4,
        },
    ) in (1..).zip(text.leases)
    {
        let key = pool::key(&client_public_key);
        let key = key.ok_or_else(|| invalid(format!("lease {at} has no key of 32 bytes")))?;
        if !pool.has(ipv4) {
            let pool = pool.network();
            return Err(invalid(format!(
                "lease {at}: {ipv4} is no client's in {pool}"
            )));
        }
        if !taken.insert(ipv4) || leases.insert(key, ipv4).is_some() {
            return Err(invalid(format!("lease {at} is there already")));
        }
    }
    Ok(leases)
}

/// Writes the file anew, whole or not at all. It is nobody else's business who the clients are.
pub(super) fn write(
    path: &Path,
    leases: &BTreeMap<PublicKey, Ipv4Addr>,
) -> Result<(), LeaseFileError> {
    let leases = leases.iter().map(|(key, ipv4)| Entry {
        client_public_key: key.to_base64(),
        ipv4: *ipv4,
    });
    let leases = leases.collect();
    let new = path.with_extension("new");
    let write = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&new)?;
        file.write_all(&serde_json::to_vec(&Text { leases })?)?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().map_err(|source| io_error("write", path, source))
}

fn io_error(what: &'static str, path: &Path, source: io::Error) -> LeaseFileError {
    let path = path.to_owned();
    LeaseFileError::Io { what, path, source }
}
