//! Changes carried out: over netlink, and by a resolver.

mod bounded;
mod bus;
mod dns;
mod resolved;
mod resolvers;
mod stub;
mod transaction;

pub(crate) use dns::yes;
pub use dns::{DnsBackend, DnsError, Trace};
pub(crate) use resolvers::Resolvers;
pub(crate) use transaction::Fault;
pub use transaction::Transaction;

use std::collections::BTreeSet;
use std::sync::Arc;

use fps_netlink::{Bulk, Family, LinkName, Netlink, RouteFilter, Rule, TableId};

use nix::errno::Errno;

use crate::{
    Change, Dns, Error, KernelState, Ownership, Plan, ResolverKind, needed, needed_but_bypasses,
};

/// How often the state is read again where it changes while it is read.
const READINGS: usize = 5;

/// Carries plans out in one network namespace.
///
/// Every route and rule that it sets carries
/// [`FPS_ROUTE_PROTOCOL`](fps_netlink::FPS_ROUTE_PROTOCOL), number 70: `ip route` and `ip rule`
/// show it as `proto 70`. It replaces and deletes no other. The kernel would: when it replaces a
/// route (NLM_F_REPLACE) it compares prefix and metric but not the protocol. So it looks before the
/// first change, and sets what is new in such a way that the kernel refuses it where another
/// program came in between (NLM_F_EXCL).
#[derive(Clone, Debug)]
pub struct Executor {
    netlink: Netlink,
    bulk: Arc<Bulk>,
    resolvers: Resolvers,
}

/// The tables that are read, beside table main and those that rules lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tables {
    /// These.
    Some(BTreeSet<TableId>),
    /// All: whoever looks for one that is free has to.
    All,
}

impl Executor {
    /// An executor for the namespace of the calling thread, with the resolvers that there are.
    pub fn open() -> Result<Self, Error> {
        let netlink = Netlink::open().map_err(Error::Netlink)?;
        let bulk = Bulk::open().map_err(Error::Netlink)?;
        Ok(Self {
            netlink,
            bulk: Arc::new(bulk),
            resolvers: Resolvers::find(),
        })
    }

    /// The same with another resolver in the place of systemd-resolved, and no other; or with none.
    #[must_use]
    pub fn with_dns(mut self, dns: Option<Arc<dyn DnsBackend>>) -> Self {
        self.resolvers = Resolvers::only(dns);
        self
    }

    /// Its netlink socket.
    pub fn netlink(&self) -> &Netlink {
        &self.netlink
    }

    /// Its socket for many routes.
    pub(crate) fn bulk(&self) -> &Bulk {
        &self.bulk
    }

    /// A resolver, to be asked in another thread.
    pub(crate) fn shared_dns(&self, kind: ResolverKind) -> Option<Arc<dyn DnsBackend>> {
        self.resolvers.get(kind).cloned()
    }

    /// A resolver; none where there is no such.
    pub fn dns(&self, kind: ResolverKind) -> Option<&dyn DnsBackend> {
        self.resolvers.get(kind).map(|it| &**it)
    }

    /// What of a plan is needed, given what the kernel held when it was read.
    pub fn transaction(
        &self,
        plan: Plan,
        state: KernelState,
        ownership: &Ownership,
    ) -> Result<Transaction, Error> {
        let needed = needed(&plan, &state, ownership)?;
        Ok(Transaction::new(self.clone(), plan, state, needed))
    }

    /// The same but for bypasses that their links do not take: those are passed over, and told of.
    pub fn lenient_transaction(
        &self,
        plan: Plan,
        state: KernelState,
        ownership: &Ownership,
    ) -> Result<Transaction, Error> {
        let (needed, hindered) = needed_but_bypasses(&plan, &state, ownership)?;
        let transaction = Transaction::new(self.clone(), plan, state, needed);
        Ok(transaction.passing_over_bypasses(hindered))
    }

    /// Reads what the kernel holds; all of it once more where it changed meanwhile.
    pub async fn state(&self, tables: &Tables) -> Result<KernelState, Error> {
        let mut reading = self.read(tables).await;
        for _ in 1..READINGS {
            match &reading {
                Err(error) if error.is_passing() => reading = self.read(tables).await,
                _ => break,
            }
        }
        reading.map_err(Error::Netlink)
    }

    async fn read(&self, tables: &Tables) -> Result<KernelState, fps_netlink::Error> {
        let netlink = &self.netlink;
        netlink.settle().await?;
        let mut state = KernelState::default();
        let mut families = Vec::new();
        for family in Family::BOTH {
            match netlink.rules(family).await {
                Ok(rules) => {
                    families.push(family);
                    state.rules.extend(rules);
                }
                // A kernel without IPv6 (ipv6.disable=1) has none of its routes either.
                Err(error) if error.errno() == Some(Errno::EAFNOSUPPORT) => {}
                Err(error) => return Err(error),
            }
        }
        let wanted = match tables {
            Tables::All => vec![None],
            Tables::Some(tables) => {
                let of_rules = state.rules.iter().filter_map(Rule::table);
                let mut wanted: BTreeSet<_> = of_rules.chain(tables.iter().copied()).collect();
                wanted.insert(TableId::MAIN);
                // The host's own addresses, and what nobody uses.
                wanted.remove(&TableId::LOCAL);
                wanted.into_iter().map(Some).collect()
            }
        };
        for family in families {
            for &table in &wanted {
                let filter = RouteFilter { family, table };
                state.routes.extend(self.bulk.routes(filter)?);
            }
        }
        state.routes.retain(|route| route.table != TableId::LOCAL);
        state.addresses = netlink.addresses(None).await?;
        // Last, so that the interface of each route is known that is there still.
        state.links = netlink.links().await?;
        Ok(state)
    }

    /// What is looked up through a device; none where there is no resolver to ask.
    pub fn read_dns(&self, kind: ResolverKind, device: LinkName) -> Result<Option<Dns>, Error> {
        let Some(dns) = self.dns(kind) else {
            return Ok(None);
        };
        let settings = dns.settings(device);
        settings
            .map(Some)
            .map_err(|cause| Error::ReadDns { device, cause })
    }

    async fn send(&self, change: &Change) -> Result<(), fps_netlink::Error> {
        let netlink = &self.netlink;
        match change {
            Change::AddAddress(address) | Change::KeepAddress(address) => {
                netlink.add_address(address).await
            }
            Change::DeleteAddress(address) => netlink.delete_address(address).await,
            Change::SetMtu { link, to, .. } => netlink.set_mtu(*link, *to).await,
            Change::SetUp(link) => netlink.set_up(*link).await,
            Change::SetDown(link) => netlink.set_down(*link).await,
            Change::AddRule(rule) => netlink.add_rule(rule).await,
            Change::DeleteRule(rule) => netlink.delete_rule(rule).await,
            // Routes go in bulk, and DNS is the resolver's.
            Change::AddRoute(_)
            | Change::AppendRoute(_)
            | Change::KeepRoute(_)
            | Change::ReplaceRoute(_)
            | Change::DeleteRoute(_)
            | Change::Dns(_) => Ok(()),
        }
    }
}
