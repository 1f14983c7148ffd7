//! Changes carried out: over netlink, and by resolvectl.

use fps_netlink::{Family, Netlink, RouteFilter, TableId};
use nix::errno::Errno;

use crate::resolvectl::Resolvectl;
use crate::{Change, Error, KernelState, Operation, Plan, Step, needed};

/// How often the state is read again where it changes while it is read.
const READINGS: usize = 5;

/// Carries plans out in the network namespace of its netlink socket.
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
}

impl Executor {
    /// An executor for the namespace of the calling thread.
    pub fn open() -> Result<Self, Error> {
        Netlink::open().map(Self::new).map_err(Error::Netlink)
    }

    /// An executor for the namespace of a netlink socket.
    pub fn new(netlink: Netlink) -> Self {
        Self { netlink }
    }

    /// Looks at what the kernel holds, and at what of a plan it needs.
    pub async fn look(&self, plan: &Plan) -> Result<Transaction, Error> {
        let full = plan.intent().full_tunnel();
        let tables = [Some(TableId::MAIN), full.map(|full| full.table)];
        let tables: Vec<_> = tables.into_iter().flatten().collect();
        let before = self.state(&tables).await?;
        let steps = needed(plan, &before)?;
        let dns = |step: &Step| matches!(step.change, Change::Resolvectl { .. });
        let resolvectl = if steps.iter().any(dns) {
            Resolvectl::find()
        } else {
            None
        };
        Ok(Transaction {
            executor: self.clone(),
            resolvectl,
            tables,
            tun: before.link(plan.intent().tun()).map(|link| link.index),
            before,
            steps,
            dns_named: plan.intent().dns().is_some_and(|dns| !dns.is_empty()),
        })
    }

    /// Reads what the kernel holds; all of it once more where it changed meanwhile.
    async fn state(&self, tables: &[TableId]) -> Result<KernelState, Error> {
        let mut reading = self.read(tables).await;
        for _ in 1..READINGS {
            match &reading {
                Err(error) if error.is_passing() => reading = self.read(tables).await,
                _ => break,
            }
        }
        reading.map_err(Error::Netlink)
    }

    async fn read(&self, tables: &[TableId]) -> Result<KernelState, fps_netlink::Error> {
        let netlink = &self.netlink;
        let mut state = KernelState {
            links: netlink.links().await?,
            addresses: netlink.addresses(None).await?,
            ..KernelState::default()
        };
        for family in Family::BOTH {
            state.rules.extend(netlink.rules(family).await?);
            for &table in tables {
                let table = Some(table);
                let filter = RouteFilter { family, table };
                state.routes.extend(netlink.routes(filter).await?);
            }
        }
        Ok(state)
    }

    async fn send(&self, change: &Change) -> Result<(), fps_netlink::Error> {
        let netlink = &self.netlink;
        match change {
            Change::AddAddress(address) => netlink.add_address(address).await,
            Change::DeleteAddress(address) => netlink.delete_address(address).await,
            Change::SetMtu { link, to, .. } => netlink.set_mtu(*link, *to).await,
            Change::SetUp(link) => netlink.set_up(*link).await,
            Change::SetDown(link) => netlink.set_down(*link).await,
            Change::AddRoute(route) => netlink.add_route(route).await,
            Change::ReplaceRoute { new, .. } => netlink.replace_route(new).await,
            Change::DeleteRoute(route) => netlink.delete_route(route).await,
            Change::AddRule(rule) => netlink.add_rule(rule).await,
            Change::DeleteRule(rule) => netlink.delete_rule(rule).await,
            Change::Resolvectl { .. } => Ok(()),
        }
    }
}

/// The changes that a plan needs, and the state from before them.
#[derive(Debug)]
pub struct Transaction {
    executor: Executor,
    resolvectl: Option<Resolvectl>,
    tables: Vec<TableId>,
    tun: Option<fps_netlink::IfIndex>,
    before: KernelState,
    steps: Vec<Step>,
    /// Whether the options say what of DNS has been set.
    dns_named: bool,
}

impl Transaction {
    /// What is needed.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Fails where DNS shall be set and there is no program for it: before anything changes.
    pub fn require_resolvectl(&self) -> Result<(), Error> {
        let dns = |step: &Step| matches!(step.change, Change::Resolvectl { .. });
        match self.steps.iter().find(|step| dns(step)) {
            Some(step) if self.resolvectl.is_none() => {
                Err(Error::NoResolvectl(step.operation.to_string()))
            }
            _ => Ok(()),
        }
    }

    /// Does it all, or nothing: after a failure it undoes what it has done.
    pub async fn apply(&self) -> Result<(), Error> {
        self.apply_checked(|_| Ok(())).await
    }

    /// The same, with a way to make the kernel refuse a step, by its number.
    pub(crate) async fn apply_checked(
        &self,
        check: impl Fn(usize) -> Result<(), Errno>,
    ) -> Result<(), Error> {
        for (number, step) in self.steps.iter().enumerate() {
            let outcome = match check(number) {
                Ok(()) => self.carry_out(step).await,
                Err(errno) => Err(Error::Operation {
                    command: step.operation.to_string(),
                    cause: errno.into(),
                }),
            };
            let Err(cause) = outcome else { continue };
            // Asked of every change before it is even read, so here nothing has changed.
            if number == 0 && matches!(cause, Error::MissingCapability { .. }) {
                return Err(cause);
            }
            let cause = Box::new(cause);
            // The failed step may have half happened, as resolvectl's can.
            let differences = self.roll_back(&self.steps[..number], step).await;
            return Err(if differences.is_empty() {
                Error::RolledBack(cause)
            } else {
                let differences = differences.join("; ");
                Error::NotRolledBack { cause, differences }
            });
        }
        Ok(())
    }

    /// Does what it can, and goes on after a failure, since what can be taken away should be.
    pub async fn clean_up(&self) -> Vec<Error> {
        let mut errors = Vec::new();
        for step in &self.steps {
            let Err(error) = self.carry_out(step).await else {
                continue;
            };
            // Without --dns it is a precaution: there may be nothing, and no resolved.
            if matches!(step.change, Change::Resolvectl { .. }) && !self.dns_named {
                continue;
            }
            let hopeless = matches!(error, Error::MissingCapability { .. });
            errors.push(error);
            if hopeless {
                break;
            }
        }
        errors
    }

    async fn carry_out(&self, step: &Step) -> Result<(), Error> {
        if let Change::Resolvectl { words, .. } = &step.change {
            return match &self.resolvectl {
                Some(resolvectl) => resolvectl.run(words, &step.operation),
                None => Ok(()),
            };
        }
        match self.executor.send(&step.change).await {
            Err(error) if error.errno().is_some_and(|e| step.change.is_absent(e)) => Ok(()),
            outcome => outcome.map_err(|error| refused(&step.operation, error)),
        }
    }

    /// Undoes what is done, last first, and says in what the state then differs from before.
    async fn roll_back(&self, done: &[Step], failed: &Step) -> Vec<String> {
        let Some(tun) = self.tun else {
            return Vec::new();
        };
        let mut problems = Vec::new();
        let half = matches!(failed.change, Change::Resolvectl { .. }).then_some(failed);
        let mut dns_reverted = false;
        for step in done.iter().chain(half).rev() {
            let change = step.change.opposite();
            if matches!(change, Change::Resolvectl { .. })
                && std::mem::replace(&mut dns_reverted, true)
            {
                continue;
            }
            let undo = Step {
                operation: step.operation.clone(),
                change,
            };
            // What a failure leaves behind shows in the comparison; DNS does not.
            if let (Err(error), Change::Resolvectl { .. }) =
                (self.carry_out(&undo).await, &undo.change)
            {
                problems.push(error.chain());
            }
        }
        match self.restore(tun).await {
            Ok(differences) => problems.extend(differences),
            Err(error) => problems.push(error.chain()),
        }
        problems
    }

    /// Sets again what the kernel dropped by itself, and compares.
    async fn restore(&self, tun: fps_netlink::IfIndex) -> Result<Vec<String>, Error> {
        let now = self.executor.state(&self.tables).await?;
        for change in self.before.lost(&now, tun) {
            // Its failure shows in the comparison.
            let _ = self.executor.send(&change).await;
        }
        let now = self.executor.state(&self.tables).await?;
        Ok(self.before.differences(&now, tun))
    }
}

/// Names the operation that was refused.
fn refused(operation: &Operation, error: fps_netlink::Error) -> Error {
    let command = operation.to_string();
    match error.errno() {
        Some(Errno::EPERM) => Error::MissingCapability { command },
        // `addrconf_add_dev` and `fib6_nh_init` (net/ipv6/) answer so where disable_ipv6 is set.
        Some(Errno::EACCES) => match v6_device(operation) {
            Some(device) => Error::Ipv6Disabled { command, device },
            None => Error::Operation {
                command,
                cause: error.cause.into(),
            },
        },
        // Its own text repeats the operation, with the device as a number.
        _ => Error::Operation {
            command,
            cause: error.cause.into(),
        },
    }
}

/// The device of an operation of IPv6.
fn v6_device(operation: &Operation) -> Option<fps_netlink::LinkName> {
    let (net, device) = match operation {
        Operation::ReplaceAddress { address, device } => (address.net(), device),
        Operation::ReplaceRoute(route) => (route.to.net(), &route.device),
        _ => return None,
    };
    net.addr().is_ipv6().then_some(*device)
}
