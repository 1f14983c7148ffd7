//! All that is needed, or nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};

use fps_netlink::{IfIndex, LinkName};
use nix::errno::Errno;

use super::{Executor, Tables};
use crate::{
    Change, Dns, DnsChange, Error, KernelState, Layer, Needed, Operation, Plan, ResolverKind, Step,
};

/// The changes that a plan needs, and the state from before them.
#[derive(Debug)]
pub struct Transaction {
    executor: Executor,
    plan: Plan,
    tables: Tables,
    before: KernelState,
    needed: Needed,
    /// The copies of the LAN that the kernel has refused, since the LAN has changed meanwhile.
    passed_over: Mutex<Vec<usize>>,
    /// The bypasses that are passed over, where they may be.
    bypasses: Option<Mutex<Hindered>>,
}

/// Bypasses that their links do not take now.
#[derive(Debug, Default)]
struct Hindered {
    /// Why, one each.
    errors: Vec<Error>,
    /// The places of those that the kernel has refused.
    places: Vec<usize>,
}

/// What the kernel says of a route whose way is not there, or not any more.
const GONE: [Errno; 5] = [
    Errno::EINVAL,
    Errno::ENETUNREACH,
    Errno::EHOSTUNREACH,
    Errno::ENETDOWN,
    Errno::ENODEV,
];

/// What of a batch has been done, and what failed first.
struct Failure {
    /// The places of the steps that are done, or may be.
    done: Vec<usize>,
    /// The place of the step that failed.
    failed: usize,
    cause: Error,
}

/// Makes the kernel refuse a step, by its place: for tests.
pub(crate) type Fault<'a> = &'a dyn Fn(usize) -> Option<Errno>;

impl Transaction {
    pub(super) fn new(executor: Executor, plan: Plan, before: KernelState, needed: Needed) -> Self {
        let tables = before.routes.iter().map(|route| route.table);
        let tables = Tables::Some(tables.chain(plan.intent().tables()).collect());
        Self {
            executor,
            plan,
            tables,
            before,
            needed,
            passed_over: Mutex::default(),
            bypasses: None,
        }
    }

    /// The same, which passes over bypasses that the kernel refuses, as it has over those of which it is
    /// known before.
    pub(super) fn passing_over_bypasses(mut self, errors: Vec<Error>) -> Self {
        let places = Vec::new();
        self.bypasses = Some(Mutex::new(Hindered { errors, places }));
        self
    }

    fn hindered(&self) -> Option<MutexGuard<'_, Hindered>> {
        let bypasses = self.bypasses.as_ref()?;
        Some(bypasses.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Why bypasses were passed over, and the steps that needed them.
    pub(crate) fn take_hindered(&self) -> (Vec<Error>, Vec<usize>) {
        let hindered = self.hindered().map(|mut it| std::mem::take(&mut *it));
        let Hindered { errors, places } = hindered.unwrap_or_default();
        (errors, places)
    }

    /// Whether copies of the LAN were refused and passed over.
    pub(crate) fn passes_over(&self) -> bool {
        !self.passed().is_empty()
    }

    fn passed(&self) -> MutexGuard<'_, Vec<usize>> {
        self.passed_over
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a refusal says only that the LAN is not what it was when it was read: the source of a
    /// copy, its gateway or its interface is gone. A new look will tell.
    fn is_of_a_passing_lan(&self, place: usize, errno: Errno) -> bool {
        let full = self.plan.intent().full_tunnel();
        let copies = full.filter(|full| full.lan.is_some());
        let copies = copies.map(|full| full.table_of(Layer::Lan));
        let new = self.steps()[place].change.new_route();
        let is_copy = new.is_some_and(|route| Some(route.table) == copies);
        is_copy && GONE.contains(&errno)
    }

    /// Whether a refusal says only that the link of a bypass is down, gone, or does not reach its gateway.
    fn is_of_a_bypass(&self, place: usize, errno: Errno) -> bool {
        let full = self.plan.intent().full_tunnel();
        let bypasses = full.map_or(&[][..], |full| &full.bypasses);
        let new = self.steps()[place].change.new_route();
        let is_bypass = new.is_some_and(|route| {
            let mut bypasses = bypasses.iter();
            bypasses.any(|it| it.to.net() == route.to && Some(it.via) == route.gateway)
        });
        is_bypass && GONE.contains(&errno)
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What is needed.
    pub fn needed(&self) -> &Needed {
        &self.needed
    }

    /// The state from before.
    pub fn before(&self) -> &KernelState {
        &self.before
    }

    fn steps(&self) -> &[Step] {
        &self.needed.steps
    }

    /// The operation that needs a step.
    pub fn operation(&self, step: &Step) -> &Operation {
        self.needed.operation(&self.plan, step)
    }

    fn resolver(&self) -> ResolverKind {
        self.plan.intent().resolver()
    }

    fn device(&self) -> LinkName {
        self.plan.intent().tun()
    }

    /// Fails where DNS shall be set and there is no resolver for it: before anything changes.
    pub fn require_resolver(&self) -> Result<(), Error> {
        let operations = self.steps().iter().map(|step| self.operation(step));
        let mut told = operations.filter_map(|operation| Some((operation, operation.resolver()?)));
        match told.find(|(_, by)| self.executor.dns(*by).is_none()) {
            Some((operation, by)) => Err(Error::NoResolver {
                command: operation.to_string(),
                by,
            }),
            None => Ok(()),
        }
    }

    /// Does it all, or nothing: after a failure it undoes what it has done.
    pub async fn apply(&self) -> Result<(), Error> {
        self.apply_with(&|_| None).await
    }

    /// The same, with a way to make the kernel refuse a step, by its place.
    pub(crate) async fn apply_with(&self, fault: Fault<'_>) -> Result<(), Error> {
        let mut done: Vec<usize> = Vec::new();
        let mut begin = 0;
        while let Some(batch) = self.batch(begin) {
            let Err(failure) = self.carry_out(&batch, fault).await else {
                begin = batch.end;
                done.extend(batch);
                continue;
            };
            done.extend(failure.done);
            // Asked of every change before it is even read, so here nothing has changed.
            let first = failure.failed == 0 && done.is_empty();
            if first && matches!(failure.cause, Error::MissingCapability { .. }) {
                return Err(failure.cause);
            }
            let cause = Box::new(failure.cause);
            let differences = self.roll_back(done, failure.failed).await;
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
        let mut begin = 0;
        while let Some(batch) = self.batch(begin) {
            begin = batch.end;
            let Err(failure) = self.carry_out(&batch, &|_| None).await else {
                continue;
            };
            // Without --dns it is a precaution: there may be nothing, and no resolved.
            let step = &self.steps()[failure.failed];
            let dns = self.plan.intent().dns();
            let named = dns.is_some_and(|dns| !dns.is_empty());
            if matches!(step.change, Change::Dns(_)) && !named {
                continue;
            }
            let hopeless = matches!(failure.cause, Error::MissingCapability { .. });
            errors.push(failure.cause);
            if hopeless {
                break;
            }
        }
        errors
    }

    /// The next steps that can be carried out together: routes, of which the kernel takes many in
    /// one send; anything else is alone.
    fn batch(&self, begin: usize) -> Option<std::ops::Range<usize>> {
        let rest = self.steps().get(begin..).filter(|rest| !rest.is_empty())?;
        let routes = rest
            .iter()
            .take_while(|step| step.change.route_request().is_some());
        Some(begin..begin + routes.count().max(1))
    }

    async fn carry_out(
        &self,
        batch: &std::ops::Range<usize>,
        fault: Fault<'_>,
    ) -> Result<(), Failure> {
        let step = &self.steps()[batch.start];
        if step.change.route_request().is_none() {
            let outcome = match fault(batch.start) {
                None => self.carry_out_one(step).await,
                Some(errno) => Err(refused(self.operation(step), errno)),
            };
            return outcome.map_err(|cause| Failure {
                done: Vec::new(),
                failed: batch.start,
                cause,
            });
        }
        let places: Vec<_> = batch
            .clone()
            .filter(|place| fault(*place).is_none())
            .collect();
        let requests = places
            .iter()
            .filter_map(|&place| self.steps()[place].change.route_request());
        let requests: Vec<_> = requests.collect();
        let answers = self.executor.bulk.change(&requests);
        let answers = answers.map_err(|error| Failure {
            // Who knows which: all may be.
            done: places.clone(),
            failed: batch.start,
            cause: Error::Netlink(error),
        })?;
        let refusals = answers.into_iter().map(|(at, errno)| (places[at], errno));
        let faults = batch
            .clone()
            .filter_map(|place| Some((place, fault(place)?)));
        let mut refusals: Vec<_> = refusals.chain(faults).collect();
        refusals.retain(|(place, errno)| !self.steps()[*place].change.is_done_already(*errno));
        refusals.retain(|&(place, errno)| {
            let passing = self.is_of_a_passing_lan(place, errno);
            if passing {
                self.passed().push(place);
                return false;
            }
            !self.passes_over_bypass(place, errno)
        });
        refusals.sort_by_key(|(place, _)| *place);
        let Some(&(failed, errno)) = refusals.first() else {
            return Ok(());
        };
        let is_refused = |place: &usize| {
            let found = refusals.binary_search_by_key(place, |(place, _)| *place);
            found.is_ok()
        };
        Err(Failure {
            done: places
                .into_iter()
                .filter(|place| !is_refused(place))
                .collect(),
            failed,
            cause: refused(self.operation(&self.steps()[failed]), errno),
        })
    }

    /// Whether a refusal is that of a bypass which may be passed over; if so, it is remembered.
    fn passes_over_bypass(&self, place: usize, errno: Errno) -> bool {
        let Some(mut hindered) = self
            .hindered()
            .filter(|_| self.is_of_a_bypass(place, errno))
        else {
            return false;
        };
        let error = refused(self.operation(&self.steps()[place]), errno);
        hindered.errors.push(error);
        hindered.places.push(place);
        true
    }

    async fn carry_out_one(&self, step: &Step) -> Result<(), Error> {
        if let Change::Dns(change) = &step.change {
            let kind = self.operation(step).resolver();
            let Some(dns) = kind.and_then(|kind| self.executor.dns(kind)) else {
                return Ok(());
            };
            return dns
                .change(self.device(), change)
                .map_err(|cause| Error::Operation {
                    command: self.operation(step).to_string(),
                    cause: Box::new(cause),
                });
        }
        match self.executor.send(&step.change).await {
            Ok(()) => Ok(()),
            Err(error) => match error.errno() {
                Some(errno) if step.change.is_done_already(errno) => Ok(()),
                Some(errno) => Err(refused(self.operation(step), errno)),
                // Its own text repeats the operation, with the device as a number.
                None => Err(Error::Operation {
                    command: self.operation(step).to_string(),
                    cause: error.cause.into(),
                }),
            },
        }
    }

    /// Undoes what is done, last first, and says in what the state then differs from before.
    async fn roll_back(&self, done: Vec<usize>, failed: usize) -> Vec<String> {
        let mut problems = Vec::new();
        // A step that failed may have half happened, as a resolver's can.
        let touched = done
            .iter()
            .chain([&failed])
            .map(|&place| &self.steps()[place].change);
        if touched
            .into_iter()
            .any(|change| matches!(change, Change::Dns(_)))
            && let Err(error) = self.restore_dns()
        {
            problems.push(error.chain());
        }
        let undo = |place: usize| self.steps()[place].change.opposite();
        let undo: Vec<_> = done.into_iter().rev().filter_map(undo).collect();
        // For a route by a gateway the kernel looks by the rules, too, and finds none while a guard
        // refuses all (`fib_check_nh_v4_gw` in net/ipv4/fib_semantics.c).
        let late = self.undo(&undo).await;
        self.undo(&late).await;
        match self.restore().await {
            Ok(differences) => problems.extend(differences),
            Err(error) => problems.push(error.chain()),
        }
        problems
    }

    /// Sends changes, those of routes many at once. What fails shows in the comparison; those of routes
    /// by a gateway are given back.
    async fn undo(&self, changes: &[Change]) -> Vec<Change> {
        let mut late = Vec::new();
        let mut rest = changes;
        while !rest.is_empty() {
            let routes: Vec<_> = rest.iter().map_while(Change::route_request).collect();
            match routes.len() {
                0 => {
                    let _ = self.executor.send(&rest[0]).await;
                    rest = &rest[1..];
                }
                count => {
                    let refused = self.executor.bulk.change(&routes).unwrap_or_default();
                    let refused = refused.into_iter().map(|(place, _)| &rest[place]);
                    late.extend(refused.filter(|change| by_gateway(change)).cloned());
                    rest = &rest[count..];
                }
            }
        }
        late
    }

    fn restore_dns(&self) -> Result<(), Error> {
        let dns = self.executor.dns(self.resolver());
        let (Some(dns), Some(before)) = (dns, &self.before.dns) else {
            return Ok(());
        };
        let device = self.device();
        // Who may not change it need not set it back.
        if dns.settings(device).is_ok_and(|now| now == *before) {
            return Ok(());
        }
        let Dns {
            servers,
            domains,
            default_route,
        } = before.clone();
        let changes = if before.is_empty() {
            vec![DnsChange::Revert]
        } else {
            // A device without domains was asked for everything; that it was told otherwise since is no
            // part of them.
            let wanted = self.plan.intent().dns();
            let was_told = wanted.is_some_and(|dns| dns.default_route.is_some());
            let default_route = default_route.or((was_told && domains.is_empty()).then_some(true));
            let default_route = default_route.map(DnsChange::DefaultRoute);
            let others = [DnsChange::Domains(domains), DnsChange::Servers(servers)];
            others.into_iter().chain(default_route).collect()
        };
        // All of them, also behind one that is refused.
        let outcomes: Vec<_> = changes
            .iter()
            .map(|change| dns.change(device, change))
            .collect();
        outcomes
            .into_iter()
            .find(Result::is_err)
            .unwrap_or(Ok(()))
            .map_err(|cause| Error::RestoreDns { device, cause })
    }

    /// Sets again what the kernel dropped by itself, and compares.
    async fn restore(&self) -> Result<Vec<String>, Error> {
        let Some(tun) = self.before.link(self.device()).map(|link| link.index) else {
            return Ok(Vec::new());
        };
        let now = self.now().await?;
        self.undo(&self.before.lost(&now, tun)).await;
        let now = self.now().await?;
        Ok(self.before.differences(&now, tun))
    }

    async fn now(&self) -> Result<KernelState, Error> {
        let mut now = self.executor.state(&self.tables).await?;
        if self.before.dns.is_some() {
            now.dns = self.executor.read_dns(self.resolver(), self.device())?;
        }
        Ok(now)
    }

    /// The device's index.
    pub fn tun(&self) -> Option<IfIndex> {
        self.before.link(self.device()).map(|link| link.index)
    }
}

/// Names the operation that was refused.
fn by_gateway(change: &Change) -> bool {
    change
        .new_route()
        .is_some_and(|route| route.gateway.is_some())
}

fn refused(operation: &Operation, errno: Errno) -> Error {
    let command = operation.to_string();
    match (errno, v6_device(operation)) {
        (Errno::EPERM, _) => Error::MissingCapability { command },
        // `addrconf_add_dev` and `fib6_nh_init` (net/ipv6/) answer so where disable_ipv6 is set.
        (Errno::EACCES, Some(device)) => Error::Ipv6Disabled { command, device },
        (errno, _) => Error::Refused { command, errno },
    }
}

/// The device of an operation of IPv6.
fn v6_device(operation: &Operation) -> Option<LinkName> {
    let (net, device) = match operation {
        Operation::ReplaceAddress { address, device } => (address.net(), *device),
        Operation::ReplaceRoute(route) => (route.to.net(), route.device?),
        _ => return None,
    };
    net.addr().is_ipv6().then_some(device)
}
