//! `fps_client`: applications connect to it, it dials the server, and its TUN is the tunnel's
//! near end.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Instant;

use crate::cli;
use crate::config::{Config, Endpoint, Role};
use crate::exit::Exit;
use crate::identity::{ClientUuid, InstanceId};
use crate::node::{self, End, NodeError};
use crate::session::{ClientSession, Direction, Session};
use crate::tunnel::{Dispatch, RoundRobin};

/// Carry IP packets in the TLS connections of this machine's applications.
#[derive(Debug, clap::Parser)]
#[command(name = "fps_client")]
struct Args {
    #[command(flatten)]
    common: cli::Common,
    /// Dial this instead of network.server.
    #[arg(long, value_name = "IP:PORT")]
    server: Option<Endpoint>,
}

/// Runs the program on a command line whose first word is its name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let exit = match cli::parse::<Args>(args) {
        Ok(Args { common, server }) => node::main(Role::Client, common, server, ClientEnd::build),
        Err(exit) => exit,
    };
    Exit::into(exit)
}

struct ClientEnd {
    client: ClientUuid,
    instance: InstanceId,
    delay: std::time::Duration,
}

impl ClientEnd {
    fn build(config: &Config) -> Result<Option<Box<dyn End>>, NodeError> {
        let zero_rtt = &config.security.zero_rtt;
        let Some(client) = zero_rtt.client_uuid.filter(|_| zero_rtt.enabled) else {
            return Ok(None);
        };
        let instance = InstanceId::random().map_err(|_| NodeError::Random)?;
        Ok(Some(Box::new(Self {
            client,
            instance,
            delay: zero_rtt.upgrade_delay(),
        })))
    }
}

impl End for ClientEnd {
    fn outbound(&self) -> Direction {
        Direction::ClientToServer
    }

    fn session(&self) -> Box<dyn Session> {
        let upgrade_at = Instant::now() + self.delay;
        Box::new(ClientSession::new(self.client, self.instance, upgrade_at))
    }

    fn dispatch(&self) -> Box<dyn Dispatch> {
        Box::new(RoundRobin::default())
    }
}
