//! `fps_client`: applications connect to it, it dials the server, and its TUN is the tunnel's
//! near end.

use std::ffi::OsString;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Instant;

use fps_wire::auth::Client;
use fps_wire::control::ClientInstance;

use crate::cli;
use crate::config::{Config, Endpoint, Role, ZeroRtt};
use crate::exit::Exit;
use crate::node::{self, Device, End, NodeError};
use crate::random;
use crate::session::{ClientIdentity, ClientSession, Session};
use crate::tunnel::{AutoConfigure, Dispatch, RoundRobin};

/// Carry IP packets in the TLS connections of this machine's applications.
#[derive(Debug, clap::Parser)]
#[command(
    name = "fps_client",
    after_help = "Example: fps_client --config /etc/fps/client.json"
)]
struct Args {
    #[command(flatten)]
    common: cli::Common,
    /// Dial this instead of network.server.
    #[arg(long, value_name = "HOST:PORT")]
    server: Option<Endpoint>,
    #[command(flatten)]
    from_uri: cli::FromUri,
}

/// The command line.
pub fn command() -> clap::Command {
    <Args as clap::CommandFactory>::command()
}

/// Runs the program on a command line whose first word is its name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let exit = match cli::parse::<Args>(args) {
        Ok(args) => match args.from_uri.run() {
            Some(outcome) => cli::finish(Role::Client, outcome),
            None => {
                let more = |config: &mut Config| {
                    if let Some(server) = args.server {
                        config.network.server = Some(server);
                    }
                };
                node::main(Role::Client, args.common, more, ClientEnd::build)
            }
        },
        Err(exit) => exit,
    };
    Exit::into(exit)
}

struct ClientEnd {
    identity: Rc<ClientIdentity>,
    zero_rtt: ZeroRtt,
}

impl ClientEnd {
    fn build(config: &Config, device: Device) -> Result<Option<Box<dyn End>>, NodeError> {
        let zero_rtt = &config.security.zero_rtt;
        let parts = (
            &zero_rtt.client_uuid,
            zero_rtt.server_public_key_base64,
            zero_rtt.profile(),
        );
        let (Some(uuid), Some(server), Some(profile), true) =
            (parts.0, parts.1, parts.2, zero_rtt.enabled)
        else {
            return Ok(None);
        };
        let client = Client::new(uuid.private_key(), server)?;
        let identity = ClientIdentity {
            client,
            profile,
            least_records: zero_rtt.min_records_before_trial,
            most_payload: zero_rtt.max_padding_size,
            capabilities: zero_rtt.all_capabilities(device.takes_whole, true),
            instance: ClientInstance(*random::bytes()?),
            codec: config.codec.of_session(config.tun.mtu.into()),
            keys: Box::new(random::System),
        };
        Ok(Some(Box::new(Self {
            identity: Rc::new(identity),
            zero_rtt: zero_rtt.clone(),
        })))
    }
}

impl End for ClientEnd {
    fn link_is_far(&self) -> bool {
        true
    }

    fn session(&self) -> Box<dyn Session> {
        // Without random bytes it is the mean, and the session will say so when it needs a key.
        let random = random::bytes().map_or([127; 12], |bytes| *bytes);
        let upgrade_at = Instant::now() + self.zero_rtt.upgrade_delay(&random);
        Box::new(ClientSession::new(Rc::clone(&self.identity), upgrade_at))
    }

    fn dispatch(&self) -> Box<dyn Dispatch> {
        Box::new(RoundRobin::default())
    }

    fn configure(&self, config: &Config) -> Result<Option<AutoConfigure>, NodeError> {
        let name = config.tun.name.filter(|_| config.tun.auto_configure);
        Ok(name.map(AutoConfigure::new).transpose()?)
    }
}
