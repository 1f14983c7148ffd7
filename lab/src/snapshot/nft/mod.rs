//! The nftables ruleset of a host, over netlink, so that no `nft` is needed.
//!
//! - `dump`: the kernel's answers
//! - `attribute`: what they consist of
//! - `filter`: the chains that may drop a packet
//! - `rule`: the rule that did
//! - `canonical`: a line for each object, without what changes by itself
//!
//! Expressions are shown by name and as the bytes that the kernel tells: two rules are equal if and
//! only if these are. iptables of the nft kind is part of it. The tables of the older kind are
//! not, and the kernel does not tell them in this way; that there are some is told as unseen.

mod attribute;
mod canonical;
mod dump;
mod filter;
mod rule;

use std::io::{self, Read};

pub use filter::{ChainName, FilterChain, Hook, filter_chains};
use fps_netns::TRACE_TABLES;
pub use rule::{NftRule, rule_of};

use super::SnapshotError;
use crate::sandbox::{HostId, Sandbox, SocketKind};

/// The names of the tables that iptables-legacy(8) and its like have made in a namespace.
const LEGACY: [&str; 3] = [
    "/proc/self/net/ip_tables_names",
    "/proc/self/net/ip6_tables_names",
    "/proc/self/net/arp_tables_names",
];

/// A ruleset.
pub(super) struct Ruleset {
    /// Its objects.
    pub(super) lines: Vec<String>,
    /// What there is that cannot be read.
    pub(super) unseen: Vec<String>,
}

pub(super) fn read(sandbox: &Sandbox, host: HostId) -> Result<Ruleset, SnapshotError> {
    let socket = sandbox.socket(host, SocketKind::Netfilter)?;
    let mut kernel = dump::Kernel::new(socket).map_err(failed)?;
    let mut unseen = Vec::new();
    let lines = match is_absent(&mut kernel) {
        true => Vec::new(),
        false => ruleset(&mut kernel).unwrap_or_else(|error| {
            unseen.push(format!("the nftables ruleset cannot be read: {error}"));
            Vec::new()
        }),
    };
    for path in LEGACY {
        let Some(mut file) = sandbox.open(host, path)? else {
            continue;
        };
        let mut names = String::new();
        file.read_to_string(&mut names).map_err(failed)?;
        let names: Vec<&str> = names.split_whitespace().collect();
        if !names.is_empty() {
            let names = names.join(", ");
            unseen.push(format!("tables of the older iptables ({path}: {names})"));
        }
    }
    Ok(Ruleset { lines, unseen })
}

fn failed(source: io::Error) -> SnapshotError {
    SnapshotError::Read {
        what: "the nftables ruleset",
        source,
    }
}

/// Whether a table is one of the lab's own, which stands while a question is traced.
fn is_of_trace(table: &str) -> bool {
    table.starts_with(TRACE_TABLES)
}

/// Whether nobody listens to this subsystem: the kernel has no nftables and could load none, so that
/// there is no ruleset (`nfnetlink_rcv_msg` in net/netfilter/nfnetlink.c).
fn is_absent(kernel: &mut dump::Kernel) -> bool {
    let error = kernel.generation().err();
    error.is_some_and(|error| error.raw_os_error() == Some(nix::libc::EINVAL))
}

/// All objects of a ruleset. The order of rules counts, so each has its number in its chain.
fn ruleset(kernel: &mut dump::Kernel) -> io::Result<Vec<String>> {
    for _ in 0..dump::READINGS {
        let before = kernel.generation()?;
        let mut lines = Vec::new();
        for kind in dump::Kind::ALL {
            let mut objects = kernel.dump(kind, &dump::About::default())?;
            objects.retain(|object| !object.table().is_some_and(|table| is_of_trace(&table)));
            if kind == dump::Kind::Set {
                for set in &objects {
                    let elements = kernel.dump(dump::Kind::Element, &canonical::set_of(set)?)?;
                    lines.extend(canonical::elements(&elements)?);
                }
            }
            lines.extend(canonical::lines(kind, &objects)?);
        }
        if kernel.generation()? == before {
            lines.sort();
            return Ok(lines);
        }
    }
    Err(io::Error::other("it changes all the time"))
}
