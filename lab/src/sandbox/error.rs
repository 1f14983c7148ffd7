//! Why there is no sandbox, or why it refused.

use std::io;
use std::path::PathBuf;

use super::protocol::Failure;
use crate::channel::DEADLINE;

/// A sandbox that could not be had, or an operation in it that failed.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The namespaces could not be created.
    #[error("create the sandbox's namespaces")]
    Namespaces(#[source] io::Error),
    /// The helper program did not start.
    #[error("start the sandbox's helper {program}: it must be an fps-lab program")]
    Helper {
        /// Its path.
        program: PathBuf,
    },
    /// The helper is another build than who has started it.
    #[error(
        "{program} was built from other sources than this program, so the two do not understand each \
         other: build it anew with `{}`, or name another one in FPS_LAB_BIN",
        super::whereabouts::build_command()
    )]
    Stale {
        /// Its path.
        program: PathBuf,
    },
    /// The control groups could not be made.
    #[error("make control groups: {reason}")]
    Cgroups {
        /// What the janitor says.
        reason: String,
    },
    /// The helper is gone.
    #[error("the sandbox is gone")]
    Lost(#[source] io::Error),
    /// The helper does not answer; it has been killed, and all in the sandbox with it.
    #[error("{operation}: the sandbox does not answer within {DEADLINE:?}; it was killed")]
    Silent {
        /// The operation.
        operation: String,
    },
    /// The helper refused.
    #[error("{operation}: {reason}")]
    Refused {
        /// The operation.
        operation: String,
        /// The step that failed, with its errno.
        reason: String,
        /// That errno.
        errno: Option<i32>,
    },
    /// The helper gave an answer to another question.
    #[error("{operation}: the helper's answer makes no sense; is it of this version?")]
    Confused {
        /// The operation.
        operation: String,
    },
}

impl SandboxError {
    pub(super) fn lost(cause: io::Error) -> Self {
        Self::Lost(cause)
    }

    /// The lab that it belongs to has ended.
    pub(crate) fn gone() -> Self {
        Self::Lost(io::ErrorKind::NotConnected.into())
    }

    pub(super) fn refused(operation: &str, failure: Failure) -> Self {
        let Failure { step, errno } = failure;
        let reason = match errno {
            Some(errno) => format!("{step}: {}", io::Error::from_raw_os_error(errno)),
            None => step,
        };
        Self::Refused {
            operation: operation.to_owned(),
            reason,
            errno,
        }
    }

    /// The errno with which the helper refused, if there was one.
    pub(crate) fn errno(&self) -> Option<i32> {
        match self {
            Self::Refused { errno, .. } => *errno,
            _ => None,
        }
    }

    pub(super) fn confused(operation: &str) -> Self {
        Self::Confused {
            operation: operation.to_owned(),
        }
    }
}
