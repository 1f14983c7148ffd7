//! Which rule of nftables a question falls to, as the kernel traces it.

use std::collections::HashMap;
use std::future::pending;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use fps_netlink::Family;
use fps_netns::{
    FIREWALL_TABLE, FirewallContent, FirewallPorts, TRACE_TABLES, TraceEvent, TraceRules, TracedBy,
    Traces,
};
use fps_packet::{Icmp, Packet, Transport};
use nix::libc;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::CheckError;
use crate::ask::{AskError, output};
use crate::explain::{Fallen, FallenBy, Firewall};
use crate::play::stage::Stage;
use crate::probe::Mark;
use crate::sandbox::{SandboxError, SocketKind};
use crate::scenario::{HostName, Probe, ProbeProtocol};
use crate::snapshot::{ChainName, NftRule, rule_of};

/// The kernel of a host tracing both ways of a question, until [`end`](Self::end).
pub(super) struct Tracing {
    rules: TraceRules,
    traces: AsyncFd<Traces>,
}

/// Which packet it was, and the event that it fell to, if it did; none where no chain saw either.
pub(super) type Heard = Option<(&'static str, Option<TraceEvent>)>;

impl Tracing {
    pub(super) fn begin(
        stage: &Stage<'_>,
        host: &HostName,
        probe: &Probe<IpAddr>,
    ) -> Result<Self, CheckError> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let (sandbox, id) = (stage.lab.sandbox(), stage.lab.host(host).id());
        let rules = TraceRules::new(
            NUMBER.fetch_add(1, Ordering::Relaxed),
            Family::of(probe.address),
            contents(&probe.protocol),
        );
        let traces = Traces::hear(sandbox.socket(id, SocketKind::Netfilter)?)?;
        // SAFETY: the socket is open and keeps its number for as long as it lives, and the `AsyncFd` owns it.
        let traces = unsafe { AsyncFd::register_with_interest(traces, Interest::READABLE) }
            .map_err(|error| CheckError::Trace(error.into()))?;
        rules.begin(sandbox.socket(id, SocketKind::Netfilter)?)?;
        Ok(Self { rules, traces })
    }

    pub(super) fn end(&self, stage: &Stage<'_>, host: &HostName) -> Result<(), CheckError> {
        let (sandbox, id) = (stage.lab.sandbox(), stage.lab.host(host).id());
        Ok(self.rules.end(sandbox.socket(id, SocketKind::Netfilter)?)?)
    }

    /// Takes what stands in the socket; tells whether one of the question's packets has fallen to something.
    pub(super) fn take_all(&self, listener: &mut Listener) -> Result<bool, CheckError> {
        loop {
            match self.traces.get_ref().next() {
                Ok(events) => {
                    for event in events {
                        listener.take(event);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(CheckError::Trace(error)),
            }
        }
        Ok(listener.has_fallen())
    }
}

/// Ends when a packet of the question has fallen to something; never where nothing is traced.
pub(super) async fn fallen(
    tracing: Option<&Tracing>,
    listener: &mut Listener,
) -> Result<(), CheckError> {
    let Some(tracing) = tracing else {
        return pending().await;
    };
    loop {
        let mut ready = tracing.traces.readable().await.map_err(CheckError::Trace)?;
        if tracing.take_all(listener)? {
            return Ok(());
        }
        ready.clear_ready();
    }
}

/// What the firewall of a host does with a question, or with its answer; none where no chain has seen either.
pub(super) async fn firewall(
    stage: &Stage<'_>,
    host: &HostName,
    heard: Heard,
) -> Result<Option<Firewall>, CheckError> {
    let Some((what, dropped)) = heard else {
        return Ok(None);
    };
    let Some(event) = dropped else {
        return Ok(Some(Firewall::Passed));
    };
    let chain = ChainName::new(event.family, event.table, event.chain);
    let by = match event.by {
        TracedBy::Rule(handle) => {
            let rule = rule(stage, host, &chain, handle).await?;
            rule.map_or(FallenBy::LostRule, FallenBy::Rule)
        }
        TracedBy::Policy => FallenBy::Policy,
        // The kernel traces no drop behind the last rule of a chain but that of its policy.
        TracedBy::Nothing => FallenBy::LostRule,
    };
    Ok(Some(Firewall::Falls(Fallen { what, chain, by })))
}

/// A rule with its text: the lab's own rules have it as their comment, and of others nft(8) tells it.
async fn rule(
    stage: &Stage<'_>,
    host: &HostName,
    chain: &ChainName,
    handle: u64,
) -> Result<Option<NftRule>, CheckError> {
    let (sandbox, id) = (stage.lab.sandbox(), stage.lab.host(host).id());
    let Some(rule) = rule_of(sandbox, id, chain, handle)? else {
        return Ok(None);
    };
    if chain.table == FIREWALL_TABLE {
        return Ok(Some(rule));
    }
    // Without what counts, which is another each time.
    let ChainName {
        family,
        table,
        name,
    } = chain;
    let command = ["nft", "-a", "-s", "list", "chain", family, table, name];
    let text = match output(sandbox, id, &command).await {
        Ok((exit, text)) if exit.0.success() => line_of(&text, handle),
        // There is no nft(8), or it is older than something in the table.
        Ok(_) | Err(AskError::Sandbox(SandboxError::Refused { .. })) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Some(NftRule {
        text: text.or(rule.text.map(|comment| format!("comment \"{comment}\""))),
        ..rule
    }))
}

/// The line of a rule in what `nft -a list` prints.
fn line_of(listed: &str, handle: u64) -> Option<String> {
    let end = format!(" # handle {handle}");
    let mut lines = listed.lines().filter_map(|line| line.strip_suffix(&end));
    let rule = lines.find(|line| !line.ends_with('{'))?;
    Some(rule.trim().to_owned())
}

/// Both ways of a question. The ports are those that it is sent to: what a router translates there is not
/// heard of.
fn contents(protocol: &ProbeProtocol) -> Vec<FirewallContent> {
    let ports = |port: u16| {
        let (from, to) = (Some(port), Some(port));
        [
            FirewallPorts { from: None, to },
            FirewallPorts { from, to: None },
        ]
    };
    match protocol {
        ProbeProtocol::Icmp => vec![FirewallContent::Icmp(None)],
        ProbeProtocol::Udp(port) => ports(*port).map(FirewallContent::Udp).to_vec(),
        ProbeProtocol::Tcp(port) => ports(*port).map(FirewallContent::Tcp).to_vec(),
        ProbeProtocol::Web(get) => ports(get.port).map(FirewallContent::Tcp).to_vec(),
    }
}

/// Picks the packets of one question.
pub(super) struct Listener {
    mark: Mark,
    /// Those that were seen, by the kernel's number, which a packet keeps on its way through a host, whatever
    /// NAT makes of its addresses (`trace_fill_id` in net/netfilter/nf_tables_trace.c).
    packets: HashMap<u32, &'static str>,
    pub(super) heard: Heard,
}

impl Listener {
    pub(super) fn new(mark: Mark) -> Self {
        Self {
            mark,
            packets: HashMap::new(),
            heard: None,
        }
    }

    fn has_fallen(&self) -> bool {
        matches!(self.heard, Some((_, Some(_))))
    }

    fn take(&mut self, event: TraceEvent) {
        if self.has_fallen() {
            return;
        }
        let headers = event.headers.as_deref();
        if let Some(what) = headers.and_then(|it| what(&self.mark, it)) {
            // What it was before NAT gave it another target.
            self.packets.entry(event.id).or_insert(what);
        }
        let Some(what) = self.packets.get(&event.id) else {
            return;
        };
        if !event.table.starts_with(TRACE_TABLES) {
            self.heard = Some((what, event.drops.then_some(event)));
        }
    }
}

/// What a packet is of a question, by its headers and a few bytes behind them; none where it is nothing of it.
pub(super) fn what(mark: &Mark, headers: &[u8]) -> Option<&'static str> {
    let protocol = match headers.first()? >> 4 {
        4 => libc::ETH_P_IP,
        6 => libc::ETH_P_IPV6,
        _ => return None,
    };
    let packet = Packet::parse(u16::try_from(protocol).ok()?, headers)?;
    let ours = mark.is_begun_by(&packet);
    ours.then_some(match packet.transport {
        Transport::Icmp(Icmp::EchoRequest { .. }) => "question",
        Transport::Icmp(Icmp::EchoReply { .. }) => "answer",
        _ if mark.asks_for(packet.destination) => "question",
        _ if mark.asks_for(packet.source) => "answer",
        // NAT has given it other ends.
        _ => "packet",
    })
}
