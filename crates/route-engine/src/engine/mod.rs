//! Intent to done: what is planned, looked at, recorded and carried out.

mod hold;
mod mirror;
mod underway;

#[cfg(test)]
mod fault;

pub(crate) use hold::hold;
pub(crate) use mirror::mirror;
pub use underway::Underway;

use std::path::Path;

use caps::{CapSet, Capability};
use fps_netlink::{LinkName, TableId};

use crate::execute::Tables;
use crate::{
    Action, Dns, Error, Executor, Intent, KernelState, Known, Lock, Plan, Record, Store, Underlay,
    numbered,
};

/// What carries intents out in one network namespace, and keeps a record of them.
#[derive(Debug)]
pub struct Engine {
    executor: Executor,
    store: Store,
    /// Held while a device is watched.
    kept: Option<Lock>,
}

/// When an intent is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Because somebody says so: all of it, or nothing.
    Command,
    /// Because a watch has seen something change. The resolver is not asked, since it has somebody of its
    /// own to watch it, and a bypass that its link does not take now keeps nothing else from being mended.
    Watch,
}

/// Whether tables and priorities that somebody else has are given way to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    /// Those of the intent, or none.
    Fixed,
    /// The next ones that are free (`--auto`).
    Auto,
}

/// What there is before anything changes.
pub(crate) struct Look {
    pub(crate) plan: Plan,
    pub(crate) state: KernelState,
    pub(crate) known: Known,
}

impl Engine {
    /// An engine for the namespace of the calling thread, with its records below a folder.
    pub fn open(records: &Path) -> Result<Self, Error> {
        Ok(Self::new(Executor::open()?, Store::open(records)?))
    }

    /// An engine of parts.
    pub fn new(executor: Executor, store: Store) -> Self {
        Self {
            executor,
            store,
            kept: None,
        }
    }

    /// What carries changes out.
    pub fn executor(&self) -> &Executor {
        &self.executor
    }

    /// The records.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What would be done, whatever of it stands: needs no privilege and no device. The kernel is
    /// asked only for what the plan depends on: the LAN's routes, or which tables are free.
    pub async fn plan(
        &self,
        action: Action,
        intent: Intent,
        numbering: Numbering,
    ) -> Result<(Plan, Vec<Error>), Error> {
        let known = self.store.known(intent.tun());
        let recorded = known.record.as_ref().filter(|_| !action.adds());
        let asks = intent.asks_underlay()
            || numbering == Numbering::Auto
            || recorded
                .iter()
                .any(|record| record.intents.iter().any(Intent::asks_underlay));
        let state = if asks {
            self.executor
                .state(&tables(&intent, None, numbering))
                .await?
        } else {
            KernelState::default()
        };
        let intent = with_numbers(action, intent, numbering, &state, &known)?;
        let plan = plan(action, intent, recorded, state.underlay());
        Ok((plan, known.complaints))
    }

    /// What was applied last for a device, as far as it is recorded.
    pub fn applied(&self, tun: LinkName) -> Option<Intent> {
        let record = self.store.known(tun).record?;
        record.intents.into_iter().next()
    }

    /// Keeps a device to itself, so that no other engine changes what this one watches. Fails where
    /// another does.
    pub fn keep(&mut self, tun: LinkName) -> Result<(), Error> {
        require_capability("watch")?;
        self.kept = Some(self.store.keep(tun)?);
        Ok(())
    }

    /// Takes the lock, looks, and says what is needed. Nothing has changed yet. Fails where another
    /// engine watches the device.
    pub async fn begin(
        &self,
        action: Action,
        intent: Intent,
        numbering: Numbering,
    ) -> Result<Underway<'_>, Error> {
        let occasion = Occasion::Command;
        self.begin_at(occasion, action, intent, numbering).await
    }

    /// The same, on a certain occasion.
    pub async fn begin_at(
        &self,
        occasion: Occasion,
        action: Action,
        intent: Intent,
        numbering: Numbering,
    ) -> Result<Underway<'_>, Error> {
        require_capability(action.name())?;
        let (lock, complaint) = match self.store.lock().await {
            Ok(lock) => (Some(lock), None),
            // Where nothing can be written nothing new is recorded, and what is ours shall go all the
            // same.
            Err(error @ Error::Record { .. }) if !action.adds() => (None, Some(error)),
            Err(error) => return Err(error),
        };
        if self.kept.is_none() {
            self.store.refuse_if_kept(intent.tun())?;
        }
        let mut look = self.look(occasion, action, intent, numbering).await?;
        look.known.complaints.extend(complaint);
        Underway::new(self, lock, look, occasion)
    }

    pub(crate) async fn look(
        &self,
        occasion: Occasion,
        action: Action,
        intent: Intent,
        numbering: Numbering,
    ) -> Result<Look, Error> {
        let tun = intent.tun();
        let mut known = self.store.known(tun);
        let tables = tables(&intent, known.record.as_ref(), numbering);
        let mut state = self.executor.state(&tables).await?;
        let renamed = match action.adds() {
            true => None,
            false => known.follow_device(&state),
        };
        let intent = match renamed {
            Some(name) => intent.on(name),
            None => {
                known.forget_another_device(tun, &state);
                intent
            }
        };
        let told = &known.ownership.dns;
        let concerns_dns = |wanted: &Dns| !(wanted.is_empty() && told.is_empty());
        if action.adds() && intent.dns().is_some_and(concerns_dns) && state.link(tun).is_some() {
            state.dns = match occasion {
                Occasion::Command => self.executor.read_dns(intent.resolver(), tun)?,
                Occasion::Watch => known.record.as_ref().and_then(Record::dns_of_last),
            };
        }
        let intent = with_numbers(action, intent, numbering, &state, &known)?;
        let recorded = known.record.as_ref().filter(|_| !action.adds());
        let plan = plan(action, intent, recorded, state.underlay());
        let plan = plan.for_host(state.has_ipv6());
        Ok(Look { plan, state, known })
    }
}

/// The intent with the numbers that it gets. Where none of them will do there is nothing to be set; what
/// was set goes all the same, by its record.
fn with_numbers(
    action: Action,
    intent: Intent,
    numbering: Numbering,
    state: &KernelState,
    known: &Known,
) -> Result<Intent, Error> {
    match numbering {
        Numbering::Fixed => Ok(intent),
        Numbering::Auto => match numbered(&intent, state, &known.ownership) {
            Err(_) if !action.adds() => Ok(intent),
            found => found,
        },
    }
}

/// Fails before anything is touched where the kernel would refuse all. Whether it takes the capability
/// for one in this network namespace it alone knows.
fn require_capability(verb: &str) -> Result<(), Error> {
    let held = caps::has_cap(None, CapSet::Effective, Capability::CAP_NET_ADMIN);
    match held {
        Ok(false) => Err(Error::MissingCapability {
            command: format!("fps-route {verb}"),
        }),
        // Where it is not to be told, the first step tells.
        Ok(true) | Err(_) => Ok(()),
    }
}

/// The tables that have to be read.
fn tables(intent: &Intent, record: Option<&Record>, numbering: Numbering) -> Tables {
    if numbering == Numbering::Auto {
        return Tables::All;
    }
    let recorded = record.iter().flat_map(|record| &record.intents);
    let tables = recorded.chain([intent]).flat_map(Intent::tables);
    Tables::Some(tables.chain([TableId::MAIN]).collect())
}

fn plan(action: Action, intent: Intent, record: Option<&Record>, underlay: Underlay<'_>) -> Plan {
    let plan = Plan::new(action, intent, underlay);
    match record {
        Some(record) => plan.with_recorded(&record.intents_to_clean_up(), underlay),
        None => plan,
    }
}
