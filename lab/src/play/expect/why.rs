//! Why it came to that: what explains a failed expectation, from what the play knows.

use std::net::IpAddr;

use fps_netlink::{Family, Flow, IfIndex, LinkName};

use super::CheckError;
use crate::explain::{Case, Claims, Explanation, Tables, TooBig, Tunnel, Walk, likely};
use crate::play::stage::Stage;
use crate::scenario::{HostName, Vpn};

/// A packet that went astray, and the host where it did.
#[derive(Clone, Debug)]
pub(super) struct Suspect {
    /// The host.
    pub(super) host: HostName,
    /// The packet as it leaves that host, or should.
    pub(super) flow: Flow,
    /// The link by which it should have left.
    pub(super) wanted: Option<LinkName>,
    /// A packet that came in there and got no further.
    pub(super) stranded: Option<Stranded>,
    /// Whether its sender has heard that a packet was too big.
    pub(super) told_too_big: bool,
    /// Which links of systemd-resolved claim all names.
    pub(super) claims: Option<Claims>,
}

/// A packet that came in at a host and got no further.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stranded {
    /// Whose it was.
    pub(super) from: IpAddr,
    /// By which link it came.
    pub(super) link: IfIndex,
    /// How many bytes it had.
    pub(super) length: usize,
}

impl Suspect {
    pub(super) fn new(host: &HostName, flow: Flow) -> Self {
        Self {
            host: host.clone(),
            flow,
            wanted: None,
            stranded: None,
            told_too_big: false,
            claims: None,
        }
    }

    pub(super) fn told(mut self, too_big: bool) -> Self {
        self.told_too_big = too_big;
        self
    }

    /// Which link `from` is to send it by; says nothing of other hosts.
    pub(super) fn wanted(mut self, from: &HostName, link: Option<&LinkName>) -> Self {
        let is_sender = self.host == *from && self.stranded.is_none();
        self.wanted = link.copied().filter(|_| is_sender);
        self
    }
}

/// Explains what became of a packet.
pub(super) async fn explain(
    stage: &Stage<'_>,
    suspect: &Suspect,
) -> Result<Explanation, CheckError> {
    let unreadable = |error| CheckError::Network(suspect.host.clone(), error);
    let netlink = stage.lab.host(&suspect.host).station().netlink();
    let family = Family::of(suspect.flow.to);
    let tables = Tables::read(netlink, family).await.map_err(unreadable)?;
    let walk = Walk::take(suspect.host.as_str(), netlink, &tables, &suspect.flow);
    let walk = walk.await.map_err(unreadable)?;
    let case = Case {
        tables: &tables,
        flow: suspect.flow,
        wanted: suspect.wanted,
        tunnel: tunnel(stage, &suspect.host),
        stranded: suspect.stranded.map(|it| (it.from, it.link)),
        filter: None,
        too_big: too_big(suspect, &tables),
        claims: suspect.claims.clone(),
    };
    Ok(Explanation {
        walks: vec![walk],
        causes: likely(&case),
        ..Explanation::default()
    })
}

/// What a packet that came in would have to leave by, if it is too large for that.
fn too_big(suspect: &Suspect, tables: &Tables) -> Option<TooBig> {
    let length = suspect.stranded?.length;
    let index = tables.fib().lookup(&suspect.flow).link()?;
    let link = tables.link(index)?;
    let fits = u32::try_from(length).is_ok_and(|length| length <= link.mtu);
    (!fits && index != IfIndex::LOOPBACK).then(|| TooBig {
        length,
        place: format!("{}:{}", suspect.host, link.name),
        mtu: link.mtu,
        told: suspect.told_too_big,
    })
}

/// The tunnel as a host sees it.
fn tunnel(stage: &Stage<'_>, host: &HostName) -> Option<Tunnel> {
    let tunnel = stage.scenario.tunnel.as_ref()?;
    let ends = [
        (&tunnel.client, tunnel.client_tun),
        (&tunnel.server, tunnel.server_tun),
    ];
    let here = ends.iter().filter(|(end, _)| *end == host);
    let tuns = here.map(|(_, tun)| *tun).collect();
    Some(match &tunnel.vpn {
        Vpn::Fps(fps) => Tunnel {
            tuns,
            endpoint: (tunnel.client == *host).then_some(tunnel.endpoint),
            mark: fps.fwmark,
        },
        // How it marks its sockets is in its own configuration: which way its carrier goes can be
        // seen, and not be said beforehand.
        Vpn::Foreign(_) => Tunnel {
            tuns,
            endpoint: None,
            mark: None,
        },
    })
}
