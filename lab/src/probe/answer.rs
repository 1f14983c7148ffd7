//! What comes of a question.

use std::fmt;
use std::io;
use std::time::Duration;

use nix::errno::Errno;

use super::tls::TlsFailure;
use super::web::{Page, Phase};

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The nonce came back.
    Echo {
        /// After this long.
        after: Duration,
        /// The page that it came in, by HTTP.
        page: Option<Box<Page>>,
    },
    /// The connection stood, and then nothing more came.
    Stuck(Phase),
    /// Another page came than the question must be answered with.
    Page(Box<Page>),
    /// The connection stood, but no TLS over it.
    Tls(TlsFailure),
    /// The target refused the connection, or has no such port.
    Refused,
    /// The kernel or a router said that there is no way.
    NoWay(Errno),
    /// Nothing came.
    Silence,
    /// A transfer got no further in its time.
    Stalled {
        /// The bytes that went to the target's side, as far as the sender's socket took them.
        up: u64,
        /// The bytes that came from the target.
        down: u64,
    },
    /// What came is not what was sent.
    Garbled,
}

impl Answer {
    /// Whether the nonce came back.
    pub fn is_echo(&self) -> bool {
        matches!(self, Self::Echo { .. })
    }

    /// Whether something came that is not what was asked for.
    pub(crate) fn is_another(&self) -> bool {
        matches!(self, Self::Page(_) | Self::Tls(_) | Self::Stuck(_))
    }

    /// Tells what the network answered from what went wrong in the lab itself, which is given
    /// back.
    pub(super) fn of_network(error: io::Error) -> io::Result<Self> {
        if error.kind() == io::ErrorKind::InvalidData {
            return Ok(Self::Garbled);
        }
        let errno = match error.raw_os_error() {
            Some(errno) => Errno::from_raw(errno),
            // A TCP peer that closes before it has sent the echo back.
            None if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Self::Refused),
            None => return Err(error),
        };
        match errno {
            Errno::ECONNREFUSED | Errno::ECONNRESET | Errno::EPIPE => Ok(Self::Refused),
            // EINVAL is what a blackhole route answers, EACCES a prohibit route, EPERM a firewall, ENOBUFS a
            // link that drops, as a veth does whose other end has just gone down (`veth_xmit` in
            // drivers/net/veth.c; to sockets without IP_RECVERR the kernel does not tell, see raw(7)).
            Errno::ENETUNREACH
            | Errno::EHOSTUNREACH
            | Errno::ENETDOWN
            | Errno::EHOSTDOWN
            | Errno::EADDRNOTAVAIL
            | Errno::ENODEV
            | Errno::EACCES
            | Errno::EPERM
            | Errno::EINVAL
            | Errno::EMSGSIZE
            | Errno::ETIMEDOUT
            | Errno::ENOBUFS
            | Errno::ENOPROTOOPT
            | Errno::EPROTO => Ok(Self::NoWay(errno)),
            _ => Err(error),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Echo { after, page } => {
                write!(f, "answered after {after:.1?}")?;
                match page {
                    Some(page) => write!(f, ": {page}"),
                    None => Ok(()),
                }
            }
            Self::Stuck(phase) => phase.fmt(f),
            Self::Page(page) => write!(f, "another answer than that asked for: {page}"),
            Self::Tls(failure) => failure.fmt(f),
            Self::Refused => f.write_str("refused"),
            Self::NoWay(errno) => f.write_str(&errno.desc().to_lowercase()),
            Self::Silence => f.write_str("no answer"),
            Self::Stalled { up, down } => {
                write!(f, "it stalled after {up} bytes up and {down} down")
            }
            Self::Garbled => f.write_str("what came is not what was sent"),
        }
    }
}
