//! NAT for a router: one nftables table, set over netlink, so that no `nft` is needed.

use std::io;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};

use fps_netlink::LinkName;
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_REQUEST, NetlinkBuffer, NetlinkMessage,
    NetlinkPayload,
};
use netlink_packet_netfilter::nftables::{
    ChainAttribute, ChainMessage, Cmp, DataAttribute, ExpressionAttribute, Expressions, Hook,
    HookNumber, InetHookNumber, ListAttribute, Meta, MetaKey, NfTablesMessage, Operator, Register,
    RuleAttribute, RuleMessage, TableAttribute, TableMessage,
};
use netlink_packet_netfilter::none::ControlMessage;
use netlink_packet_netfilter::{NetfilterHeader, NetfilterMessage, NetfilterProtoFamily};
use netlink_sys::Socket;
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::TimeVal;

use crate::error::{Error, Result};

/// The table's name, as `nft list ruleset` shows it.
const TABLE: &str = "fps-lab";
const CHAIN: &str = "postrouting";
/// `NF_IP_PRI_NAT_SRC` in linux/netfilter_ipv4.h.
const PRIORITY_SOURCE_NAT: u32 = 100;
/// How long the kernel may take for an answer; it takes far below a second.
const DEADLINE_SECONDS: i64 = 10;
/// `NFNL_SUBSYS_NFTABLES`, to which a batch belongs.
const SUBSYSTEM: u16 = 10;

/// `nft add rule inet fps-lab postrouting oifname LINK masquerade` for each link, IPv4 and IPv6,
/// with the table and the chain, as one transaction.
///
/// The socket is a NETLINK_NETFILTER one of the router's namespace. A kernel that does not answer
/// within ten seconds is an error.
pub fn masquerade(socket: OwnedFd, links: &[LinkName]) -> Result<()> {
    let deadline = TimeVal::new(DEADLINE_SECONDS, 0);
    setsockopt(&socket, sockopt::ReceiveTimeout, &deadline)
        .and_then(|()| setsockopt(&socket, sockopt::SendTimeout, &deadline))
        .map_err(|errno| Error::system("set the deadline of a netfilter socket", errno))?;
    // SAFETY: the descriptor is open and ours alone.
    let socket = unsafe { Socket::from_raw_fd(socket.into_raw_fd()) };
    transact(&socket, links).map_err(Error::Masquerade)
}

fn transact(socket: &Socket, links: &[LinkName]) -> io::Result<()> {
    let mut batch = Batch::default();
    batch.control(ControlMessage::BatchBegin);
    batch.push(NfTablesMessage::NewTable(table()), NLM_F_CREATE);
    batch.push(NfTablesMessage::NewChain(chain()), NLM_F_CREATE);
    for link in links {
        batch.push(
            NfTablesMessage::NewRule(rule(link)),
            NLM_F_CREATE | NLM_F_APPEND,
        );
    }
    batch.control(ControlMessage::BatchEnd);
    socket.send(&batch.bytes, 0)?;
    let mut unanswered = batch.expected;
    while unanswered > 0 {
        let (answer, _) = socket
            .recv_from_full()
            .map_err(|error| match error.kind() {
                io::ErrorKind::WouldBlock => io::Error::other(format!(
                    "the kernel has not answered within {DEADLINE_SECONDS} s"
                )),
                _ => error,
            })?;
        unanswered -= acknowledgements(&answer)?;
    }
    Ok(())
}

/// Counts the acknowledgements of one datagram; the first refusal is an error.
fn acknowledgements(mut datagram: &[u8]) -> io::Result<usize> {
    let mut count = 0;
    while !datagram.is_empty() {
        let buffer = NetlinkBuffer::new_checked(datagram).map_err(io::Error::other)?;
        // Messages are padded to four bytes (netlink(7), NLMSG_ALIGN).
        let length = (buffer.length() as usize)
            .next_multiple_of(4)
            .min(datagram.len());
        let message = NetlinkMessage::<NetfilterMessage>::deserialize(&datagram[..length])
            .map_err(io::Error::other)?;
        if let NetlinkPayload::Error(error) = message.payload {
            if error.code.is_some() {
                return Err(error.to_io());
            }
            count += 1;
        }
        datagram = &datagram[length..];
    }
    Ok(count)
}

/// Messages of one transaction, each acknowledged on its own.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    sequence: u32,
    expected: usize,
}

impl Batch {
    fn control(&mut self, message: ControlMessage) {
        let header = NetfilterHeader::new(NetfilterProtoFamily::Unspec, 0, SUBSYSTEM);
        self.append(NetfilterMessage::new(header, message), 0);
    }

    fn push(&mut self, message: NfTablesMessage, flags: u16) {
        let header = NetfilterHeader::new(NetfilterProtoFamily::Inet, 0, 0);
        self.append(NetfilterMessage::new(header, message), flags | NLM_F_ACK);
        self.expected += 1;
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

fn table() -> TableMessage {
    TableMessage {
        attributes: vec![TableAttribute::Name(TABLE.to_owned())],
    }
}

fn chain() -> ChainMessage {
    ChainMessage {
        attributes: vec![
            ChainAttribute::Table(TABLE.to_owned()),
            ChainAttribute::Name(CHAIN.to_owned()),
            ChainAttribute::Hook(vec![
                Hook::Number(HookNumber::Inet(InetHookNumber::PostRouting)),
                Hook::Priority(PRIORITY_SOURCE_NAT),
            ]),
            ChainAttribute::Type("nat".to_owned()),
        ],
    }
}

fn rule(link: &LinkName) -> RuleMessage {
    // The kernel compares all of IFNAMSIZ, so the name is padded with zeros.
    let mut name = link.as_str().as_bytes().to_vec();
    name.resize(16, 0);
    let leaves_by = [
        Expressions::Meta(vec![
            Meta::Key(MetaKey::Oifname),
            Meta::DestinationRegister(Register::Reg1),
        ]),
        Expressions::Cmp(vec![
            Cmp::SourceRegister(Register::Reg1),
            Cmp::Op(Operator::Equal),
            Cmp::Data(DataAttribute::Value(name)),
        ]),
    ];
    let mut expressions: Vec<_> = leaves_by.into_iter().map(ListAttribute::from).collect();
    // The crate knows no masquerade expression; it has a name and no attributes.
    let masquerade = vec![
        ExpressionAttribute::Name("masq".to_owned()),
        ExpressionAttribute::Data(Expressions::Unknown(Vec::new())),
    ];
    expressions.push(ListAttribute::Element(masquerade));
    RuleMessage {
        attributes: vec![
            RuleAttribute::Table(TABLE.to_owned()),
            RuleAttribute::Chain(CHAIN.to_owned()),
            RuleAttribute::Expressions(expressions),
        ],
    }
}
