//! What a command line cannot have.

use std::io;
use std::path::PathBuf;

use fps_wire::profile::InvalidProfile;

use crate::config::ConfigError;
use crate::lease::LeaseFileError;
use crate::random::NoRandomness;

/// Why a command was not carried out. The program ends with exit code 2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Something has to be said.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A form that is none.
    #[error("--format {0} is not one of {1}")]
    Format(String, &'static str),
    /// The server leases nothing.
    #[error("tun.lease_pool and tun.lease_file are missing: this server leases no addresses")]
    NoPool,
    /// The leases cannot be used.
    #[error(transparent)]
    Leases(#[from] LeaseFileError),
    /// A client that the server does not know.
    #[error("--client-uuid is not on security.zero_rtt.allowed_client_uuids")]
    UnknownClient,
    /// The server has no keys.
    #[error("security.zero_rtt is not enabled: there is no profile to make")]
    NoZeroRtt,
    /// A URI that is no profile.
    #[error(transparent)]
    Profile(#[from] InvalidProfile),
    /// A file that cannot be written.
    #[error("cannot write {}: --force replaces a file that is there", path.display())]
    Output {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There are no random bytes.
    #[error(transparent)]
    Random(#[from] NoRandomness),
}
