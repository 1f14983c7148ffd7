//! Changes with all that the kernel tells of them, and who has asked for each.

use std::os::fd::OwnedFd;

use netlink_packet_core::{NLM_F_APPEND, NLM_F_REPLACE, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::{AsyncSocketExt, TokioSocket};
use nix::errno::Errno;

use crate::Port;
use crate::error::{Cause, Error, Result};
use crate::event::{Group, subscribe};

/// A message of rtnetlink(7) to all who have subscribed: `ip monitor` prints one as a line.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The socket that asked for the change; 0 where the kernel made it by itself, and of links
    /// where it is older than 6.2.
    pub asked_by: Port,
    /// The route took the place of another (`ip route replace`).
    pub replaces: bool,
    /// The route came behind others with its prefix and metric (`ip route append`).
    pub appends: bool,
    /// What came or went.
    pub message: RouteNetlinkMessage,
}

/// A subscription. What happens after [`Notices::from_socket`] returns is not missed.
pub struct Notices(TokioSocket);

impl Notices {
    /// Subscribes with a `NETLINK_ROUTE` socket that was made elsewhere.
    pub fn from_socket(socket: OwnedFd, groups: &[Group]) -> Result<Self> {
        subscribe(socket, groups).map(Self)
    }

    /// What the next datagram tells; an error where the kernel has dropped one, or where one cannot be
    /// read.
    pub async fn next(&mut self) -> Result<Vec<Notice>> {
        match self.0.recv_from_full().await {
            Ok((datagram, _)) => notices(&datagram),
            // So the kernel says that it has dropped something (netlink(7)).
            Err(error) if error.raw_os_error() == Some(Errno::ENOBUFS as i32) => {
                Err(failed(Cause::Overrun))
            }
            Err(error) => Err(failed(error.into())),
        }
    }
}

fn failed(cause: Cause) -> Error {
    Error::new("read netlink events", cause)
}

fn notices(datagram: &[u8]) -> Result<Vec<Notice>> {
    let mut rest = datagram;
    let mut notices = Vec::new();
    while !rest.is_empty() {
        let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest)
            .map_err(|error| failed(Cause::Malformed(error.to_string())))?;
        // Messages begin at multiples of four bytes (NLMSG_ALIGN).
        let length = (message.header.length as usize).next_multiple_of(4);
        rest = rest.get(length..).unwrap_or_default();
        let flags = message.header.flags;
        match message.payload {
            NetlinkPayload::InnerMessage(inner) => notices.push(Notice {
                asked_by: Port(message.header.port_number),
                replaces: flags & NLM_F_REPLACE != 0,
                appends: flags & NLM_F_APPEND != 0,
                message: inner,
            }),
            NetlinkPayload::Overrun(_) => return Err(failed(Cause::Overrun)),
            _ => {}
        }
    }
    Ok(notices)
}
