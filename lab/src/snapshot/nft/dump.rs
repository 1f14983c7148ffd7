//! What the kernel tells of nftables (linux/netfilter/nf_tables.h).

use std::io;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};

use netlink_sys::Socket;
use nix::libc::{NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR};
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::TimeVal;

use super::attribute::{Attribute, find, malformed};

/// How often a ruleset is read that changes each time.
pub(super) const READINGS: usize = 5;
/// How long the kernel may take for an answer; it takes far below a second.
const DEADLINE_SECONDS: i64 = 10;
/// `NFNL_SUBSYS_NFTABLES`.
const SUBSYSTEM: u16 = 10 << 8;
/// `NFT_MSG_GETGEN`, and the number in its answer.
const GET_GENERATION: u16 = 16;
const NFTA_GEN_ID: u16 = 1;
/// `NFTA_TABLE_NAME`, `NFTA_CHAIN_TABLE` and so on.
const TABLE: u16 = 1;
/// Of `struct nlmsghdr` and `struct nfgenmsg`.
const HEADER: usize = 16;
const SUBHEADER: usize = 4;

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Table,
    Chain,
    Rule,
    Set,
    Element,
    Object,
    FlowTable,
}

impl Kind {
    /// Those that can be asked for as a whole.
    pub(super) const ALL: [Self; 6] = [
        Self::Table,
        Self::Chain,
        Self::Rule,
        Self::Set,
        Self::Object,
        Self::FlowTable,
    ];

    /// The request: `NFT_MSG_GET…`.
    fn get(self) -> u16 {
        match self {
            Self::Table => 1,
            Self::Chain => 4,
            Self::Rule => 7,
            Self::Set => 10,
            Self::Element => 13,
            Self::Object => 19,
            Self::FlowTable => 23,
        }
    }
}

/// An object as the kernel tells it.
pub(super) struct Told {
    /// Of its table: `NFPROTO_…`.
    pub(super) family: u8,
    bytes: Vec<u8>,
}

impl Told {
    pub(super) fn attributes(&self) -> io::Result<Vec<Attribute<'_>>> {
        Attribute::all(&self.bytes)
    }

    /// The table that it is, or that it belongs to: the first attribute of every kind.
    pub(super) fn table(&self) -> Option<String> {
        let attributes = self.attributes().ok()?;
        find(&attributes, TABLE).map(Attribute::text)
    }
}

/// A question: of a family, with attributes.
#[derive(Default)]
pub(super) struct About {
    pub(super) family: u8,
    pub(super) attributes: Vec<u8>,
}

/// A socket that asks.
pub(super) struct Kernel {
    socket: Socket,
    sequence: u32,
}

impl Kernel {
    pub(super) fn new(socket: OwnedFd) -> io::Result<Self> {
        let deadline = TimeVal::new(DEADLINE_SECONDS, 0);
        setsockopt(&socket, sockopt::ReceiveTimeout, &deadline)?;
        // SAFETY: the descriptor is open and ours alone.
        let socket = unsafe { Socket::from_raw_fd(socket.into_raw_fd()) };
        Ok(Self {
            socket,
            sequence: 0,
        })
    }

    /// The number of the ruleset, which each transaction changes.
    pub(super) fn generation(&mut self) -> io::Result<u32> {
        let told = self.ask(GET_GENERATION, 0, &About::default())?;
        let told = told.first().ok_or_else(malformed)?;
        let attributes = told.attributes()?;
        Ok(find(&attributes, NFTA_GEN_ID)
            .ok_or_else(malformed)?
            .number())
    }

    /// All objects of a kind.
    pub(super) fn dump(&mut self, kind: Kind, about: &About) -> io::Result<Vec<Told>> {
        for _ in 1..READINGS {
            match self.ask(kind.get(), NLM_F_DUMP, about) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return outcome,
            }
        }
        self.ask(kind.get(), NLM_F_DUMP, about)
    }

    fn ask(&mut self, what: u16, flags: i32, about: &About) -> io::Result<Vec<Told>> {
        self.sequence += 1;
        self.socket.send(&self.request(what, flags, about), 0)?;
        let mut answer = Answer::default();
        while !answer.complete {
            let (datagram, _) = self.socket.recv_from_full()?;
            answer.take(&datagram, self.sequence, flags != 0)?;
        }
        match answer.interrupted {
            true => Err(io::ErrorKind::Interrupted.into()),
            false => Ok(answer.told),
        }
    }

    fn request(&self, what: u16, flags: i32, about: &About) -> Vec<u8> {
        let length = HEADER + SUBHEADER + about.attributes.len();
        let flags = u16::try_from(NLM_F_REQUEST | flags).expect("flags have 16 bits");
        let mut bytes = Vec::with_capacity(length);
        bytes.extend(u32::try_from(length).expect("it is short").to_ne_bytes());
        bytes.extend((SUBSYSTEM | what).to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(self.sequence.to_ne_bytes());
        bytes.extend(0_u32.to_ne_bytes());
        // Family, version (NFNETLINK_V0), no resource.
        bytes.extend([about.family, 0, 0, 0]);
        bytes.extend(&about.attributes);
        bytes
    }
}

#[derive(Default)]
struct Answer {
    told: Vec<Told>,
    interrupted: bool,
    complete: bool,
}

impl Answer {
    /// Takes the messages of a datagram.
    fn take(&mut self, mut rest: &[u8], sequence: u32, is_dump: bool) -> io::Result<()> {
        while !rest.is_empty() {
            let header = rest.get(..HEADER).ok_or_else(malformed)?;
            let word = |at: usize| u32::from_ne_bytes([0, 1, 2, 3].map(|byte| header[at + byte]));
            let length = word(0) as usize;
            let body = rest.get(HEADER..length).ok_or_else(malformed)?;
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
            // Of an earlier request that failed there may be answers left.
            if word(8) != sequence {
                continue;
            }
            let kind = i32::from(u16::from_ne_bytes([header[4], header[5]]));
            let flags = i32::from(u16::from_ne_bytes([header[6], header[7]]));
            self.interrupted |= flags & NLM_F_DUMP_INTR != 0;
            if kind == NLMSG_ERROR || kind == NLMSG_DONE {
                let code = body.get(..4).ok_or_else(malformed)?;
                let code = i32::from_ne_bytes([0, 1, 2, 3].map(|byte| code[byte]));
                if code != 0 {
                    return Err(io::Error::from_raw_os_error(-code));
                }
                self.complete = true;
                continue;
            }
            let family = *body.first().ok_or_else(malformed)?;
            let bytes = body.get(SUBHEADER..).ok_or_else(malformed)?.to_vec();
            self.told.push(Told { family, bytes });
            self.complete |= !is_dump;
        }
        Ok(())
    }
}
