//! Who is told what to look up through the tunnel.

use std::fmt;
use std::path::PathBuf;

use fps_netlink::LinkName;

use crate::{Dns, DnsChange};

/// A resolver that keeps settings for each device.
pub trait DnsBackend: fmt::Debug + Send + Sync {
    /// What it has for a device.
    fn settings(&self, device: LinkName) -> Result<Dns, DnsError>;

    /// A folder in which files change whenever its settings do; none where there is no such.
    fn folder(&self) -> Option<PathBuf> {
        None
    }

    /// Has it forget what it has looked up.
    fn flush(&self) -> Result<(), DnsError> {
        Ok(())
    }

    /// Changes that.
    fn change(&self, device: LinkName, change: &DnsChange) -> Result<(), DnsError>;
}

/// Why a resolver could not be asked or told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DnsError(pub String);

/// As resolvectl(1) takes it.
pub(crate) fn yes(on: bool) -> &'static str {
    if on { "yes" } else { "no" }
}
