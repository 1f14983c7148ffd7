//! The JSON configuration of both programs.
//!
//! An unknown key is an error that names its path; so is a value that makes no sense. A key that
//! is known but that this cut cannot honour is reported once, at level warn
//! ([`Config::unsupported`]).

mod codec;
mod endpoint;
mod error;
mod fwmark;
mod network;
mod summary;
mod tun;
mod unsupported;
mod zero_rtt;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde::Deserialize;

pub use codec::Codec;
pub use endpoint::Endpoint;
pub use error::ConfigError;
pub use network::Network;
pub use tun::TunConfig;
pub use zero_rtt::ZeroRtt;

/// Which program reads the file: they share it but for a few keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `fps_client`: dials `network.server`.
    Client,
    /// `fps_server`: dials `network.origin`.
    Server,
}

impl Role {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen and whom to dial.
    pub network: Network,
    /// Who may use the tunnel.
    #[serde(default)]
    pub security: Security,
    /// How packets become frames.
    #[serde(default)]
    pub codec: Codec,
    /// The TUN device.
    #[serde(default)]
    pub tun: TunConfig,
    /// How much may wait.
    #[serde(default)]
    pub limits: Limits,
    /// What is logged.
    #[serde(default)]
    pub logging: Logging,
    /// The status socket.
    #[serde(default)]
    pub ops: Ops,
    /// Traffic shaping, which is not implemented.
    pub shaper: Option<serde_json::Value>,
}

/// `security`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Security {
    /// How a carrier becomes a tunnel.
    pub zero_rtt: ZeroRtt,
}

/// `limits`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// How many bytes of packets wait for one carrier before further ones are dropped.
    pub max_session_write_queue_bytes: usize,
    /// How many connections there may be on which nobody has proved who he is: more are refused. Ours,
    /// too.
    pub max_unauthenticated_sessions: usize,
    /// How many records of an origin may be on their way to a client that asks for its tunnel: its
    /// auth is taken all the same. Of 16 KiB each the default is 4 MiB, more than most links hold in
    /// a round trip. 0 is what the C++ project does. Ours: that has no such key.
    pub max_in_flight_records: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_session_write_queue_bytes: 1 << 20,
            max_unauthenticated_sessions: 1024,
            max_in_flight_records: 256,
        }
    }
}

/// `logging`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Logging {
    /// The least severe level that is printed.
    pub level: fps_log::Level,
}

impl Default for Logging {
    fn default() -> Self {
        Self {
            level: fps_log::Level::Info,
        }
    }
}

/// `ops`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ops {
    /// Where the status socket shall be.
    pub status_socket: Option<std::path::PathBuf>,
}

impl Config {
    /// Reads and checks a file.
    pub fn load(path: &Path, role: Role) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, role, path)
    }

    /// Reads and checks a file's text; errors name `path`.
    pub fn parse(text: &str, role: Role, path: &Path) -> Result<Self, ConfigError> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let mut config: Self = serde_path_to_error::deserialize(&mut reader)
            .map_err(|error| ConfigError::syntax(path, error))?;
        reader
            .end()
            .map_err(|error| ConfigError::trailing(path, &error))?;
        config
            .check(role)
            .map_err(|(key, reason)| ConfigError::value(path, key, reason))?;
        config
            .tun
            .lease_file_as_written
            .clone_from(&config.tun.lease_file);
        let folder = path.parent().unwrap_or(Path::new(""));
        let files = [&mut config.tun.lease_file, &mut config.ops.status_socket];
        for file in files.into_iter().flatten() {
            *file = folder.join(&*file);
        }
        Ok(config)
    }

    /// A plain relay, without a file.
    pub fn bare(network: Network) -> Self {
        Self {
            network,
            security: Security::default(),
            codec: Codec::default(),
            tun: TunConfig::default(),
            limits: Limits::default(),
            logging: Logging::default(),
            ops: Ops::default(),
            shaper: None,
        }
    }

    /// Whom this program dials for each accepted connection.
    pub fn target(&self, role: Role) -> Option<&Endpoint> {
        match role {
            Role::Client => self.network.server.as_ref(),
            Role::Server => self.network.origin.as_ref(),
        }
    }

    /// Whether traffic is to be shaped.
    pub fn has_shaper(&self) -> bool {
        let shaper = self.shaper.as_ref();
        shaper.is_some_and(|shaper| shaper["enabled"] != false)
    }

    /// Fails where others than the owner may read a file that holds a key or an identity.
    pub fn refuse_if_readable(&self, path: &Path) -> Result<(), ConfigError> {
        let zero_rtt = &self.security.zero_rtt;
        let secret = zero_rtt.client_uuid.is_some() || zero_rtt.server_private_key_base64.is_some();
        let mode = fs::metadata(path).map(|it| it.permissions().mode());
        match mode {
            Ok(mode) if secret && mode & 0o077 != 0 => Err(ConfigError::Readable {
                path: path.to_owned(),
                mode: mode & 0o777,
            }),
            _ => Ok(()),
        }
    }

    fn check(&self, role: Role) -> Result<(), Problem> {
        self.network.check(role)?;
        if self
            .ops
            .status_socket
            .as_ref()
            .is_some_and(|it| it.as_os_str().is_empty())
        {
            return Err(("ops.status_socket", "is empty".into()));
        }
        self.security.zero_rtt.check(role)?;
        self.tun.check(role)?;
        self.codec.check(self.tun.mtu)?;
        if self.tun.enabled && !self.security.zero_rtt.enabled {
            return Err((
                "tun.enabled",
                "a TUN needs security.zero_rtt.enabled".into(),
            ));
        }
        let least = usize::from(self.tun.mtu);
        const MOST: usize = 1 << 16;
        if self.limits.max_in_flight_records > MOST {
            let reason = format!("is more than {MOST}");
            return Err(("limits.max_in_flight_records", reason));
        }
        if self.limits.max_session_write_queue_bytes < least {
            let reason = format!("less than one packet of tun.mtu {least} bytes");
            return Err(("limits.max_session_write_queue_bytes", reason));
        }
        Ok(())
    }
}

/// A key's path, and what is wrong with its value.
type Problem = (&'static str, String);

#[cfg(test)]
mod tests;
