//! Who is told what to look up through the tunnel.

use std::fmt;
use std::path::PathBuf;

use fps_netlink::LinkName;

use crate::{Dns, DnsChange};

/// A resolver that keeps settings for each device.
pub trait DnsBackend: fmt::Debug + Send + Sync {
    /// What it has for a device.
    fn settings(&self, device: LinkName) -> Result<Dns, DnsError>;

    /// Where it shows that its settings may have changed; none where nowhere.
    fn trace(&self) -> Option<Trace> {
        None
    }

    /// Has it forget what it has looked up.
    fn flush(&self) -> Result<(), DnsError> {
        Ok(())
    }

    /// Changes that.
    fn change(&self, device: LinkName, change: &DnsChange) -> Result<(), DnsError>;
}

/// Where it shows that a resolver's settings may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trace {
    /// Files change in this folder.
    Folder(PathBuf),
    /// Who listens at this socket, and has the settings, ends.
    Socket(PathBuf),
}

/// Why a resolver could not be asked or told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DnsError(pub String);

/// As resolvectl(1) takes it.
pub(crate) fn yes(on: bool) -> &'static str {
    if on { "yes" } else { "no" }
}
