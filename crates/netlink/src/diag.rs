//! Sockets of the Internet protocols, as the kernel tells of them: sock_diag(7).

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};

use netlink_packet_core::NetlinkMessage;
use netlink_packet_sock_diag::inet::nlas::Nla;
use netlink_packet_sock_diag::inet::{
    ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags,
};
use netlink_packet_sock_diag::{AF_INET, AF_INET6, SockDiagMessage};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr as NetlinkAddress};

use crate::dump::dump;
use crate::error::{Cause, Error, Result};
use crate::{Family, Fwmark, IfIndex};

/// Which sockets are asked for.
pub(crate) struct Question {
    /// Such as `IPPROTO_TCP`.
    pub(crate) protocol: u8,
    pub(crate) states: StateFlags,
    /// The command that asks the same, for errors.
    pub(crate) command: &'static str,
}

/// What the kernel tells of a socket, of whichever protocol.
pub(crate) struct Told {
    pub(crate) local: SocketAddr,
    pub(crate) peer: SocketAddr,
    pub(crate) mark: Option<Fwmark>,
    pub(crate) bound_to: Option<IfIndex>,
    pub(crate) uid: u32,
    /// A socket of IPv6 that does not speak IPv4 (IPV6_V6ONLY); told of those without a peer.
    pub(crate) only_v6: bool,
}

/// A socket of NETLINK_SOCK_DIAG.
#[derive(Debug)]
pub(crate) struct Diag {
    socket: Socket,
    sequence: u32,
}

impl Diag {
    /// One of the namespace of the calling thread.
    pub(crate) fn open() -> Result<Self> {
        let open = |e: std::io::Error| Error::new("open a socket of NETLINK_SOCK_DIAG", e.into());
        Self::adopt(Socket::new(NETLINK_SOCK_DIAG).map_err(open)?)
    }

    /// One that was made elsewhere.
    pub(crate) fn from_socket(socket: OwnedFd) -> Result<Self> {
        // SAFETY: the descriptor is open and ours alone.
        Self::adopt(unsafe { Socket::from_raw_fd(socket.into_raw_fd()) })
    }

    fn adopt(mut socket: Socket) -> Result<Self> {
        let ready = |socket: &mut Socket| {
            // Answers come while they are read: there is nothing to wait for.
            socket.set_non_blocking(false)?;
            socket.bind_auto()?;
            socket.connect(&NetlinkAddress::new(0, 0))
        };
        ready(&mut socket)
            .map_err(|e| Error::new("set up a socket of NETLINK_SOCK_DIAG", e.into()))?;
        Ok(Self {
            socket,
            sequence: 0,
        })
    }

    /// Asks for the sockets of both families.
    pub(crate) fn read(&mut self, question: &Question) -> Result<Vec<Told>> {
        let mut found = Vec::new();
        for family in Family::BOTH {
            let request = SockDiagMessage::InetRequest(request(family, question));
            let read = dump(
                &self.socket,
                &mut self.sequence,
                &NetlinkMessage::from(request),
                |answer| match answer {
                    SockDiagMessage::InetResponse(response) => Ok(Some(told(&response))),
                    _ => Ok(None),
                },
            );
            found.extend(read.map_err(|cause: Cause| Error::new(question.command, cause))?);
        }
        Ok(found)
    }
}

fn request(family: Family, question: &Question) -> InetRequest {
    let (family, socket_id) = match family {
        Family::V4 => (AF_INET, SocketId::new_v4()),
        Family::V6 => (AF_INET6, SocketId::new_v6()),
    };
    InetRequest {
        family,
        protocol: question.protocol,
        // The mark comes unasked to those who may know it (`inet_diag_msg_attrs_fill`).
        extensions: ExtensionFlags::empty(),
        states: question.states.clone(),
        socket_id,
    }
}

fn told(response: &InetResponse) -> Told {
    let header = &response.header;
    let id = &header.socket_id;
    let mark = response.nlas.iter().find_map(|attribute| match attribute {
        Nla::Mark(mark) => Some(Fwmark(*mark)),
        _ => None,
    });
    let only_v6 = |attribute: &Nla| matches!(attribute, Nla::SkV6Only(true));
    // A socket of IPv6 may speak IPv4 (RFC 4291, 2.5.5.2).
    let canonical = |ip: IpAddr| ip.to_canonical();
    Told {
        local: SocketAddr::new(canonical(id.source_address), id.source_port),
        peer: SocketAddr::new(canonical(id.destination_address), id.destination_port),
        mark,
        bound_to: IfIndex::new(id.interface_id),
        uid: header.uid,
        only_v6: response.nlas.iter().any(only_v6),
    }
}
