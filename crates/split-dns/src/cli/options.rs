//! The options of the command, and the configuration that they make.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use fps_log::{Form, Level};

use crate::forward::config::InvalidConfig;
use crate::forward::{Config, Domain, Limits, Route, Server};
use crate::host::{Setting, Written};
use fps_netlink::LinkName;

/// Forwards DNS questions to servers chosen by the domain of the name.
#[derive(Debug, Parser)]
#[command(
    name = "fps-dns",
    version,
    disable_help_subcommand = true,
    after_help = EXAMPLE,
    after_long_help = AFTER,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub(super) struct Options {
    #[command(subcommand)]
    pub(super) verb: Option<Verb>,
    /// Read the configuration from this file of JSON, and again on SIGHUP
    #[arg(long, value_name = "FILE", conflicts_with_all = ["listen", "default", "route"])]
    config: Option<PathBuf>,
    /// Answer here, by UDP and by TCP; may be repeated
    #[arg(long, value_name = "IP:PORT", required_unless_present = "config")]
    listen: Vec<SocketAddr>,
    /// Ask these servers for the names that no route is for
    #[arg(long, value_name = "SERVER", num_args = 1.., value_delimiter = ',')]
    default: Vec<Server>,
    /// Ask these servers alone for names in these domains; may be repeated
    #[arg(long, value_name = "DOMAINS=SERVERS")]
    route: Vec<Route>,
    #[command(flatten)]
    pub(super) log: Log,
}

/// What is told on standard error.
#[derive(Args, Clone, Debug)]
pub(super) struct Log {
    /// How much is told on standard error; `debug` tells each question
    #[arg(
        long,
        value_name = "LEVEL",
        default_value = "info",
        hide_short_help = true
    )]
    pub(super) log_level: Level,
    /// How a line of it is written
    #[arg(
        long,
        value_name = "FORM",
        default_value = "text",
        hide_short_help = true
    )]
    pub(super) log_format: Form,
}

/// Instead of forwarding by a configuration: being the resolver of this host, told by link whom to ask.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Verb {
    /// Be the resolver of this host, in the place of /etc/resolv.conf's servers
    #[command(after_help = "Example: fps-dns serve --listen 127.0.66.53:53")]
    Serve {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        log: Log,
        /// Leave the terminal, and end with the last link's settings
        #[arg(long, hide = true)]
        background: bool,
    },
    /// Set the servers of a link, which are asked by it alone; none takes them away
    #[command(after_help = "Example: fps-dns dns tun0 10.66.0.1")]
    Dns {
        link: LinkName,
        servers: Vec<Written<Server>>,
        #[command(flatten)]
        place: Place,
    },
    /// Set the domains that they are asked for: ~fps.test, or fps.test to search it
    #[command(after_help = "Example: fps-dns domain tun0 ~fps.test")]
    Domain {
        link: LinkName,
        domains: Vec<Written<Domain>>,
        #[command(flatten)]
        place: Place,
    },
    /// Set whether they are asked for the names of no domain
    #[command(after_help = "Example: fps-dns default-route tun0 no")]
    DefaultRoute {
        link: LinkName,
        on: Answer,
        #[command(flatten)]
        place: Place,
    },
    /// Take away all settings of a link; with the last one /etc/resolv.conf is given back
    #[command(after_help = "Example: fps-dns revert tun0")]
    Revert {
        link: LinkName,
        #[command(flatten)]
        place: Place,
    },
    /// Forget all answers
    #[command(after_help = "Example: fps-dns flush-caches")]
    FlushCaches {
        #[command(flatten)]
        place: Place,
    },
    /// Print as JSON how it stands, or what a link has
    #[command(after_help = "Example: fps-dns status tun0")]
    Status {
        link: Option<LinkName>,
        #[command(flatten)]
        place: Place,
    },
}

/// Which resolver of the host is meant, and how it is where it has to be started.
#[derive(Args, Clone, Debug)]
pub(super) struct Place {
    /// Where it answers
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.66.53:53")]
    pub(super) listen: SocketAddr,
    /// The file that it takes over
    #[arg(
        long,
        value_name = "FILE",
        env = "FPS_DNS_RESOLV_CONF",
        hide_env_values = true,
        default_value = "/etc/resolv.conf"
    )]
    pub(super) resolv_conf: PathBuf,
    /// Where it keeps its socket, its settings and what was in the file
    #[arg(
        long,
        value_name = "FOLDER",
        env = "FPS_DNS_STATE_DIR",
        hide_env_values = true,
        default_value = "/run/fps-dns"
    )]
    pub(super) state_dir: PathBuf,
}

/// As resolvectl(1) takes it.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Answer {
    Yes,
    No,
}

impl Verb {
    /// A change of a link's settings, if it is one.
    pub(super) fn setting(&self) -> Option<(LinkName, Setting)> {
        Some(match self {
            Self::Dns { link, servers, .. } => (*link, Setting::Servers(servers.clone())),
            Self::Domain { link, domains, .. } => (*link, Setting::Domains(domains.clone())),
            Self::DefaultRoute { link, on, .. } => {
                (*link, Setting::DefaultRoute(matches!(on, Answer::Yes)))
            }
            Self::Revert { link, .. } => (*link, Setting::Revert),
            Self::Serve { .. } | Self::FlushCaches { .. } | Self::Status { .. } => return None,
        })
    }

    /// Which resolver is meant.
    pub(super) fn place(&self) -> &Place {
        match self {
            Self::Serve { place, .. }
            | Self::Dns { place, .. }
            | Self::Domain { place, .. }
            | Self::DefaultRoute { place, .. }
            | Self::Revert { place, .. }
            | Self::FlushCaches { place }
            | Self::Status { place, .. } => place,
        }
    }
}

const EXAMPLE: &str =
    "Example: fps-dns --listen 127.0.0.53:53 --default 192.168.188.1 --route ~fps.test=10.66.0.1";

const AFTER: &str = "SERVER is IP, IP:PORT or either with %LINK, by which alone it is then asked. The most specific domain wins; ~. is every name.
SIGHUP forgets all answers and reads the file again; SIGTERM and SIGINT stop.

Exit codes:
  0  a signal has ended it
  1  something failed while it ran
  2  the command line or the configuration is wrong

Example: fps-dns --listen 127.0.0.53:53 --default 192.168.188.1 --route ~fps.test=10.66.0.1";

/// Options that make no configuration.
#[derive(Debug, thiserror::Error)]
pub(super) enum OptionsError {
    #[error("cannot read the configuration {}: does it exist, and may it be read?", .0.display())]
    Read(PathBuf, #[source] io::Error),
    #[error("{} is no configuration", .0.display())]
    Parse(
        PathBuf,
        #[source] serde_path_to_error::Error<serde_json::Error>,
    ),
    #[error("the configuration cannot work")]
    Invalid(#[from] InvalidConfig),
}

impl Options {
    /// The configuration, with its file read anew.
    pub(super) fn config(&self) -> Result<Config, OptionsError> {
        let config = match &self.config {
            Some(path) => read(path)?,
            None => Config {
                listen: self.listen.clone(),
                default: self.default.clone(),
                routes: self.route.clone(),
                limits: Limits::default(),
            },
        };
        config.validate()?;
        Ok(config)
    }
}

fn read(path: &Path) -> Result<Config, OptionsError> {
    let text =
        fs::read_to_string(path).map_err(|error| OptionsError::Read(path.to_owned(), error))?;
    let mut json = serde_json::Deserializer::from_str(&text);
    let config = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| OptionsError::Parse(path.to_owned(), error))?;
    let path_of = |error| {
        let nowhere = serde_path_to_error::Track::new().path();
        OptionsError::Parse(
            path.to_owned(),
            serde_path_to_error::Error::new(nowhere, error),
        )
    };
    json.end().map_err(path_of)?;
    Ok(config)
}
