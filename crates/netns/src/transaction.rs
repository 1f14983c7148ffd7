//! One nftables transaction over netlink, so that no `nft` is needed.

use std::io;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_REQUEST, NetlinkBuffer, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_netfilter::nftables::{
    ChainAttribute, ChainMessage, Hook, HookNumber, InetHookNumber, NfTablesMessage,
    TableAttribute, TableMessage,
};
use netlink_packet_netfilter::none::ControlMessage;
use netlink_packet_netfilter::{NetfilterHeader, NetfilterMessage, NetfilterProtoFamily};
use netlink_sys::Socket;
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::TimeVal;

/// How long the kernel may take for an answer; it takes far below a second.
const DEADLINE_SECONDS: i64 = 10;
/// `NFNL_SUBSYS_NFTABLES`, to which a batch belongs.
const SUBSYSTEM: u16 = 10;

/// A base chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Base<'a> {
    pub(crate) table: &'a str,
    pub(crate) name: &'a str,
    /// `filter` or `nat`.
    pub(crate) kind: &'static str,
    pub(crate) hook: InetHookNumber,
    pub(crate) priority: u32,
}

impl Base<'_> {
    /// `nft add chain inet TABLE NAME { type KIND hook HOOK priority PRIORITY ; }`
    pub(crate) fn message(self) -> ChainMessage {
        ChainMessage {
            attributes: vec![
                ChainAttribute::Table(self.table.to_owned()),
                ChainAttribute::Name(self.name.to_owned()),
                ChainAttribute::Hook(vec![
                    Hook::Number(HookNumber::Inet(self.hook)),
                    Hook::Priority(self.priority),
                ]),
                ChainAttribute::Type(self.kind.to_owned()),
            ],
        }
    }
}

/// The name of a table of the family `inet`.
pub(crate) fn table(name: &str) -> TableMessage {
    TableMessage {
        attributes: vec![TableAttribute::Name(name.to_owned())],
    }
}

/// Messages of one transaction, each acknowledged on its own. The kernel does all of it or nothing.
pub(crate) struct Transaction {
    bytes: Vec<u8>,
    sequence: u32,
    expected: usize,
}

impl Transaction {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let mut transaction = Self {
            bytes: Vec::new(),
            sequence: 0,
            expected: 0,
        };
        transaction.control(ControlMessage::BatchBegin);
        transaction
    }

    /// Adds a change. `flags` beside NLM_F_REQUEST and NLM_F_ACK.
    pub(crate) fn push(&mut self, message: NfTablesMessage, flags: u16) {
        let header = NetfilterHeader::new(NetfilterProtoFamily::Inet, 0, 0);
        self.append(NetfilterMessage::new(header, message), flags | NLM_F_ACK);
        self.expected += 1;
    }

    /// Has it done by the kernel; the first refusal is the error.
    ///
    /// The socket is a NETLINK_NETFILTER one of the namespace that is meant.
    pub(crate) fn commit(mut self, socket: OwnedFd) -> io::Result<()> {
        self.control(ControlMessage::BatchEnd);
        let deadline = TimeVal::new(DEADLINE_SECONDS, 0);
        setsockopt(&socket, sockopt::ReceiveTimeout, &deadline)?;
        setsockopt(&socket, sockopt::SendTimeout, &deadline)?;
        // SAFETY: the descriptor is open and ours alone.
        let socket = unsafe { Socket::from_raw_fd(socket.into_raw_fd()) };
        socket.send(&self.bytes, 0)?;
        let mut unanswered = self.expected;
        while unanswered > 0 {
            let (answer, _) = socket.recv_from_full().map_err(late)?;
            unanswered -= acknowledgements(&answer)?;
        }
        Ok(())
    }

    fn control(&mut self, message: ControlMessage) {
        let header = NetfilterHeader::new(NetfilterProtoFamily::Unspec, 0, SUBSYSTEM);
        self.append(NetfilterMessage::new(header, message), 0);
    }

    fn append(&mut self, message: NetfilterMessage, flags: u16) {
        let mut message = NetlinkMessage::from(message);
        message.header.flags = NLM_F_REQUEST | flags;
        message.header.sequence_number = self.sequence;
        self.sequence += 1;
        message.finalize();
        let start = self.bytes.len();
        self.bytes
            .resize(start + message.buffer_len().next_multiple_of(4), 0);
        message.serialize(&mut self.bytes[start..start + message.buffer_len()]);
    }
}

fn late(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::Error::other(format!(
            "the kernel has not answered within {DEADLINE_SECONDS} s"
        )),
        _ => error,
    }
}

/// Counts the acknowledgements of one datagram; the first refusal is an error.
fn acknowledgements(datagram: &[u8]) -> io::Result<usize> {
    let mut count = 0;
    for message in messages(datagram)? {
        if let NetlinkPayload::Error(error) = message {
            if error.code.is_some() {
                return Err(error.to_io());
            }
            count += 1;
        }
    }
    Ok(count)
}

/// What the messages of one datagram say.
pub(crate) fn messages(mut datagram: &[u8]) -> io::Result<Vec<NetlinkPayload<NetfilterMessage>>> {
    let mut messages = Vec::new();
    while !datagram.is_empty() {
        let buffer = NetlinkBuffer::new_checked(datagram).map_err(io::Error::other)?;
        // Messages are padded to four bytes (netlink(7), NLMSG_ALIGN).
        let length = (buffer.length() as usize)
            .next_multiple_of(4)
            .min(datagram.len());
        let message = NetlinkMessage::deserialize(&datagram[..length]).map_err(io::Error::other)?;
        messages.push(message.payload);
        datagram = &datagram[length..];
    }
    Ok(messages)
}
