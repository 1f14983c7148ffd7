//! Why nothing is heard of dropped packets.

use std::io::{self, ErrorKind};

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
            Self::NoBtf(cause) => matches!(
                cause.kind(),
                ErrorKind::NotFound | ErrorKind::PermissionDenied
            ),
            Self::Unknown(_) => true,
            // EACCES is what a security module says.
            Self::Bpf { cause, .. } => {
                matches!(cause, Errno::EPERM | Errno::EACCES | Errno::ENOSYS)
            }
            Self::Cookie(cause) => *cause == Errno::ENOPROTOOPT,
            // Refused before it was looked at, as by a kernel without CONFIG_BPF_EVENTS.
            Self::Verifier { log, .. } if log.is_empty() => true,
            Self::Verifier { .. } => self.is_locked_down(),
            Self::Btf(_) | Self::Assembler(_) => false,
        }
    }

    /// Whether the kernel lets nobody read it, by lockdown=confidentiality (kernel_lockdown(7)): then it has
    /// no such helper for any program (`bpf_tracing_func_proto` in kernel/trace/bpf_trace.c).
    #[must_use]
    pub fn is_locked_down(&self) -> bool {
        let withheld = ["cannot use helper", "unknown func"];
        matches!(self, Self::Verifier { log, .. } if withheld.iter().any(|it| log.contains(it)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_to_everybody_is_a_lack() {
        let verifier = |log: &str| Error::Verifier {
            log: log.to_owned(),
            cause: Errno::EINVAL,
        };
        let locked = verifier(
            "14: (85) call bpf_probe_read_kernel#113; program of this type cannot use helper \
             bpf_probe_read_kernel#113; processed 15 insns",
        );
        assert!(locked.is_lack() && locked.is_locked_down());
        let unknown = verifier("");
        assert!(unknown.is_lack() && !unknown.is_locked_down());
        assert!(!verifier("R1 invalid mem access 'scalar'").is_lack());
    }

    #[test]
    fn what_a_security_module_refuses_is_a_lack() {
        let refused = |cause| Error::Bpf {
            operation: "load a program",
            cause,
        };
        assert!(refused(Errno::EACCES).is_lack());
        assert!(!refused(Errno::ENOMEM).is_lack());
        let unread = |kind: ErrorKind| Error::NoBtf(kind.into());
        assert!(unread(ErrorKind::NotFound).is_lack());
        assert!(!unread(ErrorKind::OutOfMemory).is_lack());
    }
}
