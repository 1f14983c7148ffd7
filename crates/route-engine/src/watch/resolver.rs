//! The resolver's settings of a device, kept true beside all else: whoever asks it may wait for long.

use std::sync::Arc;
use std::thread;

use fps_netlink::LinkName;
use tokio::sync::oneshot;

use super::optional;
use super::witness::Witness;
use crate::{Dns, DnsBackend, DnsChange, DnsError, Intent, Operation, ResolverKind, Trace};

/// What a look at the resolver came to.
pub(super) struct Looked {
    /// The commands that were needed.
    pub(super) commands: Vec<String>,
    /// Whether what it had looked up before was forgotten.
    pub(super) flushed: bool,
}

/// A resolver, what is wanted of it, and whoever looks whether it has that.
pub(super) struct Resolver {
    backend: Arc<dyn DnsBackend>,
    device: LinkName,
    by: ResolverKind,
    wanted: Dns,
    witness: Option<Witness>,
    look: Option<oneshot::Receiver<Result<Looked, DnsError>>>,
    /// Something has changed since that look began.
    again: bool,
    /// The next look is to have it forget what it has looked up.
    flush: bool,
    /// The look under way is.
    flushing: bool,
}

/// What happens with a resolver.
pub(super) enum Happened {
    /// Its settings have changed.
    Changed,
    /// They cannot be followed any more.
    Unwatched(String),
    /// They were looked at.
    Looked(Result<Looked, DnsError>),
}

impl Resolver {
    /// Follows the settings; says why where that cannot be done.
    pub(super) fn follow(
        backend: Arc<dyn DnsBackend>,
        intent: &Intent,
        wanted: Dns,
    ) -> (Self, Option<String>) {
        let (witness, problem) = match backend.trace().map(|trace| Witness::of(&trace)) {
            None => (None, None),
            Some(Ok(witness)) => (Some(witness), None),
            Some(Err(problem)) => (None, Some(problem.to_string())),
        };
        let resolver = Self {
            backend,
            device: intent.tun(),
            by: intent.resolver(),
            wanted,
            witness,
            look: None,
            again: false,
            flush: false,
            flushing: false,
        };
        (resolver, problem)
    }

    /// Whether something looked up before has still to be forgotten.
    pub(super) fn has_to_flush(&self) -> bool {
        self.flush || self.look.is_some() && self.flushing
    }

    /// Has another thread look, and set what is missing; and have the resolver forget what it has looked
    /// up, where another network may have answered that.
    pub(super) fn look(&mut self, flush: bool) {
        self.flush |= flush;
        if self.look.is_some() {
            self.again = true;
            return;
        }
        let (backend, device, by) = (Arc::clone(&self.backend), self.device, self.by);
        let wanted = self.wanted.clone();
        let flush = std::mem::take(&mut self.flush);
        self.flushing = flush;
        let (tell, told) = oneshot::channel();
        thread::spawn(move || {
            let look = || {
                let commands = restore(&*backend, (device, by), &wanted)?;
                if flush {
                    backend.flush()?;
                }
                Ok(Looked {
                    commands,
                    flushed: flush,
                })
            };
            // Nobody listens any more where the watch is over.
            let _ = tell.send(look());
        });
        self.look = Some(told);
    }

    /// Follows whoever has been started in the place of one that has ended.
    fn follow_anew(&mut self) -> Result<(), DnsError> {
        let has_ended = self.witness.as_ref().is_none_or(Witness::has_ended);
        // One that there was none of to follow when it was to be followed first, too.
        if let Some(trace @ Trace::Socket(_)) = self.backend.trace()
            && has_ended
        {
            let witness = Witness::of(&trace).map_err(|error| DnsError(error.to_string()))?;
            self.witness = Some(witness);
        }
        Ok(())
    }

    /// Waits for the next thing to happen.
    pub(super) async fn happened(&mut self) -> Happened {
        tokio::select! {
            looked = optional(self.look.as_mut()) => {
                self.look = None;
                let looked = match self.follow_anew() {
                    Ok(()) => looked,
                    Err(error) => Ok(Err(error)),
                };
                let failed = !matches!(looked, Ok(Ok(_)));
                // What could not be done is done with the next look.
                self.flush |= failed && self.flushing;
                if std::mem::take(&mut self.again) {
                    self.look(false);
                }
                let lost = || DnsError("whoever looked at the resolver is gone".to_owned());
                Happened::Looked(looked.unwrap_or_else(|_| Err(lost())))
            }
            changed = optional(self.witness.as_mut().map(Witness::changed)) => match changed {
                Ok(()) => Happened::Changed,
                Err(error) => {
                    self.witness = None;
                    Happened::Unwatched(error.to_string())
                }
            }
        }
    }
}

/// Makes the settings be what is wanted: domains before servers, since a server without a domain
/// would be asked for everything.
fn restore(
    backend: &dyn DnsBackend,
    (device, by): (LinkName, ResolverKind),
    wanted: &Dns,
) -> Result<Vec<String>, DnsError> {
    let there = backend.settings(device)?;
    let Dns {
        servers,
        domains,
        default_route,
    } = wanted.clone();
    let mut commands = Vec::new();
    if !domains.is_empty() && there.domains != domains {
        backend.change(device, &DnsChange::Domains(domains.clone()))?;
        commands.push(
            Operation::SetDomains {
                domains,
                device,
                by,
            }
            .to_string(),
        );
    }
    if let Some(on) = default_route
        && there.default_route != default_route
    {
        backend.change(device, &DnsChange::DefaultRoute(on))?;
        commands.push(Operation::SetDefaultRoute { on, device, by }.to_string());
    }
    if !servers.is_empty() && there.servers != servers {
        backend.change(device, &DnsChange::Servers(servers.clone()))?;
        commands.push(
            Operation::SetServers {
                servers,
                device,
                by,
            }
            .to_string(),
        );
    }
    Ok(commands)
}
