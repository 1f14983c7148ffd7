//! The kernel's own reasons for the packets that it drops: a packet to a port where nobody listens.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use fps_drops::{Drops, Error, Kernel};
use fps_netlink::IfIndex;
use nix::errno::Errno;
use tokio::time::{Instant, sleep};

use super::finding::{About, Finding};
use super::trial::Trial;
use crate::sandbox::{SandboxError, SocketKind};

const ABOUT: About = About {
    name: "drop reasons",
    purpose: "explanations: the kernel's own reason for a packet that a host dropped",
    decisive: false,
    program: false,
};
/// How long the kernel may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(2);
/// Where nobody listens: the port of the old discard protocol.
const PORT: u16 = 9;
const ROOT: &str = "run as root, with CAP_BPF and CAP_PERFMON, outside any user namespace";

/// Why none is heard.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Drops(#[from] Error),
    #[error("drop a packet in a host")]
    Sandbox(#[from] SandboxError),
    #[error("drop a packet in a host")]
    Netlink(#[from] fps_netlink::Error),
    #[error("send a packet that nobody takes")]
    Socket(#[from] io::Error),
    #[error("a packet was dropped in a host, and nothing was heard of it")]
    Unheard,
}

pub(super) async fn examine(trial: &Trial) -> Finding {
    if trial.host().is_none() {
        return ABOUT.untried("hosts");
    }
    match hear(trial).await {
        Ok(reason) => ABOUT.ok(format!("heard in a host: {reason}")),
        Err(trouble) => ABOUT.limited(crate::chain(&trouble), remedy(&trouble).map(str::to_owned)),
    }
}

async fn hear(trial: &Trial) -> Result<String, Trouble> {
    let kernel = Kernel::read()?;
    let (Some((sandbox, host)), Some(station)) = (trial.host(), trial.station()) else {
        return Err(Trouble::Unheard);
    };
    station.netlink().set_up(IfIndex::LOOPBACK).await?;
    let socket = UdpSocket::from(sandbox.socket(host.id, SocketKind::UdpV4)?);
    let drops = Drops::hear(&kernel, &socket)?;
    socket.send_to(b"fps-lab doctor", (Ipv4Addr::LOCALHOST, PORT))?;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        while let Some(dropped) = drops.next()? {
            if dropped.headers.ends_with(b"fps-lab doctor") {
                return Ok(dropped.reason);
            }
        }
        sleep(LOOK).await;
    }
    Err(Trouble::Unheard)
}

fn remedy(trouble: &Trouble) -> Option<&'static str> {
    let Trouble::Drops(error) = trouble else {
        return None;
    };
    match error {
        Error::NoBtf(_) | Error::Btf(_) | Error::Unknown(_) | Error::Cookie(_) => {
            Some("a kernel of 5.17 or later with CONFIG_DEBUG_INFO_BTF=y")
        }
        Error::Bpf {
            cause: Errno::EPERM | Errno::EACCES,
            ..
        } => Some(ROOT),
        error if error.is_locked_down() => Some("boot without lockdown=confidentiality"),
        Error::Verifier { .. } if error.is_lack() => Some("a kernel with CONFIG_BPF_EVENTS=y"),
        Error::Bpf { .. } | Error::Verifier { .. } | Error::Assembler(_) => None,
    }
}
