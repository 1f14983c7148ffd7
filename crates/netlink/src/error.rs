//! What failed, and what the kernel said.

use std::io;

use netlink_packet_core::DecodeError;
use nix::errno::Errno;

/// The result of a netlink operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A netlink operation that failed. The cause is the source.
#[derive(Debug, thiserror::Error)]
#[error("{operation}")]
pub struct Error {
    /// The operation, as the equivalent command where there is one.
    pub operation: String,
    /// What went wrong.
    #[source]
    pub cause: Cause,
}

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The kernel refused.
    #[error("{}", errno.desc())]
    Kernel {
        /// Its answer.
        errno: Errno,
    },
    /// The socket could not be made or used.
    #[error("the netlink socket failed")]
    Socket(#[source] io::Error),
    /// The answer ended before the kernel acknowledged.
    #[error("the netlink connection ended before the kernel answered")]
    NoAnswer,
    /// The kernel dropped messages: what was read is incomplete.
    #[error("the kernel overran the socket's buffer; read again")]
    Overrun,
    /// The dump changed under way (`NLM_F_DUMP_INTR`): what was read is inconsistent.
    #[error("the table changed while it was read; read again")]
    Interrupted,
    /// The kernel's answer is no message that we know.
    #[error("the kernel's answer cannot be read: {0}")]
    Malformed(String),
}

impl Error {
    pub(crate) fn new(operation: impl Into<String>, cause: Cause) -> Self {
        Self {
            operation: operation.into(),
            cause,
        }
    }

    /// The kernel's errno, where the kernel refused.
    pub fn errno(&self) -> Option<Errno> {
        match self.cause {
            Cause::Kernel { errno } => Some(errno),
            _ => None,
        }
    }

    /// Whether what was read changed under way, so that it is worth reading again.
    pub fn is_passing(&self) -> bool {
        matches!(self.cause, Cause::Overrun | Cause::Interrupted)
    }
}

impl From<io::Error> for Cause {
    fn from(error: io::Error) -> Self {
        Self::Socket(error)
    }
}

impl From<DecodeError> for Cause {
    fn from(error: DecodeError) -> Self {
        Self::Malformed(error.to_string())
    }
}
