//! Why it came to that: what explains a failed expectation, from what the play knows.

use std::io::Read;
use std::net::IpAddr;

use fps_netlink::{Family, Flow, IfIndex, LinkName, Verdict};

use indexmap::{IndexMap, IndexSet};
use nix::errno::Errno;

use super::{CheckError, again, neighbour, swallowed};
use crate::explain::{
    Case, Claims, Counted, Explanation, Fallen, Fate, Filter, Firewall, KernelDrop, Tables, TooBig,
    Tunnel, Walk, likely, telling,
};
use crate::play::stage::Stage;
use crate::probe::{Answer, ProbeError};
use crate::scenario::{HostName, Probe};
use crate::snapshot::{FilterChain, filter_chains};
use crate::user;

/// How many causes are told.
const CAUSES: usize = 3;

/// A packet that went astray, and the host where it did.
#[derive(Clone, Debug)]
pub(super) struct Suspect {
    /// The host.
    pub(super) host: HostName,
    /// The packet as it leaves that host, or should.
    pub(super) flow: Flow,
    /// The link by which it should have left.
    pub(super) wanted: Option<LinkName>,
    /// The link by which it was seen to leave.
    pub(super) left_by: Option<LinkName>,
    /// A packet that came in there and got no further.
    pub(super) stranded: Option<Stranded>,
    /// Whether its sender has heard that a packet was too big.
    pub(super) told_too_big: bool,
    /// Which links of systemd-resolved claim all names.
    pub(super) claims: Option<Claims>,
    /// What else is known, and is likely the cause where no pattern is.
    pub(super) hint: Option<String>,
    /// What became of it, where that is known.
    pub(super) fate: Option<Fate>,
    /// The question that it belongs to, where that can be asked again.
    pub(super) probe: Option<Probe<IpAddr>>,
    /// Whether it is a packet of the carrier, and the question only one to the same port.
    pub(super) is_carriers: bool,
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
            flow: user::flow_seen_here(flow),
            wanted: None,
            left_by: None,
            stranded: None,
            told_too_big: false,
            claims: None,
            hint: None,
            fate: None,
            probe: None,
            is_carriers: false,
        }
    }

    /// What it was part of.
    pub(super) fn of(mut self, probe: &Probe<IpAddr>) -> Self {
        self.probe = Some(probe.clone());
        self
    }

    /// What the asker's socket was told: a packet of a question that ended otherwise than in silence or a
    /// refusal may have met another fate than the captures show.
    pub(super) fn answered(mut self, answer: &Answer) -> Self {
        let of_errno = |errno: &Errno| {
            use Errno::{EACCES, ECONNREFUSED, EHOSTUNREACH, EPERM};
            matches!(errno, &(EPERM | EACCES | EHOSTUNREACH | ECONNREFUSED))
        };
        let fits = match answer {
            Answer::NoWay(errno) => of_errno(errno),
            other => matches!(other, Answer::Silence | Answer::Stuck(_) | Answer::Refused),
        };
        self.fate = self.fate.filter(|fate| fits || *fate == Fate::Lost);
        self
    }

    /// What is over: the host may go by something else by now.
    pub(super) fn past(mut self) -> Self {
        self.fate = self.fate.filter(|fate| *fate == Fate::Lost);
        self
    }

    pub(super) fn told(mut self, too_big: bool) -> Self {
        self.told_too_big = too_big;
        self
    }

    /// Whether the packet went into the tunnel here and was lost there.
    fn is_swallowed_by(&self, stage: &Stage<'_>, link: &LinkName) -> bool {
        let tunnel = tunnel(stage, &self.host);
        self.fate == Some(Fate::Lost) && tunnel.is_some_and(|it| it.tuns.contains(link))
    }

    /// Which link `from` is to send it by; says nothing of other hosts.
    pub(super) fn wanted(mut self, from: &HostName, link: Option<&LinkName>) -> Self {
        let is_sender = self.host == *from && self.stranded.is_none();
        self.wanted = link.copied().filter(|_| is_sender);
        self
    }
}

/// The TUN device that a host has of the tunnel, if it is its client.
pub(super) fn client_tun(stage: &Stage<'_>, host: &HostName) -> Option<LinkName> {
    let tunnel = stage.scenario.tunnel.as_ref();
    let tunnel = tunnel.filter(|tunnel| tunnel.client == *host)?;
    Some(tunnel.client_tun)
}

/// Explains what became of a packet. That it cannot be explained does not change what came of it.
pub(super) async fn explain(stage: &Stage<'_>, suspect: &Suspect) -> Explanation {
    let explained = look_into(stage, suspect).await;
    explained.unwrap_or_else(|error| Explanation {
        trouble: Some(crate::chain(&error)),
        ..Explanation::default()
    })
}

async fn look_into(stage: &Stage<'_>, suspect: &Suspect) -> Result<Explanation, CheckError> {
    let decided = decide(stage, suspect).await?;
    let leaves_by = decided.leaves_by;
    let mut told = Told::default();
    told.add(&suspect.host, decided);
    if let Some(tun) = leaves_by.filter(|link| suspect.is_swallowed_by(stage, link)) {
        swallowed::tell(stage, &suspect.host, tun, &mut told).await?;
    }
    if told.causes.is_empty() {
        told.causes.extend(suspect.hint.clone());
    }
    told.causes.truncate(CAUSES);
    let counted = told.hosts.into_iter().map(|host| {
        let changes = telling(&stage.meters(&host).changes()?);
        let host = host.to_string();
        Ok::<_, CheckError>(Counted { host, changes })
    });
    Ok(Explanation {
        walks: told.walks,
        causes: told.causes,
        drops: told.drops,
        counted: counted.collect::<Result<_, _>>()?,
        trouble: told.trouble,
    })
}

/// What is told of the hosts that have a part in it.
#[derive(Default)]
pub(super) struct Told {
    /// The hosts, each once.
    pub(super) hosts: IndexSet<HostName>,
    walks: Vec<Walk>,
    /// What is likely the cause, the likeliest first.
    pub(super) causes: Vec<String>,
    drops: Vec<KernelDrop>,
    trouble: Option<String>,
}

impl Told {
    /// How one more host decides, and what is likely the cause there.
    pub(super) fn add(&mut self, host: &HostName, decided: Decided) {
        self.hosts.insert(host.clone());
        if !self.walks.contains(&decided.walk) {
            self.walks.push(decided.walk);
        }
        let more = decided.causes.into_iter();
        let more = more.filter(|cause| !self.causes.contains(cause));
        self.causes.extend(Vec::from_iter(more));
        self.drops.extend(decided.drops);
        let troubles = self.trouble.take().into_iter().chain(decided.trouble);
        let troubles = Vec::from_iter(troubles).join("; ");
        self.trouble = Some(troubles).filter(|troubles| !troubles.is_empty());
    }
}

/// How a host decides about a packet.
pub(super) struct Decided {
    walk: Walk,
    /// What is likely the cause.
    causes: Vec<String>,
    /// By which link it leaves.
    leaves_by: Option<LinkName>,
    /// What the host's kernel says that it dropped.
    drops: Vec<KernelDrop>,
    /// What could not be found out.
    trouble: Option<String>,
}

pub(super) async fn decide(stage: &Stage<'_>, suspect: &Suspect) -> Result<Decided, CheckError> {
    let unreadable = |error| CheckError::Network(suspect.host.clone(), error);
    let netlink = stage.lab.host(&suspect.host).station().netlink();
    let family = Family::of(suspect.flow.to);
    let tables = Tables::read(netlink, family).await.map_err(unreadable)?;
    let walk = Walk::take(suspect.host.as_str(), netlink, &tables, &suspect.flow);
    let walk = walk.await.map_err(unreadable)?;
    let heard = heard(stage, suspect).await?;
    let case = Case {
        host: suspect.host.to_string(),
        tables: &tables,
        flow: suspect.flow,
        wanted: suspect.wanted,
        left_by: suspect.left_by,
        tunnel: tunnel(stage, &suspect.host),
        stranded: suspect.stranded.map(|it| (it.from, it.link)),
        fate: suspect.fate.clone(),
        plugged: stage.lab.host(&suspect.host).underlay().clone(),
        forwards_not: forwards_not(stage, suspect, &tables)?,
        mute: mute(stage, suspect, &tables).await?,
        firewall: heard.firewall,
        filter: filter(stage, suspect, &tables)?,
        too_big: too_big(suspect, &tables),
        claims: suspect.claims.clone(),
    };
    let leaves_by = case.link().map(|link| link.name);
    Ok(Decided {
        walk,
        causes: likely(&case),
        leaves_by,
        drops: heard.drops,
        trouble: heard.trouble,
    })
}

/// A number below net of sysctl(8); none where there is no such thing.
fn sysctl(stage: &Stage<'_>, host: &HostName, key: &str) -> Result<Option<u8>, CheckError> {
    let (sandbox, host) = (stage.lab.sandbox(), stage.lab.host(host).id());
    let path = format!("/proc/sys/net/{key}");
    let Some(mut file) = sandbox.open(host, &path).map_err(ProbeError::from)? else {
        return Ok(None);
    };
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(ProbeError::Socket)?;
    Ok(text.trim().parse().ok())
}

/// The sysctl by which a host does not forward what came in. IPv6 goes by that of `all`.
fn forwards_not(
    stage: &Stage<'_>,
    suspect: &Suspect,
    tables: &Tables,
) -> Result<Option<String>, CheckError> {
    let Some(stranded) = suspect.stranded else {
        return Ok(None);
    };
    let link = tables.name(stranded.link);
    let read = |key: &str| sysctl(stage, &suspect.host, key);
    let key = match stranded.from {
        IpAddr::V4(_) => format!("ipv4/conf/{link}/forwarding"),
        // Since Linux 6.17 a link may forward where the host does not.
        IpAddr::V6(_) if read(&format!("ipv6/conf/{link}/force_forwarding"))? == Some(1) => {
            return Ok(None);
        }
        IpAddr::V6(_) => "ipv6/conf/all/forwarding".to_owned(),
    };
    let off = read(&key)? == Some(0);
    Ok(off.then(|| format!("net/{key}").replace('/', ".")))
}

/// The next hop of a packet that got no further, where nobody is that.
async fn mute(
    stage: &Stage<'_>,
    suspect: &Suspect,
    tables: &Tables,
) -> Result<Option<IpAddr>, CheckError> {
    let verdict = tables.fib().lookup(&suspect.flow);
    let (Some(_), Verdict::Leaves { route, .. }) = (&suspect.fate, verdict) else {
        return Ok(None);
    };
    if verdict.link() == Some(IfIndex::LOOPBACK) {
        return Ok(None);
    }
    let next = route.gateway.unwrap_or(suspect.flow.to);
    let mute = neighbour::is_mute(stage, &suspect.host, next).await?;
    Ok(mute.then_some(next))
}

/// What is heard of a packet that got no further, when its question is asked again. That it cannot be asked is
/// told with what is known all the same.
async fn heard(stage: &Stage<'_>, suspect: &Suspect) -> Result<Heard, CheckError> {
    if let None | Some(Fate::Lost) = suspect.fate {
        return Ok(Heard::default());
    }
    let host = stage.lab.host(&suspect.host).id();
    let chains = filter_chains(stage.lab.sandbox(), host)?;
    // A transfer is not begun again for that.
    let probe = suspect.probe.as_ref();
    let Some(probe) = probe.filter(|probe| probe.load.bulk.is_none()) else {
        return Ok(Heard {
            firewall: Firewall::Untraced(chains),
            ..Heard::default()
        });
    };
    let asked = again::ask(stage, &suspect.host, probe, !chains.is_empty()).await;
    let again = asked.unwrap_or_else(|error| again::Heard {
        trouble: Some(error),
        ..again::Heard::default()
    });
    let heard = Heard {
        firewall: again
            .firewall
            .unwrap_or_else(|| Firewall::Untraced(chains.clone())),
        drops: again.drops,
        trouble: again.trouble.map(|error| crate::chain(&error)),
    };
    Ok(match suspect.is_carriers {
        true => heard.of_the_carrier(chains),
        false => heard,
    })
}

/// What is heard of a packet when its question is asked again.
#[derive(Default)]
struct Heard {
    firewall: Firewall,
    drops: Vec<KernelDrop>,
    /// Why that could not be found out.
    trouble: Option<String>,
}

impl Heard {
    /// The same of the carrier, for which another question to its port was asked. What lets that pass may drop
    /// the carrier all the same.
    fn of_the_carrier(mut self, chains: Vec<FilterChain>) -> Self {
        const WHAT: &str = "carrier";
        self.drops.iter_mut().for_each(|drop| drop.what = WHAT);
        self.firewall = match self.firewall {
            Firewall::Falls(fallen) => Firewall::Falls(Fallen {
                what: WHAT,
                ..fallen
            }),
            Firewall::Passed | Firewall::Untraced(_) => Firewall::Untraced(chains),
        };
        self
    }
}

/// Reverse path filtering on the link by which a packet came in and got no further.
fn filter(
    stage: &Stage<'_>,
    suspect: &Suspect,
    tables: &Tables,
) -> Result<Option<Filter>, CheckError> {
    let Some(stranded) = suspect.stranded.filter(|it| it.from.is_ipv4()) else {
        return Ok(None);
    };
    // A link that has gone filters nothing.
    let read = |key: &str| -> Result<u8, CheckError> {
        Ok(sysctl(stage, &suspect.host, &format!("ipv4/conf/{key}"))?.unwrap_or(0))
    };
    let mut modes = IndexMap::new();
    for link in ["all".to_owned(), tables.name(stranded.link)] {
        let mode = read(&format!("{link}/rp_filter"))?;
        modes.insert(link, mode);
    }
    let marks = read("all/src_valid_mark")? == 1;
    Ok(Some(Filter { modes, marks }))
}

/// What a packet that came in would have to leave by, if it is too large for that.
fn too_big(suspect: &Suspect, tables: &Tables) -> Option<TooBig> {
    let stranded = suspect.stranded?;
    // The capture sees several segments of TCP as one; none of them was longer than the link takes.
    let came_by = tables.link(stranded.link).map(|link| link.mtu as usize);
    let length = came_by.map_or(stranded.length, |mtu| mtu.min(stranded.length));
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
    Some(Tunnel {
        tuns,
        endpoint: (tunnel.client == *host).then_some(tunnel.endpoint),
        mark: tunnel.mark(),
    })
}
