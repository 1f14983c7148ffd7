//! Sysctls below net that somebody may write. What is only to be read tells what the kernel knows
//! by itself.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::SnapshotError;
use crate::sandbox::{HostId, Sandbox};

pub(super) fn read(
    sandbox: &Sandbox,
    host: HostId,
) -> Result<BTreeMap<String, String>, SnapshotError> {
    let unreadable = |source: io::Error| SnapshotError::Read {
        what: "the sysctls",
        source,
    };
    let mut file = sandbox.sysctls(host)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    let values: Vec<(String, String)> =
        serde_json::from_slice(&bytes).map_err(|error| unreadable(error.into()))?;
    let named = values.into_iter().map(|(path, value)| (name(&path), value));
    Ok(named.collect())
}

/// The name of a sysctl by its path below /proc/sys, with dot and slash changed (sysctl(8)).
fn name(path: &str) -> String {
    let swapped = path.chars().map(|letter| match letter {
        '/' => '.',
        '.' => '/',
        other => other,
    });
    swapped.collect()
}
