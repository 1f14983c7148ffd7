//! What nftables does with packets, rule by rule, as `nft monitor trace` shows it.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};

use fps_netlink::Family;
use netlink_packet_core::{
    DefaultNla, NLM_F_APPEND, NLM_F_CREATE, NetlinkPayload, Nla, NlasIterator, parse_string,
    parse_u32_be,
};
use netlink_packet_netfilter::NetfilterMessageInner;
use netlink_packet_netfilter::nftables::{InetHookNumber, NfTablesMessage};
use netlink_sys::Socket;

use crate::error::{Error, Result};
use crate::firewall::{FirewallContent, content_is};
use crate::transaction::{Base, Transaction, messages, table};

/// How the names of its tables begin, which stand for as long as packets are traced.
pub const TRACE_TABLES: &str = "fps-lab-trace-";

/// Before every chain that nft(8) has a name for: `raw` is at -300, and what puts fragments together at
/// -400 (linux/netfilter_ipv4.h).
const PRIORITY: i32 = -450;
/// `NFNLGRP_NFTRACE`.
const GROUP: u32 = 9;
/// `NFTA_TRACE_…`, `NFTA_VERDICT_CODE` and `NFT_TRACETYPE_…` in linux/netfilter/nf_tables.h.
const TABLE: u16 = 1;
const CHAIN: u16 = 2;
const RULE_HANDLE: u16 = 3;
const TYPE: u16 = 4;
const VERDICT: u16 = 5;
const ID: u16 = 6;
const NETWORK_HEADER: u16 = 8;
const TRANSPORT_HEADER: u16 = 9;
const POLICY: u16 = 16;
const VERDICT_CODE: u16 = 1;
const OF_POLICY: u32 = 1;
const OF_RULE: u32 = 3;
/// `NF_DROP`.
const DROP: u32 = 0;
/// More than the longest message, which has three headers of a packet at most.
const DATAGRAM: usize = 8192;

/// The packets that are traced: each way of them.
#[derive(Clone, Debug)]
pub struct TraceRules {
    table: String,
    family: Family,
    contents: Vec<FirewallContent>,
}

/// A step that a packet took in nftables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceEvent {
    /// The kernel's number of the packet.
    pub id: u32,
    /// `NFPROTO_…` of the table.
    pub family: u8,
    /// The table and the chain.
    pub table: String,
    /// The chain in it.
    pub chain: String,
    /// What of the chain it is.
    pub by: TracedBy,
    /// Whether the packet goes no further; that is also what `reject` does, when it has told the sender.
    pub drops: bool,
    /// The headers, with up to twelve bytes behind that of UDP and ICMP: in the first event of each base chain.
    pub headers: Option<Vec<u8>>,
}

/// What of a chain has decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TracedBy {
    /// The rule of this handle.
    Rule(u64),
    /// Its policy.
    Policy,
    /// Nothing in it: the end of a chain that was jumped to.
    Nothing,
}

impl TraceRules {
    /// Those of a family with one of these contents. No two in a namespace may have the same number.
    #[must_use]
    pub fn new(number: u32, family: Family, contents: Vec<FirewallContent>) -> Self {
        Self {
            table: format!("{TRACE_TABLES}{number}"),
            family,
            contents,
        }
    }

    /// Has the kernel trace them, until [`end`](Self::end). The socket is a NETLINK_NETFILTER one of the
    /// namespace.
    pub fn begin(&self, socket: OwnedFd) -> Result<()> {
        let mut transaction = Transaction::new();
        transaction.push(NfTablesMessage::NewTable(table(&self.table)), NLM_F_CREATE);
        for (name, hook) in [
            ("prerouting", InetHookNumber::PreRouting),
            ("output", InetHookNumber::LocalOut),
        ] {
            let base = Base {
                table: &self.table,
                name,
                kind: "filter",
                hook,
                priority: PRIORITY.cast_unsigned(),
            };
            transaction.push(NfTablesMessage::NewChain(base.message()), NLM_F_CREATE);
            for content in &self.contents {
                let mut all = content_is(self.family, *content);
                all.trace();
                transaction.push(
                    NfTablesMessage::NewRule(all.rule(&self.table, name)),
                    NLM_F_CREATE | NLM_F_APPEND,
                );
            }
        }
        transaction.commit(socket).map_err(Error::Trace)
    }

    /// Has it trace them no more.
    pub fn end(&self, socket: OwnedFd) -> Result<()> {
        let mut transaction = Transaction::new();
        transaction.push(NfTablesMessage::DeleteTable(table(&self.table)), 0);
        transaction.commit(socket).map_err(Error::Trace)
    }
}

/// Hears the steps of all packets that are traced in a namespace.
#[derive(Debug)]
pub struct Traces {
    socket: Socket,
}

impl Traces {
    /// The socket is a NETLINK_NETFILTER one of the namespace.
    pub fn hear(socket: OwnedFd) -> Result<Self> {
        // SAFETY: the descriptor is open and ours alone.
        let mut socket = unsafe { Socket::from_raw_fd(socket.into_raw_fd()) };
        socket.bind_auto().map_err(Error::Trace)?;
        socket.set_non_blocking(true).map_err(Error::Trace)?;
        socket.add_membership(GROUP).map_err(Error::Trace)?;
        Ok(Self { socket })
    }

    /// The next ones; `WouldBlock` where there are none now.
    pub fn next(&self) -> io::Result<Vec<TraceEvent>> {
        let mut buffer = Vec::with_capacity(DATAGRAM);
        self.socket.recv(&mut buffer, 0)?;
        read(&buffer)
    }
}

impl AsRawFd for Traces {
    fn as_raw_fd(&self) -> i32 {
        self.socket.as_raw_fd()
    }
}

impl AsFd for Traces {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The events of one datagram; other messages are passed over.
fn read(datagram: &[u8]) -> io::Result<Vec<TraceEvent>> {
    let mut events = Vec::new();
    for message in messages(datagram)? {
        if let NetlinkPayload::InnerMessage(message) = message
            && let NetfilterMessageInner::NfTables(NfTablesMessage::Trace(attributes)) =
                message.inner
        {
            events.push(event(message.header.family.into(), &attributes)?);
        }
    }
    Ok(events)
}

fn event(family: u8, attributes: &[DefaultNla]) -> io::Result<TraceEvent> {
    let value = |kind| attributes.iter().find(|it| it.kind() == kind).map(value);
    let number = |kind| value(kind).map(|it| number(&it)).transpose();
    let text = |kind| parse_string(&value(kind).unwrap_or_default()).map_err(io::Error::other);
    let kind = number(TYPE)?;
    let verdict = match value(VERDICT) {
        Some(verdict) => code(&verdict)?,
        None => None,
    };
    let (by, verdict) = match kind {
        Some(OF_RULE) => match value(RULE_HANDLE) {
            Some(handle) => {
                let handle = handle.try_into().map_err(|_| malformed())?;
                (TracedBy::Rule(u64::from_be_bytes(handle)), verdict)
            }
            // The mark behind the last rule of a chain counts as one (`nft_rule_is_last`).
            None => (TracedBy::Nothing, verdict),
        },
        Some(OF_POLICY) => (TracedBy::Policy, number(POLICY)?),
        _ => (TracedBy::Nothing, None),
    };
    let headers = value(NETWORK_HEADER).map(|mut headers| {
        headers.extend(value(TRANSPORT_HEADER).unwrap_or_default());
        headers
    });
    Ok(TraceEvent {
        id: number(ID)?.ok_or_else(malformed)?,
        family,
        table: text(TABLE)?,
        chain: text(CHAIN)?,
        by,
        drops: verdict == Some(DROP),
        headers,
    })
}

/// The code in a verdict's attributes.
fn code(verdict: &[u8]) -> io::Result<Option<u32>> {
    for attribute in NlasIterator::new(verdict) {
        let attribute = attribute.map_err(io::Error::other)?;
        if attribute.kind() == VERDICT_CODE {
            return number(attribute.value()).map(Some);
        }
    }
    Ok(None)
}

fn value(attribute: &DefaultNla) -> Vec<u8> {
    let mut value = vec![0; attribute.value_len()];
    attribute.emit_value(&mut value);
    value
}

fn number(value: &[u8]) -> io::Result<u32> {
    parse_u32_be(value).map_err(io::Error::other)
}

fn malformed() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "what the kernel tells of a packet's way through nftables makes no sense",
    )
}
