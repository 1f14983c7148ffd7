//! Who asks, and how the answer gets there.

use std::net::SocketAddr;
use std::rc::Rc;

use tokio::sync::mpsc::UnboundedSender;

use super::listener::{Datagrams, Local};
use super::request::Request;
use super::sources::Way;

/// A client, by the way that its question came.
#[derive(Debug)]
pub(super) enum Client {
    Udp {
        socket: Rc<Datagrams>,
        peer: SocketAddr,
        local: Option<Local>,
    },
    Tcp {
        replies: UnboundedSender<Vec<u8>>,
        peer: SocketAddr,
        local: SocketAddr,
    },
}

impl Client {
    pub(super) fn peer(&self) -> SocketAddr {
        match self {
            Self::Udp { peer, .. } | Self::Tcp { peer, .. } => *peer,
        }
    }

    /// How its question has come.
    pub(super) fn way(&self) -> Way {
        match *self {
            Self::Udp { peer, .. } => Way::Udp { from: peer },
            Self::Tcp { peer, local, .. } => Way::Tcp {
                from: peer,
                to: local,
            },
        }
    }

    pub(super) fn transport(&self) -> &'static str {
        match self {
            Self::Udp { .. } => "udp",
            Self::Tcp { .. } => "tcp",
        }
    }

    /// How long a message it can take.
    pub(super) fn room(&self, request: &Request) -> usize {
        match self {
            Self::Udp { .. } => request.payload(),
            Self::Tcp { .. } => usize::from(u16::MAX),
        }
    }

    /// Sends a message. One that is lost is asked for again: a full socket or a closed connection
    /// is no trouble of ours.
    pub(super) fn send(&self, message: Vec<u8>) {
        let _ = match self {
            Self::Udp {
                socket,
                peer,
                local,
            } => socket.send(&message, *peer, *local).is_ok(),
            Self::Tcp { replies, .. } => replies.send(message).is_ok(),
        };
    }
}

/// A client that waits for the answer to its question.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) client: Client,
    pub(super) request: Request,
}

impl PartialEq for Waiter {
    /// Whether one is the other, asking again.
    fn eq(&self, other: &Self) -> bool {
        self.request.id == other.request.id
            && self.client.transport() == other.client.transport()
            && self.client.peer() == other.client.peer()
    }
}
