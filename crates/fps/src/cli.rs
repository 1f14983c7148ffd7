//! The command lines of the client and the server.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::config::{Config, ConfigError, Endpoint, Role};
use crate::exit::Exit;
use crate::log::Level;

/// What both programs understand.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// The configuration, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Check the configuration, print `ok`, and stop.
    #[arg(long)]
    pub(crate) check_config: bool,
    /// Listen here instead of on network.listen.
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) listen: Option<Endpoint>,
    /// Log this level and worse ones, instead of logging.level.
    #[arg(long, value_name = "LEVEL", value_enum)]
    pub(crate) log_level: Option<Level>,
}

/// Reads a command line, or prints what is wrong with it (or the help) and says how to end.
pub(crate) fn parse<P: clap::Parser>(args: impl IntoIterator<Item = OsString>) -> Result<P, Exit> {
    P::try_parse_from(args).map_err(|error| {
        // Nobody is left to tell if stderr is closed.
        let _ = error.print();
        if error.use_stderr() {
            Exit::Usage
        } else {
            Exit::Ok
        }
    })
}

/// What the command line asks for.
pub(crate) enum Task {
    /// Run with this configuration.
    Run(Box<Config>),
    /// The configuration was to be checked, and is good.
    Checked,
}

impl Common {
    /// Loads the configuration and applies the command line to it.
    pub(crate) fn load(
        self,
        role: Role,
        more: impl FnOnce(&mut Config),
    ) -> Result<Task, ConfigError> {
        let mut config = Config::load(&self.config, role)?;
        if self.check_config {
            return Ok(Task::Checked);
        }
        config.network.listen = self.listen.unwrap_or(config.network.listen);
        config.logging.level = self.log_level.unwrap_or(config.logging.level);
        more(&mut config);
        Ok(Task::Run(Box::new(config)))
    }
}
