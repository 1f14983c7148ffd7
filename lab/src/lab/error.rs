//! Why a lab could not be built or changed.

use fps_netlink::LinkName;

use super::DhcpError;
use crate::doctor::Lack;
use crate::sandbox::SandboxError;
use crate::scenario::HostName;

/// A lab that could not be built or changed. The cause is the source.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The sandbox failed.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The network of a host or segment failed.
    #[error("{what}")]
    Network {
        /// Which part of the lab.
        what: String,
        /// What failed.
        #[source]
        cause: fps_netns::Error,
    },
    /// A port that the lab shall answer on could not be opened.
    #[error("answer on port {port} of {host}")]
    Serve {
        /// The host.
        host: HostName,
        /// The port.
        port: u16,
        /// The errno.
        #[source]
        cause: std::io::Error,
    },
    /// The CA of the play could not be made.
    #[error("make the CA of the play")]
    Authority(#[source] rcgen::Error),
    /// Nor could what checks certificates against it.
    #[error("check certificates against the CA of the play")]
    Trust(#[source] crate::probe::TrustError),
    /// A host has no certificate to answer with.
    #[error("sign a certificate for {host}, which serves https")]
    Certificate {
        /// The host.
        host: HostName,
        /// Why.
        #[source]
        cause: rcgen::Error,
    },
    /// A host cannot answer with its certificate.
    #[error("answer by TLS on {host}")]
    Tls {
        /// The host.
        host: HostName,
        /// Why.
        #[source]
        cause: rustls::Error,
    },
    /// A link has not got what its DHCP client was to get.
    #[error("DHCP on the link {link} of {host}")]
    Dhcp {
        /// The host.
        host: HostName,
        /// Its link.
        link: LinkName,
        /// Why.
        #[source]
        cause: DhcpError,
    },
    /// The frames of a link cannot be carried.
    #[error("carry the frames of {link} on {host}")]
    Wire {
        /// The host.
        host: HostName,
        /// Its link.
        link: LinkName,
        /// What failed.
        #[source]
        cause: fps_packet::CaptureError,
    },
    /// A link that is good was to become good.
    #[error("{link} of {host} is as good as it ever was: nothing has impaired it")]
    NotImpaired {
        /// The host.
        host: HostName,
        /// Its link.
        link: LinkName,
    },
    /// A router cannot advertise.
    #[error("advertise on the link {link} of {host}")]
    Advertise {
        /// The host.
        host: HostName,
        /// Its link.
        link: LinkName,
        /// The errno.
        #[source]
        cause: std::io::Error,
    },
    /// A link has made no address of an advertisement.
    #[error(
        "the link {link} of {host} has made no address of a router advertisement within {within:?}: is \
         there a router in its net that says something (`answers`), and a `prefix` among it?"
    )]
    NoAdvertisement {
        /// The host.
        host: HostName,
        /// Its link.
        link: LinkName,
        /// How long it had time.
        within: std::time::Duration,
    },
    /// The machine lacks something.
    #[error(transparent)]
    Lacks(#[from] Lack),
    /// The machine's users, to whom a host's systemd-resolved is added.
    #[error("read the machine's {path}")]
    Users {
        /// The file.
        path: &'static str,
        /// The errno.
        #[source]
        cause: std::io::Error,
    },
}

/// Says which part of the lab a network error belongs to.
pub(super) trait At<T> {
    fn at(self, what: impl FnOnce() -> String) -> Result<T, LabError>;
}

impl<T, E: Into<fps_netns::Error>> At<T> for Result<T, E> {
    fn at(self, what: impl FnOnce() -> String) -> Result<T, LabError> {
        self.map_err(|error| LabError::Network {
            what: what(),
            cause: error.into(),
        })
    }
}
