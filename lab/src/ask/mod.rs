//! A name asked for as programs ask.
//!
//! - `nss`: by getent(1), as getaddrinfo(3) does
//! - `resolvectl`: by systemd-resolved(8), over D-Bus
//! - `stub`: with a question of our own to the first server of /etc/resolv.conf
//! - `command`: a program's output

mod command;
mod nss;
mod resolvectl;
mod stub;

use std::collections::BTreeSet;
use std::fmt;
use std::io;

pub(crate) use command::output;
pub(crate) use resolvectl::{claims, flush};
pub(crate) use stub::question;

use crate::sandbox::{HostId, Sandbox, SandboxError};
use crate::scenario::{Resolves, Wanted, Way};

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// There are such records; the aliases before them are left out.
    Data(BTreeSet<String>),
    /// There is no such name, as far as this way tells.
    NoName,
    /// There is no record of that type.
    NoData,
    /// NSS tells no more than that there is nothing.
    Nothing,
    /// The server refuses.
    Refused,
    /// The server fails, or says something else.
    Failure(String),
    /// There is nobody to ask, or no answer.
    Unanswered(String),
}

/// A question that could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The sandbox failed.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A socket or a pipe failed.
    #[error("ask for a name")]
    Io(#[from] io::Error),
    /// getent(1) is not there, or ended in a way of its own.
    #[error("getent says: {0}")]
    Getent(String),
    /// resolvectl(1) did not do what it was told.
    #[error("resolvectl says: {0}")]
    Resolvectl(String),
}

impl Answered {
    /// Whether it is that. NSS does not tell one failure from another.
    pub fn is(&self, wanted: &Wanted) -> bool {
        match (self, wanted) {
            (Self::Data(data), Wanted::Data(wanted)) => data == wanted,
            (Self::NoName, Wanted::NoName)
            | (Self::NoData, Wanted::NoData)
            | (Self::Refused, Wanted::Refused)
            | (Self::Failure(_), Wanted::Failure) => true,
            (Self::Nothing, wanted) => !matches!(wanted, Wanted::Data(_)),
            _ => false,
        }
    }
}

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(data) => {
                let data: Vec<_> = data.iter().map(String::as_str).collect();
                f.write_str(&data.join(", "))
            }
            Self::NoName => f.write_str("no such name"),
            Self::NoData => f.write_str("no record of that type"),
            Self::Nothing => f.write_str("nothing"),
            Self::Refused => f.write_str("refused"),
            Self::Failure(what) | Self::Unanswered(what) => f.write_str(what),
        }
    }
}

/// Asks once.
pub async fn ask(
    sandbox: &Sandbox,
    host: HostId,
    question: &Resolves,
    by: Way,
) -> Result<Answered, AskError> {
    match by {
        Way::Nss => nss::ask(sandbox, host, question).await,
        Way::Resolvectl => resolvectl::ask(sandbox, host, question).await,
        Way::Udp | Way::Tcp => stub::ask(sandbox, host, question, by).await,
    }
}
