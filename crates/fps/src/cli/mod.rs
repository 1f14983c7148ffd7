//! The command lines of the client and the server, and what they ask for beside running.

mod error;
mod keys;
mod lease;
mod output;
mod profile;

use std::ffi::OsString;
use std::path::PathBuf;

pub(crate) use error::CommandError;
pub(crate) use lease::LeaseCommand;
pub(crate) use output::OutputArgs;
pub(crate) use profile::{FromUri, NewProfile};

use crate::config::{Config, Endpoint, Network, Role};
use crate::exit::Exit;
use fps_log::{Form, Level};

/// What both programs understand.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// The configuration, as JSON. Without one, --listen and the address to dial make a plain relay.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Check the configuration, print it in one line without its secrets, and stop.
    #[arg(long, requires = "config")]
    pub(crate) check_config: bool,
    /// Ask the running program how it is, print its JSON, and stop.
    #[arg(long)]
    pub(crate) status: bool,
    /// Ask by this socket instead of ops.status_socket.
    #[arg(long, value_name = "PATH", requires = "status", hide_short_help = true)]
    pub(crate) status_socket: Option<PathBuf>,
    /// Make a server's keys, print them, and stop.
    #[arg(long, conflicts_with = "config", hide_short_help = true)]
    pub(crate) generate_server_keypair: bool,
    /// Make a client's identity, print it, and stop.
    #[arg(long, conflicts_with = "config", hide_short_help = true)]
    pub(crate) generate_client_uuid: bool,
    /// How keys are printed, text or json; and how a profile is, json or uri.
    #[arg(long, value_name = "FORM", hide_short_help = true)]
    pub(crate) format: Option<String>,
    /// Listen here instead of on network.listen.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) listen: Option<Endpoint>,
    /// Do not look at the network: what is lost by a change of it is left to the application's and to
    /// TCP's own patience. For comparison.
    #[arg(long, hide_short_help = true)]
    pub(crate) ignore_network: bool,
    /// How much one read may bring, instead of network.read_buffer_size.
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..), hide_short_help = true)]
    pub(crate) read_buffer: Option<u32>,
    /// Log this level and worse ones, instead of logging.level.
    #[arg(long, value_name = "LEVEL", value_enum)]
    pub(crate) log_level: Option<Level>,
    /// How a line of the log is written.
    #[arg(
        long,
        value_name = "FORM",
        value_enum,
        default_value = "text",
        hide_short_help = true
    )]
    pub(crate) log_format: Form,
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
    /// This is to be printed, and that is all.
    Print(String),
    /// Somebody else who runs is to be asked.
    Ask(PathBuf),
}

impl Common {
    /// The configuration of the file; what the command line says counts more, and `more` is what the
    /// options of one program alone say.
    pub(crate) fn load(
        &self,
        role: Role,
        more: impl FnOnce(&mut Config),
    ) -> Result<Config, CommandError> {
        let mut config = match (&self.config, &self.listen) {
            (Some(file), _) => Config::load(file, role)?,
            (None, Some(listen)) => Config::bare(Network::bare(listen.clone())),
            (None, None) => return Err(CommandError::Missing("--config FILE, or --listen")),
        };
        if let Some(listen) = &self.listen {
            config.network.listen = listen.clone();
        }
        config.network.follow &= !self.ignore_network;
        if let Some(bytes) = self.read_buffer {
            config.network.read_buffer_size = usize::try_from(bytes).unwrap_or(usize::MAX);
        }
        config.logging.level = self.log_level.unwrap_or(config.logging.level);
        more(&mut config);
        if config.target(role).is_none() {
            return Err(CommandError::Missing(match role {
                Role::Client => "--server HOST:PORT",
                Role::Server => "--origin HOST:PORT",
            }));
        }
        Ok(config)
    }

    /// What is asked for.
    pub(crate) fn task(
        &self,
        role: Role,
        more: impl FnOnce(&mut Config),
    ) -> Result<Task, CommandError> {
        if self.generate_server_keypair {
            return keys::server(self.format.as_deref()).map(Task::Print);
        }
        if self.generate_client_uuid {
            return keys::client(self.format.as_deref()).map(Task::Print);
        }
        if self.status && self.status_socket.is_some() && self.config.is_none() {
            return Ok(Task::Ask(self.status_socket.clone().unwrap_or_default()));
        }
        let config = self.load(role, more)?;
        if self.check_config {
            return Ok(Task::Print(config.summary(role)));
        }
        if self.status {
            let socket = self.status_socket.clone().or(config.ops.status_socket);
            let missing = CommandError::Missing("ops.status_socket, or --status-socket PATH");
            return socket.map(Task::Ask).ok_or(missing);
        }
        if let Some(file) = &self.config {
            config.refuse_if_readable(file)?;
        }
        Ok(Task::Run(Box::new(config)))
    }
}

/// Prints what a command has to say, or why it has failed.
pub(crate) fn finish(role: Role, outcome: Result<String, CommandError>) -> Exit {
    match outcome {
        Ok(text) => {
            println!("{text}");
            Exit::Ok
        }
        Err(error) => {
            let program = role.word();
            eprintln!("fps_{program}: {}", fps_log::chain(&error));
            Exit::Usage
        }
    }
}
