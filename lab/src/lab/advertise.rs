//! A router that advertises on a link (RFC 4861, section 6.2).

use std::io;
use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket as StdUdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fps_netlink::{IfIndex, LinkName};
use socket2::Socket;
use tokio::net::UdpSocket;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::LabError;
use super::host::Service;
use crate::sandbox::{HostId, Sandbox, SocketKind};
use crate::scenario::{Advertisement, AdvertisementChange, HostName};

const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
const SOLICITATION: u8 = 133;
const ADVERTISEMENT: u8 = 134;
/// Nobody takes an advertisement that has passed a router (RFC 4861, 6.1.2).
const FRESH: u32 = 255;

/// See the module.
#[derive(Debug)]
pub struct Advertiser {
    says: Mutex<Advertisement>,
    now: Notify,
}

impl Advertiser {
    /// One that says nothing yet.
    pub(super) fn new(plan: &Advertisement) -> Self {
        Self {
            says: Mutex::new(plan.clone()),
            now: Notify::new(),
        }
    }

    /// Does what an act says, and tells it at once.
    pub fn change(&self, change: &AdvertisementChange) {
        self.says().change(change);
        self.announce();
    }

    /// Advertises before it is due.
    pub(super) fn announce(&self) {
        self.now.notify_one();
    }

    fn says(&self) -> MutexGuard<'_, Advertisement> {
        self.says.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Advertises on a link.
pub(super) fn serve(
    sandbox: &Sandbox,
    name: &HostName,
    host: HostId,
    (link, index): (&LinkName, IfIndex),
    advertiser: Arc<Advertiser>,
) -> Result<Service, LabError> {
    let socket = Socket::from(sandbox.socket(host, SocketKind::IcmpV6)?);
    let socket = open(socket, link, index).map_err(|cause| LabError::Advertise {
        host: name.clone(),
        link: *link,
        cause,
    })?;
    let task = advertise(advertiser, socket, index);
    Ok(Service(tokio::spawn(task)))
}

fn open(socket: Socket, link: &LinkName, index: IfIndex) -> io::Result<UdpSocket> {
    socket.set_nonblocking(true)?;
    socket.bind_device(Some(link.as_str().as_bytes()))?;
    socket.set_multicast_if_v6(index.get())?;
    socket.set_multicast_hops_v6(FRESH)?;
    socket.set_multicast_loop_v6(false)?;
    socket.join_multicast_v6(&ALL_ROUTERS, index.get())?;
    UdpSocket::from_std(StdUdpSocket::from(socket))
}

async fn advertise(advertiser: Arc<Advertiser>, socket: UdpSocket, index: IfIndex) {
    let to = SocketAddrV6::new(ALL_NODES, 0, 0, index.get());
    let mut bytes = [0; 2048];
    loop {
        let (message, every) = {
            let says = advertiser.says();
            (says.answers.then(|| message(&says)), says.every)
        };
        if let Some(message) = message {
            // Of a link that is down as little comes of it as of a lost packet.
            drop(socket.send_to(&message, to).await);
        }
        let due = Instant::now() + every;
        loop {
            tokio::select! {
                () = sleep_until(due) => break,
                () = advertiser.now.notified() => break,
                received = socket.recv(&mut bytes) => {
                    // Other ICMPv6 comes here, too. Who asks is told at once, with all others.
                    if matches!(received, Ok(1..)) && bytes[0] == SOLICITATION {
                        break;
                    }
                }
            }
        }
    }
}

/// An advertisement on the wire; the kernel puts in its checksum (RFC 3542, 3.1).
fn message(says: &Advertisement) -> Vec<u8> {
    const HOP_LIMIT: u8 = 64;
    let lifetime = says.lifetime.unwrap_or_default();
    let router = u16::try_from(lifetime.as_secs()).unwrap_or(u16::MAX);
    let mut bytes = vec![ADVERTISEMENT, 0, 0, 0, HOP_LIMIT, 0];
    bytes.extend(router.to_be_bytes());
    // Reachable time and retransmission timer: not said.
    bytes.extend([0; 8]);
    for prefix in &says.prefixes {
        // On the link, and for addresses (RFC 4861, 4.6.2).
        const FLAGS: u8 = 0xc0;
        bytes.extend([3, 4, prefix.prefix_len(), FLAGS]);
        bytes.extend(seconds(says.valid));
        bytes.extend(seconds(says.preferred));
        bytes.extend([0; 4]);
        bytes.extend(prefix.network().octets());
    }
    if let Some(mtu) = says.mtu {
        bytes.extend([5, 1, 0, 0]);
        bytes.extend(mtu.to_be_bytes());
    }
    for route in &says.routes {
        // Of medium preference (RFC 4191, 2.3).
        bytes.extend([24, 3, route.prefix_len(), 0]);
        bytes.extend(seconds(lifetime));
        bytes.extend(route.network().octets());
    }
    // The length counts units of eight bytes in one byte (RFC 8106, 5.1).
    for servers in says.name_servers.chunks(127) {
        let units = 1 + 2 * u8::try_from(servers.len()).unwrap_or(127);
        bytes.extend([25, units, 0, 0]);
        bytes.extend(seconds(lifetime));
        bytes.extend(servers.iter().flat_map(Ipv6Addr::octets));
    }
    bytes
}

fn seconds(time: Duration) -> [u8; 4] {
    u32::try_from(time.as_secs())
        .unwrap_or(u32::MAX)
        .to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_it_as_the_documents_have_it() {
        let says = Advertisement {
            lifetime: Some(Duration::from_secs(9)),
            prefixes: vec!["fd00:188::/64".parse().unwrap()],
            valid: Duration::from_secs(2),
            preferred: Duration::from_secs(1),
            routes: vec!["fd00:9::/48".parse().unwrap()],
            name_servers: vec!["fd00:188::1".parse().unwrap()],
            mtu: Some(1400),
            every: Duration::from_secs(1),
            answers: true,
        };
        let bytes = message(&says);
        let (head, options) = bytes.split_at(16);
        assert_eq!(head, [134, 0, 0, 0, 64, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0]);
        let mut rest = options;
        let mut kinds = Vec::new();
        while let [kind, units, ..] = *rest {
            kinds.push(kind);
            rest = &rest[8 * usize::from(units)..];
        }
        assert_eq!(kinds, [3, 5, 24, 25], "each is as long as it says");
        assert_eq!(options[4..12], [0, 0, 0, 2, 0, 0, 0, 1]);
        let gone = message(&Advertisement {
            lifetime: None,
            ..says
        });
        assert_eq!(gone[6..8], [0, 0], "no router any more");
    }
}
