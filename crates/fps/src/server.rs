//! `fps_server`: clients connect to it, it dials the origin, and its TUN is the tunnel's far end.

use std::collections::HashSet;
use std::ffi::OsString;
use std::process::ExitCode;
use std::rc::Rc;

use crate::cli;
use crate::config::{Config, Endpoint, Role};
use crate::exit::Exit;
use crate::identity::ClientUuid;
use crate::node::{self, End, NodeError};
use crate::session::{Direction, ServerSession, Session};
use crate::tunnel::{BySource, Dispatch};

/// Take IP packets out of the TLS connections that clients make through here to the origin.
#[derive(Debug, clap::Parser)]
#[command(name = "fps_server")]
struct Args {
    #[command(flatten)]
    common: cli::Common,
    /// Dial this instead of network.origin.
    #[arg(long, value_name = "IP:PORT")]
    origin: Option<Endpoint>,
}

/// Runs the program on a command line whose first word is its name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let exit = match cli::parse::<Args>(args) {
        Ok(Args { common, origin }) => node::main(Role::Server, common, origin, ServerEnd::build),
        Err(exit) => exit,
    };
    Exit::into(exit)
}

struct ServerEnd {
    allowed: Rc<HashSet<ClientUuid>>,
}

impl ServerEnd {
    #[expect(
        clippy::unnecessary_wraps,
        reason = "the client's end can fail; both have one shape"
    )]
    fn build(config: &Config) -> Result<Option<Box<dyn End>>, NodeError> {
        let zero_rtt = &config.security.zero_rtt;
        let end = || {
            Box::new(Self {
                allowed: Rc::new(zero_rtt.allowed()),
            }) as Box<dyn End>
        };
        Ok(zero_rtt.enabled.then(end))
    }
}

impl End for ServerEnd {
    fn outbound(&self) -> Direction {
        Direction::ServerToClient
    }

    fn session(&self) -> Box<dyn Session> {
        Box::new(ServerSession::new(Rc::clone(&self.allowed)))
    }

    fn dispatch(&self) -> Box<dyn Dispatch> {
        Box::new(BySource::default())
    }
}
