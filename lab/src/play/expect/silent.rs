//! `silent`: no packet that matches is seen on a link, though the capture would see one.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use fps_netlink::IfIndex;
use fps_packet::{Frame, Icmp, Injector, Nonce, Packet, Transport, injectable};
use tokio::time::{Instant, sleep_until, timeout};

use super::{CheckError, evidence, lossy};
use crate::play::Verdict;
use crate::play::stage::Stage;
use crate::probe::ProbeError;
use crate::sandbox::SocketKind;
use crate::scenario::Silent;
use crate::tape::TapeError;

/// How long the control packet may take from the injector to the tape.
const CONTROL: Duration = Duration::from_secs(1);
/// How many packets a failure shows.
const SHOWN: usize = 10;

pub(super) async fn check(stage: &Stage<'_>, silent: &Silent) -> Result<Verdict, CheckError> {
    sleep_until(Instant::now() + silent.hold).await;
    let now = evidence::link_names(stage, &silent.on).await?;
    let wanted = Wanted::new(silent, stage.links_before(&silent.on), &now);
    let tape = stage.tape(&silent.on);
    let lost = tape.sync().await?;
    let (heard, strange): (Vec<Frame>, usize) = tape.look(|frames| {
        let concerns = || frames.iter().filter(|frame| concerns(silent, frame));
        let heard = concerns().filter(|frame| wanted.is_on_link(frame));
        let strange = concerns().filter(|frame| wanted.may_be_on_link(frame));
        (heard.cloned().collect(), strange.count())
    });
    if !heard.is_empty() {
        return Ok(broken(silent, stage.step_began(), &heard));
    }
    if strange > 0 {
        return Ok(Verdict::Inconclusive(format!(
            "{strange} packets passed a link of {} that came and went within the step, which may \
             have been {}",
            silent.on, silent.link
        )));
    }
    let Some(link) = wanted.now else {
        return Ok(Verdict::Inconclusive(format!(
            "{} has no link {}: its silence proves nothing",
            silent.on, silent.link
        )));
    };
    if lost > 0 {
        return Ok(lossy(&silent.on, lost));
    }
    match control(stage, silent, link).await? {
        Ok(()) => Ok(Verdict::Held(format!(
            "nothing since the step began, for {:?} after its acts; the control was seen",
            silent.hold
        ))),
        Err(why) => Ok(Verdict::Inconclusive(why)),
    }
}

/// The link that must be silent: a name, which is another device once a client has been
/// restarted.
struct Wanted<'a> {
    name: &'a str,
    links_before: &'a BTreeMap<u32, String>,
    links_now: &'a BTreeMap<u32, String>,
    now: Option<IfIndex>,
}

impl<'a> Wanted<'a> {
    fn new(
        silent: &'a Silent,
        links_before: &'a BTreeMap<u32, String>,
        links_now: &'a BTreeMap<u32, String>,
    ) -> Self {
        let name = silent.link.as_str();
        let now = links_now.iter().find(|(_, known)| *known == name);
        Self {
            name,
            links_before,
            links_now,
            now: now.and_then(|(index, _)| IfIndex::new(*index)),
        }
    }

    /// Whether a packet passed the link, as it was when the step began or as it is now.
    fn is_on_link(&self, frame: &Frame) -> bool {
        let named = |links: &BTreeMap<u32, String>| {
            links
                .get(&frame.ifindex)
                .is_some_and(|name| name == self.name)
        };
        named(self.links_before) || named(self.links_now)
    }

    /// Whether a packet passed a link of which nobody knows the name any more.
    fn may_be_on_link(&self, frame: &Frame) -> bool {
        let known = |links: &BTreeMap<u32, String>| links.contains_key(&frame.ifindex);
        !known(self.links_before) && !known(self.links_now)
    }
}

/// Whether a packet, on whatever link, is one that must not be.
fn concerns(silent: &Silent, frame: &Frame) -> bool {
    let Some(packet) = frame.packet() else {
        return false;
    };
    if silent.peers.is_empty() {
        return !is_housekeeping(&packet);
    }
    let is_peer = |ip: IpAddr| silent.peers.contains(&ip);
    is_peer(packet.source) || is_peer(packet.destination)
}

/// What the kernel says by itself on every link, whether anybody uses it or not: neighbour
/// discovery (RFC 4861, types 133 to 137) and group membership (MLDv2, RFC 3810; IGMP).
fn is_housekeeping(packet: &Packet<'_>) -> bool {
    match packet.transport {
        Transport::Icmp(Icmp::Other { kind }) => {
            packet.source.is_ipv6() && matches!(kind, 130..=137 | 143)
        }
        Transport::Other(protocol) => i32::from(protocol) == nix::libc::IPPROTO_IGMP,
        _ => false,
    }
}

fn broken(silent: &Silent, start: std::time::Instant, heard: &[Frame]) -> Verdict {
    let why = format!(
        "expected silence on {}:{}; {} packets passed since the step began",
        silent.on,
        silent.link,
        heard.len()
    );
    let evidence = heard
        .iter()
        .take(SHOWN)
        .map(|frame| evidence::line(start, silent.on.as_str(), silent.link.as_str(), frame))
        .collect();
    Verdict::Failed { why, evidence }
}

/// The positive control: a packet that matches, put onto the link by the lab itself, is on the
/// tape. It is one that no station takes.
async fn control(
    stage: &Stage<'_>,
    silent: &Silent,
    link: IfIndex,
) -> Result<Result<(), String>, CheckError> {
    let host = stage.lab.host(&silent.on).id();
    let target = silent
        .peers
        .first()
        .copied()
        .unwrap_or(Ipv4Addr::new(192, 0, 2, 1).into());
    let source = match target {
        IpAddr::V4(_) => IpAddr::from([192, 0, 2, 2]),
        IpAddr::V6(_) => IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 2]),
    };
    let nonce = Nonce::random().map_err(ProbeError::from)?;
    let packet = injectable(source, target, nonce).expect("both are of one family");
    let socket = stage
        .lab
        .sandbox()
        .socket(host, SocketKind::Packet)
        .map_err(ProbeError::from)?;
    let protocol = if target.is_ipv4() {
        nix::libc::ETH_P_IP
    } else {
        nix::libc::ETH_P_IPV6
    };
    let protocol = u16::try_from(protocol).expect("an EtherType has 16 bits");
    if let Err(error) = Injector::new(socket).send(link.get(), protocol, &packet) {
        return Ok(Err(format!(
            "no control packet could be put onto {}:{}, so its silence proves nothing: {}",
            silent.on,
            silent.link,
            crate::chain(&error)
        )));
    }
    let tape = stage.tape(&silent.on);
    let is_control = |frame: &Frame| {
        frame.ifindex == link.get()
            && concerns(silent, frame)
            && frame
                .packet()
                .is_some_and(|packet| packet.nonce() == Some(nonce))
    };
    let seen = async {
        let mut growth = tape.growth();
        loop {
            tape.sync().await?;
            if tape.look(|frames| frames.iter().any(is_control)) {
                return Ok::<_, CheckError>(());
            }
            growth.changed().await.map_err(|_| TapeError::Ended)?;
        }
    };
    Ok(match timeout(CONTROL, seen).await {
        Ok(seen) => Ok(seen?),
        Err(_) => Err(format!(
            "the control packet on {}:{} was not captured, so nothing else would have been",
            silent.on, silent.link
        )),
    })
}
