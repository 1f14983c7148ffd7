//! `fps_server`: clients connect to it, it dials the origin, and its TUN is the tunnel's far end.

use std::cell::RefCell;
use std::ffi::OsString;
use std::process::ExitCode;
use std::rc::Rc;

use fps_wire::auth::Server;
use fps_wire::control::ClientInstance;

use crate::cli;
use crate::config::{Config, Endpoint, Role};
use crate::exit::Exit;
use crate::lease::{Leases, NoLease, Pool};
use crate::node::{self, Device, End, NodeError};
use crate::random;
use crate::session::{
    Admission, Admit, Asked, NotAdmitted, ServerIdentity, ServerSession, Session,
};
use crate::tunnel::{AutoConfigure, ByLease, BySource, Dispatch};
use fps_log::chain;

/// Take IP packets out of the TLS connections that clients make through here to the origin.
#[derive(Debug, clap::Parser)]
#[command(
    name = "fps_server",
    after_help = "Example: fps_server --config /etc/fps/server.json"
)]
struct Args {
    #[command(flatten)]
    common: cli::Common,
    /// Dial this instead of network.origin.
    #[arg(long, value_name = "HOST:PORT")]
    origin: Option<Endpoint>,
    /// Take an auth that crosses so many records of the origin, instead of
    /// limits.max_in_flight_records.
    #[arg(long, value_name = "COUNT", hide_short_help = true)]
    in_flight_records: Option<usize>,
    #[command(flatten)]
    leases: cli::LeaseCommand,
    #[command(flatten)]
    profile: cli::NewProfile,
}

/// The command line.
pub fn command() -> clap::Command {
    <Args as clap::CommandFactory>::command()
}

/// Runs the program on a command line whose first word is its name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let exit = match cli::parse::<Args>(args) {
        Ok(args) => run(args),
        Err(exit) => exit,
    };
    Exit::into(exit)
}

fn run(args: Args) -> Exit {
    let (origin, in_flight) = (args.origin, args.in_flight_records);
    let more = |config: &mut Config| {
        if let Some(origin) = origin {
            config.network.origin = Some(origin);
        }
        let limits = &mut config.limits;
        limits.max_in_flight_records = in_flight.unwrap_or(limits.max_in_flight_records);
    };
    if args.leases.is_asked() {
        let config = args.common.load(Role::Server, more);
        return cli::finish(Role::Server, config.and_then(|it| args.leases.run(&it)));
    }
    if args.profile.is_asked() {
        let format = args.common.format.as_deref();
        let config = args.common.load(Role::Server, more);
        let profile = config.and_then(|config| args.profile.run(&config, format));
        return cli::finish(Role::Server, profile);
    }
    node::main(Role::Server, args.common, more, ServerEnd::build)
}

struct ServerEnd {
    identity: Rc<ServerIdentity>,
    pool: Option<Pool>,
    isolates: bool,
}

impl ServerEnd {
    fn build(config: &Config, device: Device) -> Result<Option<Box<dyn End>>, NodeError> {
        let zero_rtt = &config.security.zero_rtt;
        let parts = (
            zero_rtt.server_private_key_base64.clone(),
            zero_rtt.profile(),
            zero_rtt.allowed(),
        );
        let ((Some(private), Some(profile), Some(allowed)), true) = (parts, zero_rtt.enabled)
        else {
            return Ok(None);
        };
        let pool = config.tun.pool();
        let admit: Rc<dyn Admit> = match pool.clone() {
            Some((pool, file)) => Rc::new(Landlord {
                leases: RefCell::new(Leases::load(pool, file)?),
                mtu: config.tun.mtu,
            }),
            None => Rc::new(Anybody),
        };
        let identity = ServerIdentity {
            server: Server::new(private),
            allowed,
            profile,
            least_records: zero_rtt.min_records_before_trial,
            in_flight: config.limits.max_in_flight_records,
            most_payload: zero_rtt.max_padding_size,
            capabilities: zero_rtt.all_capabilities(
                device.takes_whole,
                pool.as_ref().is_some_and(|(pool, _)| pool.v6().is_some()),
            ),
            codec: config.codec.of_session(config.tun.mtu.into()),
            keys: Box::new(random::System),
            admit,
        };
        Ok(Some(Box::new(Self {
            identity: Rc::new(identity),
            pool: pool.map(|(pool, _)| pool),
            isolates: config.tun.client_isolation,
        })))
    }
}

impl End for ServerEnd {
    fn link_is_far(&self) -> bool {
        false
    }

    fn session(&self) -> Box<dyn Session> {
        Box::new(ServerSession::new(Rc::clone(&self.identity)))
    }

    fn dispatch(&self) -> Box<dyn Dispatch> {
        match &self.pool {
            Some(pool) => Box::new(ByLease::new(*pool, self.isolates)),
            None => Box::new(BySource::default()),
        }
    }

    fn configure(&self, _config: &Config) -> Result<Option<AutoConfigure>, NodeError> {
        Ok(None)
    }
}

/// Without a pool: whoever is known is let in, and gets nothing.
#[derive(Debug)]
struct Anybody;

impl Admit for Anybody {
    fn admit(&self, asked: Asked<'_>) -> Result<Admission, NotAdmitted> {
        Ok(Admission {
            instance: ClientInstance::read(asked.payload).ok(),
            ..Admission::default()
        })
    }
}

/// Leases addresses.
#[derive(Debug)]
struct Landlord {
    leases: RefCell<Leases>,
    mtu: u16,
}

impl Admit for Landlord {
    fn admit(&self, asked: Asked<'_>) -> Result<Admission, NotAdmitted> {
        let instance = ClientInstance::read(asked.payload).map_err(|_| NotAdmitted::Payload)?;
        let mut leases = self.leases.borrow_mut();
        let address = leases.assign(*asked.client).map_err(|error| {
            let why = match error {
                NoLease::Exhausted => NotAdmitted::NoLease,
                NoLease::File(_) => NotAdmitted::LeaseFile,
            };
            let error = chain(&error);
            tracing::error!(event = "tun_lease_failed", error);
            why
        })?;
        tracing::info!(event = "tun_lease_assigned", %address);
        let mut payload = leases.pool().lease(address, self.mtu).to_bytes().to_vec();
        let v6 = leases.pool().lease_v6(address).filter(|_| asked.takes_v6);
        payload.extend(v6.iter().flat_map(|lease| lease.to_bytes()));
        Ok(Admission {
            payload,
            instance: Some(instance),
            address: Some(address),
            address_v6: v6.map(|lease| lease.client),
            leases: Some(leases.len() as u64),
        })
    }
}
