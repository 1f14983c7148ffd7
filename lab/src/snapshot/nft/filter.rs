//! Chains of nftables that may drop a packet on its way.

use std::collections::BTreeSet;
use std::fmt;

use super::attribute::{Attribute, find};
use super::dump::{About, Kernel, Kind};
use super::{failed, is_of_trace};
use crate::sandbox::{HostId, Sandbox, SocketKind};
use crate::snapshot::SnapshotError;

/// Numbers of attributes, by the names of linux/netfilter/nf_tables.h.
const NFTA_CHAIN_TABLE: u16 = 1;
const NFTA_CHAIN_NAME: u16 = 3;
const NFTA_CHAIN_HOOK: u16 = 4;
const NFTA_CHAIN_POLICY: u16 = 5;
const NFTA_CHAIN_TYPE: u16 = 7;
const NFTA_HOOK_HOOKNUM: u16 = 1;
const NFTA_RULE_TABLE: u16 = 1;
const NFTA_RULE_CHAIN: u16 = 2;
/// `NF_DROP` as a policy.
const DROP: u32 = 0;
/// `NFPROTO_INET`, `NFPROTO_IPV4` and `NFPROTO_IPV6`.
const OF_IP: [u8; 3] = [1, 2, 10];

/// Where the kernel shows packets to a chain, by the numbers of linux/netfilter.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// As they come in, before the kernel looks for their way.
    Prerouting,
    /// On their way to a socket of the host.
    Input,
    /// On their way through the host.
    Forward,
    /// From a socket of the host.
    Output,
    /// As they leave.
    Postrouting,
}

impl Hook {
    /// All of them, each at its number.
    pub const ALL: [Self; 5] = [
        Self::Prerouting,
        Self::Input,
        Self::Forward,
        Self::Output,
        Self::Postrouting,
    ];
}

/// What a chain is called, as nft(8) writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainName {
    /// The family of its table.
    pub family: String,
    /// Its table.
    pub table: String,
    /// Its own name.
    pub name: String,
}

impl ChainName {
    /// `family` is `NFPROTO_…`.
    pub fn new(family: u8, table: String, name: String) -> Self {
        let family = super::canonical::family(family);
        Self {
            family,
            table,
            name,
        }
    }
}

impl fmt::Display for ChainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            family,
            table,
            name,
        } = self;
        write!(f, "chain `{name}` of table `{family} {table}`")
    }
}

/// A base chain of the type `filter` with rules, or that drops what no rule accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterChain {
    /// What it is called.
    pub name: ChainName,
    /// Where it is asked.
    pub hook: Hook,
}

/// Those of a host that see packets of IP; none where the kernel has no nftables.
pub fn filter_chains(sandbox: &Sandbox, host: HostId) -> Result<Vec<FilterChain>, SnapshotError> {
    let socket = sandbox.socket(host, SocketKind::Netfilter)?;
    let mut kernel = Kernel::new(socket).map_err(failed)?;
    if super::is_absent(&mut kernel) {
        return Ok(Vec::new());
    }
    let mut with_rules = BTreeSet::new();
    for rule in kernel.dump(Kind::Rule, &About::default()).map_err(failed)? {
        let attributes = rule.attributes().map_err(failed)?;
        let name = |kind| find(&attributes, kind).map(Attribute::text);
        with_rules.insert((rule.family, name(NFTA_RULE_TABLE), name(NFTA_RULE_CHAIN)));
    }
    let mut chains = Vec::new();
    for chain in kernel
        .dump(Kind::Chain, &About::default())
        .map_err(failed)?
    {
        let attributes = chain.attributes().map_err(failed)?;
        let text = |kind| find(&attributes, kind).map(Attribute::text);
        let (table, name) = (text(NFTA_CHAIN_TABLE), text(NFTA_CHAIN_NAME));
        let policy = find(&attributes, NFTA_CHAIN_POLICY).map(Attribute::number);
        let bears = policy == Some(DROP)
            || with_rules.contains(&(chain.family, table.clone(), name.clone()));
        let Some(hook) = hook(&attributes).map_err(failed)? else {
            continue;
        };
        let filters = text(NFTA_CHAIN_TYPE).as_deref() == Some("filter");
        let traces = table.as_deref().is_some_and(is_of_trace);
        if bears && filters && !traces && OF_IP.contains(&chain.family) {
            let (table, name) = (table.unwrap_or_default(), name.unwrap_or_default());
            chains.push(FilterChain {
                name: ChainName::new(chain.family, table, name),
                hook,
            });
        }
    }
    Ok(chains)
}

/// The hook of a base chain.
fn hook(chain: &[Attribute<'_>]) -> std::io::Result<Option<Hook>> {
    let Some(hook) = find(chain, NFTA_CHAIN_HOOK) else {
        return Ok(None);
    };
    let parts = Attribute::all(hook.value)?;
    let number = find(&parts, NFTA_HOOK_HOOKNUM).map(Attribute::number);
    Ok(number.and_then(|number| Hook::ALL.get(number as usize).copied()))
}
