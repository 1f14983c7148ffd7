//! Why nothing is heard of dropped packets.

use std::io;

use nix::errno::Errno;

/// The result of something with [`Drops`](crate::Drops).
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel does not describe itself.
    #[error("read /sys/kernel/btf/vmlinux; is this kernel built with CONFIG_DEBUG_INFO_BTF?")]
    NoBtf(#[source] io::Error),
    /// The description is cut off, or of another form.
    #[error("/sys/kernel/btf/vmlinux is no description of types as this program knows them: {0}")]
    Btf(&'static str),
    /// Something that is looked for is not in this kernel.
    #[error("this kernel has no {0}")]
    Unknown(String),
    /// The kernel refused a call of bpf(2).
    #[error("{operation} (bpf)")]
    Bpf {
        /// What was asked for.
        operation: &'static str,
        /// The errno.
        #[source]
        cause: Errno,
    },
    /// The kernel's verifier refused the program.
    #[error("load the program that looks at dropped packets; the verifier says: {log}")]
    Verifier {
        /// The end of what it says.
        log: String,
        /// The errno.
        #[source]
        cause: Errno,
    },
    /// The program is not as the assembler takes it.
    #[error("assemble the program that looks at dropped packets: {0}")]
    Assembler(String),
    /// A socket does not tell its namespace; the kernel is older than 5.14.
    #[error("ask a socket for its namespace (SO_NETNS_COOKIE)")]
    Cookie(#[source] Errno),
}

impl Error {
    /// Whether this kernel or this user cannot have it, so that nothing is wrong.
    #[must_use]
    pub fn is_lack(&self) -> bool {
        match self {
            Self::NoBtf(_) | Self::Unknown(_) => true,
            Self::Bpf { cause, .. } => matches!(cause, Errno::EPERM | Errno::ENOSYS),
            Self::Cookie(cause) => *cause == Errno::ENOPROTOOPT,
            Self::Btf(_) | Self::Verifier { .. } | Self::Assembler(_) => false,
        }
    }
}
