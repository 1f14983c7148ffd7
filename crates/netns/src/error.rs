//! What failed in a namespace.

use std::io;

/// The result of an operation on a namespace.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An operation on a namespace that failed. The cause is the source.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A system call failed.
    #[error("{operation}")]
    System {
        /// The operation.
        operation: String,
        /// The errno.
        #[source]
        cause: io::Error,
    },
    /// A netlink request failed.
    #[error(transparent)]
    Netlink(#[from] fps_netlink::Error),
    /// A link that must be there is not.
    #[error("there is no link `{0}` in the namespace")]
    NoSuchLink(fps_netlink::LinkName),
    /// The kernel refused an nftables transaction.
    #[error("set up masquerading (nftables); is `nf_tables` with NAT in this kernel?")]
    Masquerade(#[source] io::Error),
    /// The kernel refused rules of a firewall.
    #[error(
        "change the firewall (nftables); is `nf_tables` with its filters, and for `reject` with \
         `nft_reject_inet`, in this kernel?"
    )]
    Firewall(#[source] io::Error),
    /// The kernel does not trace packets.
    #[error("trace packets through the firewall (nftables); is `nf_tables` in this kernel?")]
    Trace(#[source] io::Error),
    /// There are no rules of a firewall to take away.
    #[error("there is no rule of `firewall` to take away")]
    NoFirewall,
}

impl Error {
    pub(crate) fn system(operation: impl Into<String>, cause: impl Into<io::Error>) -> Self {
        Self::System {
            operation: operation.into(),
            cause: cause.into(),
        }
    }
}
