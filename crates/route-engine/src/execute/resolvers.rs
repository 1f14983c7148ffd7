//! The resolvers of a host.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::dns::DnsBackend;
use super::resolved::Resolved;
use super::stub::Stub;
use crate::ResolverKind;

/// Those that there are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resolvers {
    resolved: Option<Arc<dyn DnsBackend>>,
    stub: Option<Arc<dyn DnsBackend>>,
}

impl Resolvers {
    /// Looks for them.
    pub(crate) fn find() -> Self {
        Self {
            resolved: Resolved::find().map(|it| Arc::new(it) as Arc<dyn DnsBackend>),
            stub: Stub::find().map(|it| Arc::new(it) as Arc<dyn DnsBackend>),
        }
    }

    /// One alone, in the place of systemd-resolved.
    pub(crate) fn only(dns: Option<Arc<dyn DnsBackend>>) -> Self {
        let resolved = dns;
        let stub = None;
        Self { resolved, stub }
    }

    /// One of them.
    pub(crate) fn get(&self, kind: ResolverKind) -> Option<&Arc<dyn DnsBackend>> {
        match kind {
            ResolverKind::Resolved => self.resolved.as_ref(),
            ResolverKind::Stub => self.stub.as_ref(),
        }
    }
}

impl ResolverKind {
    /// Which one the programs of this host ask: systemd-resolved where /etc/resolv.conf leads to it or
    /// the C library asks it by itself (nss-resolve(8)); else `fps-dns`, where there is such a program.
    pub(crate) fn of_host() -> Self {
        let resolved = is_link_of_resolved(Path::new("/etc/resolv.conf"))
            || names_resolved(&fs::read_to_string("/etc/resolv.conf").unwrap_or_default())
            || asks_resolved(&fs::read_to_string("/etc/nsswitch.conf").unwrap_or_default())
                && Path::new("/run/systemd/resolve/io.systemd.Resolve").exists();
        match Stub::find() {
            Some(_) if !resolved => Self::Stub,
            _ => Self::Resolved,
        }
    }
}

/// Whether a file is a link to one that systemd-resolved writes.
fn is_link_of_resolved(file: &Path) -> bool {
    fs::read_link(file).is_ok_and(|to| to.to_string_lossy().contains("systemd/resolve/"))
}

/// Whether the only servers that a text names are the stubs of systemd-resolved.
fn names_resolved(text: &str) -> bool {
    let mut servers = text
        .lines()
        .filter_map(|line| line.strip_prefix("nameserver"))
        .map(str::trim)
        .peekable();
    servers.peek().is_some() && servers.all(|server| ["127.0.0.53", "127.0.0.54"].contains(&server))
}

/// Whether nsswitch.conf(5) has it asked for hosts.
fn asks_resolved(text: &str) -> bool {
    let mut lines = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("hosts:"));
    lines.any(|sources| sources.split_whitespace().any(|source| source == "resolve"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolved_is_known_by_what_leads_to_it() {
        for (text, expected) in [
            ("nameserver 127.0.0.53\noptions edns0\n", true),
            ("nameserver 192.168.1.1\nnameserver 127.0.0.53\n", false),
            ("# nameserver 127.0.0.53\n", false),
            ("", false),
        ] {
            assert_eq!(names_resolved(text), expected, "{text}");
        }
        for (text, expected) in [
            (
                "passwd: files\nhosts: files resolve [!UNAVAIL=return] dns\n",
                true,
            ),
            ("hosts: files dns\n", false),
            ("# hosts: resolve\n", false),
        ] {
            assert_eq!(asks_resolved(text), expected, "{text}");
        }
    }
}
