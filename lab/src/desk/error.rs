//! Why a held lab cannot be had, or why it refused.

use std::io;
use std::path::PathBuf;

use super::LabName;

/// What goes wrong between a held lab and who asks for something of it.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// There is nowhere to look for labs.
    #[error(
        "there is no folder in which held labs could be found: set XDG_RUNTIME_DIR, as a login \
         does, or FPS_LAB_RUNTIME_DIR to a folder of your own"
    )]
    NoFolder,
    /// The folder could not be made or read.
    #[error("{operation} {}", path.display())]
    Folder {
        /// What was to be done with it.
        operation: &'static str,
        /// The folder, or the socket in it.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// Others could put their own sockets there.
    #[error(
        "{} {why}: set FPS_LAB_RUNTIME_DIR to a folder of your own, with the mode 0700",
        path.display()
    )]
    Untrusted {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The name is in use.
    #[error(
        "a lab called {0} is up already: end it with `fps-lab down {0}`, or give this one another \
         name with --name"
    )]
    Taken(LabName),
    /// No lab is up.
    #[error("no lab is up: `fps-lab up FILE` builds one and holds it")]
    None,
    /// Nobody said which one is meant.
    #[error("{} labs are up: say which one with `{option}`: {}", .up.len(), .up.join(", "))]
    Which {
        /// The labs.
        up: Vec<String>,
        /// How to say it.
        option: &'static str,
    },
    /// There is no such lab.
    #[error("no lab called `{name}` is up{hint}; up: {}", .up.join(", "))]
    Unknown {
        /// The name.
        name: String,
        /// Which one was probably meant.
        hint: String,
        /// The labs that are up.
        up: Vec<String>,
    },
    /// The lab says no.
    #[error("{message}")]
    Refused {
        /// Why.
        message: String,
        /// The errno, where a program could not be started.
        errno: Option<i32>,
    },
    /// The lab has ended meanwhile.
    #[error("the lab has ended")]
    Gone,
    /// The lab does not answer.
    #[error("the lab does not answer: its process may have been stopped (Ctrl-Z)")]
    Silent,
    /// The connection failed.
    #[error("talk to the lab")]
    Lost(#[source] io::Error),
}

impl DeskError {
    /// A connection that has failed; one that the other end has closed means that the lab has ended.
    pub(super) fn lost(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe => Self::Gone,
            io::ErrorKind::WouldBlock => Self::Silent,
            _ => Self::Lost(error),
        }
    }
}
