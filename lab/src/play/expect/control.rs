//! The positive control of "nothing passed": a packet that the lab itself puts onto the link is on
//! the tape.

use std::net::IpAddr;
use std::time::Duration;

use fps_netlink::{IfIndex, LinkName};
use fps_packet::{Frame, Injector, Nonce, injectable};
use tokio::time::timeout;

use super::CheckError;
use crate::play::stage::Stage;
use crate::probe::ProbeError;
use crate::sandbox::SocketKind;
use crate::scenario::HostName;
use crate::tape::TapeError;

/// How long the control packet may take from the injector to the tape.
const PATIENCE: Duration = Duration::from_secs(1);

/// The link whose silence is to mean something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) host: &'a HostName,
    pub(super) link: LinkName,
    pub(super) index: IfIndex,
}

/// Puts a packet for `target` onto the link, one that no station takes; says why its silence
/// proves nothing where it is not captured.
pub(super) async fn seen(
    stage: &Stage<'_>,
    place: Place<'_>,
    target: IpAddr,
) -> Result<Result<(), String>, CheckError> {
    let nonce = Nonce::random().map_err(ProbeError::from)?;
    if let Err(why) = inject(stage, place, target, nonce)? {
        return Ok(Err(why));
    }
    let tape = stage.tape(place.host);
    let is_control = |frame: &Frame| {
        frame.ifindex == place.index.get()
            && frame
                .packet()
                .is_some_and(|packet| packet.control() == Some(nonce))
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
    Ok(match timeout(PATIENCE, seen).await {
        Ok(seen) => Ok(seen?),
        Err(_) => Err(format!(
            "the control packet on {}:{} was not captured, so nothing else would have been",
            place.host, place.link
        )),
    })
}

fn inject(
    stage: &Stage<'_>,
    place: Place<'_>,
    target: IpAddr,
    nonce: Nonce,
) -> Result<Result<(), String>, CheckError> {
    // Addresses for documentation (RFC 5737, RFC 3849).
    let (source, protocol) = match target {
        IpAddr::V4(_) => (IpAddr::from([192, 0, 2, 2]), nix::libc::ETH_P_IP),
        IpAddr::V6(_) => (
            IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 2]),
            nix::libc::ETH_P_IPV6,
        ),
    };
    let packet = injectable(source, target, nonce).expect("both are of one family");
    let protocol = u16::try_from(protocol).expect("an EtherType has 16 bits");
    let host = stage.lab.host(place.host).id();
    let socket = stage
        .lab
        .sandbox()
        .socket(host, SocketKind::Packet)
        .map_err(ProbeError::from)?;
    let sent = Injector::new(socket).send(place.index.get(), protocol, &packet);
    Ok(sent.map_err(|error| {
        format!(
            "no control packet could be put onto {}:{}, so its silence proves nothing: {}",
            place.host,
            place.link,
            crate::chain(&error)
        )
    }))
}
