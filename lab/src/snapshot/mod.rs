//! What a host's network is at one moment, in a form in which two moments can be compared.
//!
//! - [`Snapshot`]: takes one; serde writes it as JSON
//! - [`Change`]: a line that only one of two has
//! - [`Entry`]: one object, as ip(8) writes it
//! - [`Happened`]: a change of one, read from what the kernel tells as it happens
//! - `links`, `addresses`, `routes`, `rules`: over netlink
//! - `nft`: the nftables ruleset, over netlink as well
//! - `sysctls`: all below net that somebody may write
//! - `resolver`: /etc/resolv.conf and the settings of systemd-resolved
//!
//! These are left out, since they change by themselves or say when something was done and not what:
//! indexes of interfaces and handles of nftables; lifetimes of addresses and routes, and
//! expirations of set elements; all counters; operational state, carrier, queueing discipline
//! and promiscuity of links; the flags `tentative`, `dadfailed`, `optimistic` and `deprecated` of
//! addresses, `dead` and `linkdown` of routes; neighbours, cached routes and exceptions; which
//! server systemd-resolved asks at the moment. Not looked at are traffic control, IPsec, ipsets,
//! multicast routing and connection tracking.

mod addresses;
mod change;
mod entry;
mod links;
mod names;
mod nft;
mod notice;
mod resolver;
mod routes;
mod rules;
mod sysctls;

use std::collections::BTreeMap;
use std::io;

use fps_netlink::{Family, Netlink};
use serde::{Deserialize, Serialize};

pub use change::{Change, Side};
pub use entry::Entry;
use names::Names;
pub use nft::{ChainName, FilterChain, Hook, NftRule, filter_chains, rule_of};
pub use notice::{Happened, Reader};
pub use resolver::Resolver;

use crate::lab::Host;
use crate::sandbox::{Sandbox, SandboxError};

/// What a look in passing leaves out.
const NOT_IN_PASSING: &str = "sysctls and the settings of systemd-resolved were not looked at";

/// A host's network at one moment. Its lists are sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its interfaces.
    pub links: Vec<Entry>,
    /// Their addresses.
    pub addresses: Vec<Entry>,
    /// The routes of all tables, IPv4 and IPv6.
    pub routes: Vec<Entry>,
    /// The rules, IPv4 and IPv6.
    pub rules: Vec<Entry>,
    /// The nftables ruleset, an object a line.
    pub nft: Vec<String>,
    /// The sysctls below net, by the names of sysctl(8).
    pub sysctls: BTreeMap<String, String>,
    /// What answers for names.
    pub resolver: Resolver,
    /// What there is that could not be read, so that a change may hide in it.
    pub unseen: Vec<String>,
}

/// A snapshot that could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The kernel refused a dump.
    #[error(transparent)]
    Netlink(#[from] fps_netlink::Error),
    /// The sandbox failed.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A file or a socket could not be read.
    #[error("read {what} of a host")]
    Read {
        /// What was to be read.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
}

impl Snapshot {
    /// Looks at a host. Takes some milliseconds, most of them for the sysctls.
    ///
    /// # Errors
    /// Where something cannot be read that every kernel has. What is there and cannot be read is
    /// in [`Snapshot::unseen`].
    pub async fn take(sandbox: &Sandbox, host: &Host) -> Result<Self, SnapshotError> {
        let mut snapshot = Self::of_routing(host.station().netlink()).await?;
        let ruleset = nft::read(sandbox, host.id())?;
        snapshot.nft = ruleset.lines;
        snapshot.unseen.extend(ruleset.unseen);
        snapshot.sysctls = sysctls::read(sandbox, host.id())?;
        let (resolver, unseen) = resolver::read(sandbox, host.id()).await?;
        snapshot.resolver = resolver;
        snapshot.unseen.extend(unseen);
        Ok(snapshot)
    }

    /// The part of it that costs little: a third of a millisecond, where the whole of it takes 5 to 20. It
    /// says in [`Snapshot::unseen`] what it left out.
    ///
    /// # Errors
    /// As of [`Snapshot::take`].
    pub async fn in_passing(sandbox: &Sandbox, host: &Host) -> Result<Self, SnapshotError> {
        let mut snapshot = Self::of_routing(host.station().netlink()).await?;
        let ruleset = nft::read(sandbox, host.id())?;
        snapshot.nft = ruleset.lines;
        snapshot.unseen.extend(ruleset.unseen);
        snapshot.resolver = resolver::read_file(sandbox, host.id())?;
        snapshot.unseen.push(NOT_IN_PASSING.to_owned());
        Ok(snapshot)
    }

    /// The part of it that rtnetlink tells: links, addresses, routes and rules.
    pub async fn of_routing(netlink: &Netlink) -> Result<Self, SnapshotError> {
        let links = netlink.whole_links().await?;
        let names = Names::of(&links);
        let mut snapshot = Self {
            links: entry::sorted(links.iter().map(|link| links::entry(link, &names))),
            ..Self::default()
        };
        let addresses = netlink.whole_addresses().await?;
        let addresses = addresses.iter().map(|it| addresses::entry(it, &names));
        snapshot.addresses = entry::sorted(addresses);
        let (mut routes, mut rules) = (Vec::new(), Vec::new());
        for family in Family::BOTH {
            routes.extend(netlink.whole_routes(family).await?);
            rules.extend(netlink.whole_rules(family).await?);
        }
        snapshot.routes = entry::sorted(routes.iter().map(|it| routes::entry(it, &names)));
        snapshot.rules = entry::sorted(rules.iter().map(rules::entry));
        Ok(snapshot)
    }

    /// The part of it that sysctl(8) tells.
    pub fn sysctls_of(
        sandbox: &Sandbox,
        host: &Host,
    ) -> Result<BTreeMap<String, String>, SnapshotError> {
        sysctls::read(sandbox, host.id())
    }

    /// The same without some links: without them, their addresses, the routes through them,
    /// their sysctls and what systemd-resolved is told of them.
    #[must_use]
    pub fn without(&self, links: &[&str]) -> Self {
        let mut rest = self.clone();
        let stays = |entry: &Entry| !entry.get("dev").is_some_and(|dev| links.contains(&dev));
        rest.links.retain(stays);
        rest.addresses.retain(stays);
        rest.routes.retain(stays);
        let is_theirs = |key: &str| links.iter().any(|link| change::is_of_link(key, link));
        rest.sysctls.retain(|key, _| !is_theirs(key));
        rest.resolver = rest.resolver.without(links);
        rest
    }

    /// What is other in `later` than in `earlier`, by kind; nothing where the two are equal.
    /// Sysctls of a link that only one of them has are left out: the link says it.
    pub fn diff(earlier: &Self, later: &Self) -> Vec<Change> {
        change::between(earlier, later)
    }
}
