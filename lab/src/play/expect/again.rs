//! A question that is asked once more, to hear what the kernel of a host does with it.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

use fps_drops::{Dropped, Drops, Kernel};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::CheckError;
use super::trace::{self, Listener, Tracing};
use crate::explain::{Firewall, KernelDrop};
use crate::play::stage::Stage;
use crate::probe::{Mark, Question};
use crate::sandbox::SocketKind;
use crate::scenario::{HostName, Probe, ProbeProtocol};

/// How long a question is waited for that is asked again; bad links take longer.
const PATIENCE: Duration = Duration::from_millis(300);
/// How long an answer is waited for behind a drop: what was dropped may have been a copy of what comes.
const BEHIND_A_DROP: Duration = Duration::from_millis(50);
/// How often it is looked whether the kernel has dropped something.
const LOOK: Duration = Duration::from_millis(10);

/// What was heard.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// What the firewall of the host does with it; none where no chain saw it, or nobody looked.
    pub(super) firewall: Option<Firewall>,
    /// What the kernel of the host dropped of it.
    pub(super) drops: Vec<KernelDrop>,
    /// What kept something of that from being heard.
    pub(super) trouble: Option<CheckError>,
}

/// Asks again, while the kernel of `host` tells what it drops and, where the host has chains of nftables,
/// what becomes of each packet there.
pub(super) async fn ask(
    stage: &Stage<'_>,
    host: &HostName,
    probe: &Probe<IpAddr>,
    has_chains: bool,
) -> Result<Heard, CheckError> {
    let (dropping, mut trouble) = match Dropping::begin(stage, host, probe) {
        Ok(dropping) => (dropping, None),
        // The firewall is heard all the same.
        Err(error) => (None, Some(error)),
    };
    if dropping.is_none() && !has_chains {
        return Ok(Heard {
            trouble,
            ..Heard::default()
        });
    }
    let tracing = match has_chains {
        true => Some(Tracing::begin(stage, host, probe)?),
        false => None,
    };
    let listened = listen(stage, probe, tracing.as_ref(), dropping.as_ref()).await;
    if let Some(tracing) = &tracing {
        tracing.end(stage, host)?;
    }
    let (events, drops) = listened?;
    let firewall = trace::firewall(stage, host, events).await;
    let firewall = firewall.unwrap_or_else(|error| {
        trouble = Some(error);
        None
    });
    // What fell to a rule is told with the rule.
    let is_told = |it: &KernelDrop| {
        matches!(firewall, Some(Firewall::Falls(_))) && it.reason.starts_with("NETFILTER")
    };
    let drops = drops.into_iter().filter(|it| !is_told(it)).collect();
    Ok(Heard {
        firewall,
        drops,
        trouble,
    })
}

async fn listen(
    stage: &Stage<'_>,
    probe: &Probe<IpAddr>,
    tracing: Option<&Tracing>,
    dropping: Option<&Dropping>,
) -> Result<(trace::Heard, Vec<KernelDrop>), CheckError> {
    let trust = stage.lab.trust(&probe.protocol)?;
    let host = stage.lab.host(&probe.from).id();
    let question = Question::new(stage.lab.sandbox(), host, probe, trust.as_ref())?;
    let mark = question.mark();
    stage.asked(mark);
    let mut listener = Listener::new(mark);
    let mut drops = Vec::new();
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let asked = question.ask(PATIENCE + stage.lab.longest_wait());
    tokio::pin!(asked);
    let mut end = None;
    let is_answered = loop {
        tokio::select! {
            biased;
            attempt = &mut asked => break attempt?.answer.is_echo(),
            fallen = trace::fallen(tracing, &mut listener) => {
                fallen?;
                break false;
            }
            _ = looks.tick(), if dropping.is_some() => {
                if let Some(dropping) = dropping {
                    dropping.take(mark, &mut drops)?;
                }
                if !drops.is_empty() {
                    let end = *end.get_or_insert_with(|| Instant::now() + BEHIND_A_DROP);
                    if Instant::now() >= end {
                        break false;
                    }
                }
            }
        }
    };
    // What the kernels have told by now stands in the socket and the queue.
    if let Some(tracing) = tracing {
        tracing.take_all(&mut listener)?;
    }
    if let Some(dropping) = dropping {
        dropping.take(mark, &mut drops)?;
    }
    // Of a question that is answered by now, only what was too much is dropped.
    if is_answered {
        drops.clear();
    }
    Ok((listener.heard, drops))
}

/// The kernel of a host telling what it drops.
struct Dropping {
    host: HostName,
    /// Whether this host is who asks, by ping.
    pings: bool,
    drops: Drops<'static>,
}

impl Dropping {
    /// None where this kernel or this user cannot have it.
    fn begin(
        stage: &Stage<'_>,
        host: &HostName,
        probe: &Probe<IpAddr>,
    ) -> Result<Option<Self>, CheckError> {
        static KERNEL: OnceLock<Result<Kernel, fps_drops::Error>> = OnceLock::new();
        let kernel = match KERNEL.get_or_init(Kernel::read) {
            Ok(kernel) => kernel,
            Err(error) if error.is_lack() => return Ok(None),
            Err(error) => return Err(CheckError::Kernel(error)),
        };
        let (sandbox, id) = (stage.lab.sandbox(), stage.lab.host(host).id());
        let socket = sandbox.socket(id, SocketKind::Netfilter)?;
        match Drops::hear(kernel, socket) {
            Ok(drops) => Ok(Some(Self {
                host: host.clone(),
                pings: probe.from == *host && matches!(probe.protocol, ProbeProtocol::Icmp),
                drops,
            })),
            Err(error) if error.is_lack() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes what there is of a question by now, and no more than the queue holds: a host that drops faster
    /// than that is read goes on without.
    fn take(&self, mark: Mark, told: &mut Vec<KernelDrop>) -> Result<(), CheckError> {
        for _ in 0..Drops::WAITING {
            let Some(dropped) = self.drops.next()? else {
                break;
            };
            if let Some(drop) = self.of(mark, dropped)
                && !told.contains(&drop)
            {
                told.push(drop);
            }
        }
        Ok(())
    }

    fn of(&self, mark: Mark, dropped: Dropped) -> Option<KernelDrop> {
        let Dropped {
            reason,
            link,
            headers,
        } = dropped;
        let what = trace::what(&mark, &headers).filter(|_| KernelDrop::tells(&reason))?;
        // The lab pings by a raw socket, which has a copy of the answer. What is left of it is for sockets of
        // another kind (`ping_rcv` in net/ipv4/ping.c), of which there is none.
        if self.pings && (what, reason.as_str()) == ("answer", "NO_SOCKET") {
            return None;
        }
        Some(KernelDrop {
            host: self.host.to_string(),
            what,
            link,
            reason,
        })
    }
}
