//! An action that has been looked at, and is about to be carried out.

use fps_netlink::{IfIndex, LinkName};

use super::{Engine, Look, mirror};
use crate::execute::Fault;
use crate::{
    Change, DnsChange, Error, Intent, Known, Lock, Occasion, Operation, Plan, Record, ResolverKind,
    Transaction, TunAddress,
};

/// How often the LAN is looked at again where it changes while it is copied.
const LOOKS: usize = 5;

/// Holds the lock until it is dropped.
#[derive(Debug)]
pub struct Underway<'a> {
    engine: &'a Engine,
    _lock: Option<Lock>,
    transaction: Transaction,
    known: Known,
}

impl<'a> Underway<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        lock: Option<Lock>,
        look: Look,
        occasion: Occasion,
    ) -> Result<Self, Error> {
        let Look { plan, state, known } = look;
        let (executor, ownership) = (&engine.executor, &known.ownership);
        let transaction = match occasion {
            Occasion::Command => executor.transaction(plan, state, ownership)?,
            Occasion::Watch => executor.lenient_transaction(plan, state, ownership)?,
        };
        Ok(Self {
            engine,
            _lock: lock,
            transaction,
            known,
        })
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        self.transaction.plan()
    }

    /// What goes beyond it.
    pub fn leftovers(&self) -> &[Operation] {
        &self.transaction.needed().leftovers
    }

    /// What is needed.
    pub fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// Whether anything is to be done.
    pub(crate) fn needs_something(&self) -> bool {
        !self.transaction.needed().steps.is_empty()
    }

    /// What could not be read of the records.
    pub fn complaints(&self) -> &[Error] {
        &self.known.complaints
    }

    /// Makes it so, or changes nothing. Gives the copies of the LAN that the kernel would not have, as
    /// commands with its word for it.
    pub async fn apply(&self) -> Result<Vec<String>, Error> {
        self.apply_with(&|_| None).await?;
        if !self.transaction.passes_over() {
            return Ok(Vec::new());
        }
        let mut refused = Vec::new();
        for _ in 0..LOOKS {
            let mirrored = mirror(&self.engine.executor, self.intent()).await?;
            refused = mirrored.refused;
            if refused.is_empty() {
                break;
            }
        }
        Ok(refused)
    }

    /// The same, with a way to make the kernel refuse a step.
    pub(crate) async fn apply_with(&self, fault: Fault<'_>) -> Result<(), Error> {
        self.transaction.require_resolver()?;
        let store = &self.engine.store;
        let (intent, addresses) = (self.plan().intent(), self.addresses());
        let before = self
            .known
            .record
            .iter()
            .flat_map(|record| record.intents.clone());
        let before = before.filter(|before| before != intent);
        let may_stand = [intent.clone()].into_iter().chain(before).collect();
        let tun = (intent.tun(), self.tun());
        let record = Record::new(tun, may_stand, addresses.clone());
        if self.known.record.as_ref() != Some(&record) {
            store.save(&record)?;
        }
        if let Err(error) = self.transaction.apply_with(fault).await {
            // What stands is what stood; but where that is not so, all of it may. What fails then is
            // not what failed first: the record says more than stands, which is not wrong.
            if !matches!(error, Error::NotRolledBack { .. }) {
                let _ = match &self.known.record {
                    Some(record) => store.save(record),
                    None => store.remove(intent.tun()),
                };
            }
            return Err(error);
        }
        let kept = addresses
            .into_iter()
            .filter(|address| intent.addresses().contains(address));
        let settled = Record::new(tun, vec![intent.clone()], kept.collect());
        if settled == record {
            return Ok(());
        }
        store.save(&settled)
    }

    /// Takes away what is ours, and says what would not go.
    pub async fn clean_up(&self) -> Vec<Error> {
        let mut errors = self.transaction.clean_up().await;
        errors.extend(self.forget_former_name());
        if errors.is_empty()
            && let Err(error) = self.engine.store.remove(self.recorded_as())
        {
            errors.push(error);
        }
        errors
    }

    /// Has `fps-dns` forget a device that has another name now: it knows it by the former one.
    fn forget_former_name(&self) -> Option<Error> {
        let (kind, device) = (ResolverKind::Stub, self.recorded_as());
        let told = self.known.ownership.resolvers.contains(&kind);
        let dns = self.engine.executor.dns(kind)?;
        if !told || device == self.intent().tun() || self.intent().dns().is_none() {
            return None;
        }
        let reverted = dns.change(device, &DnsChange::Revert);
        reverted
            .err()
            .map(|cause| Error::RestoreDns { device, cause })
    }

    /// The name that the device had when it was recorded.
    fn recorded_as(&self) -> LinkName {
        let record = self.known.record.as_ref();
        record.map_or_else(|| self.intent().tun(), |record| record.tun)
    }

    /// The addresses that are ours: those that were, and those that are not there yet.
    fn addresses(&self) -> Vec<TunAddress> {
        let mut addresses = self.known.ownership.addresses.clone();
        let steps = self.transaction.needed().steps.iter();
        addresses.extend(steps.filter_map(|step| {
            match (self.transaction.operation(step), &step.change) {
                (Operation::ReplaceAddress { address, .. }, Change::AddAddress(_)) => {
                    Some(*address)
                }
                _ => None,
            }
        }));
        let mut seen = std::collections::HashSet::new();
        addresses.retain(|address| seen.insert(*address));
        addresses
    }

    /// The device's index.
    pub fn tun(&self) -> Option<IfIndex> {
        self.transaction.tun()
    }

    /// What is wanted, with the numbers that were chosen.
    pub fn intent(&self) -> &Intent {
        self.plan().intent()
    }
}
