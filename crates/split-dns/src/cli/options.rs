//! The options of the command, and the configuration that they make.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Parser;
use fps_log::{Form, Level};

use crate::forward::config::InvalidConfig;
use crate::forward::{Config, Limits, Route, Server};

/// Forwards DNS questions to servers chosen by the domain of the name.
#[derive(Debug, Parser)]
#[command(name = "fps-dns", version, after_help = AFTER)]
pub(super) struct Options {
    /// Read the configuration from this file of JSON, and again on SIGHUP
    #[arg(long, value_name = "FILE", conflicts_with_all = ["listen", "default", "route"])]
    config: Option<PathBuf>,
    /// Answer here, by UDP and by TCP; may be repeated
    #[arg(long, value_name = "IP:PORT", required_unless_present = "config")]
    listen: Vec<SocketAddr>,
    /// Ask these servers for the names that no route is for
    #[arg(long, value_name = "SERVER", num_args = 1.., value_delimiter = ',')]
    default: Vec<Server>,
    /// Ask these servers, and no others, for the names in these domains; may be repeated
    #[arg(long, value_name = "DOMAIN[,DOMAIN…]=SERVER[,SERVER…]")]
    route: Vec<Route>,
    /// How much is told on standard error; `debug` tells each question
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub(super) log_level: Level,
    /// How a line of it is written
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(super) log_format: Form,
}

const AFTER: &str = "SERVER is IP or IP:PORT. The most specific domain wins; ~. is every name.
SIGHUP forgets all answers and reads the file again; SIGTERM and SIGINT stop.

Exit codes:
  0  a signal has ended it
  1  something failed while it ran
  2  the command line or the configuration is wrong";

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
