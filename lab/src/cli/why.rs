//! `fps-lab why`.

use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use fps_netlink::{Fwmark, IpProtocol, LinkName};

use super::{Exit, check, import};
use crate::explain::Query;
use crate::folder::Folder;
use crate::lab::Site;
use crate::play::{End, Event, Live};
use crate::scenario::{HostName, Scenario};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: fps-lab why customer 10.66.1.20 --in bug.toml --via fpsc0")]
pub(super) struct Arguments {
    /// The host whose routes are asked; of an archive it is its only one, under any name
    #[arg(value_name = "HOST")]
    host: String,
    /// Where the packet is to go: an address, or a host of the scenario
    #[arg(value_name = "DESTINATION")]
    destination: String,
    /// A scenario, whose acts are done, or an archive of `fps-lab collect`, of which nothing is built
    #[arg(long = "in", value_name = "FILE")]
    file: PathBuf,
    /// The last step whose acts are done, by name or number
    #[arg(long, value_name = "STEP")]
    to: Option<String>,
    /// The link by which it should leave: what may keep it from that is told
    #[arg(long, value_name = "LINK")]
    via: Option<LinkName>,
    /// The mark of the packet
    #[arg(long, value_name = "MARK")]
    mark: Option<Fwmark>,
    /// Its source
    #[arg(long, value_name = "IP")]
    from: Option<IpAddr>,
    /// The link by which it comes in, to be sent on
    #[arg(long, value_name = "LINK")]
    iif: Option<LinkName>,
    /// The port that it goes to
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Whose port that is: tcp or udp
    #[arg(
        long,
        value_name = "PROTOCOL",
        default_value = "tcp",
        hide_possible_values = true
    )]
    proto: Protocol,
    /// The user whose socket it is of, by number; without it, rules by users are passed over
    #[arg(long, value_name = "UID", conflicts_with = "iif")]
    uid: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Protocol {
    Tcp,
    Udp,
}

impl Arguments {
    fn query(&self, to: IpAddr) -> Query {
        let protocol = match self.proto {
            Protocol::Tcp => IpProtocol::Tcp,
            Protocol::Udp => IpProtocol::Udp,
        };
        Query {
            to,
            from: self.from,
            mark: self.mark,
            came_in: self.iif,
            port: self.port.map(|port| (protocol, port)),
            user: self.uid,
        }
    }
}

pub(super) fn main(arguments: &Arguments) -> Exit {
    let lines = match is_archive(&arguments.file) {
        Err(error) => Err((
            Exit::Invalid,
            format!("{}: {error}", arguments.file.display()),
        )),
        Ok(true) => of_archive(arguments).map_err(|error| (Exit::Invalid, error)),
        Ok(false) => of_scenario(arguments),
    };
    match lines {
        Ok(lines) => {
            lines.iter().for_each(|line| say!("{line}"));
            Exit::Passed
        }
        Err((exit, error)) => {
            if !error.is_empty() {
                complain!("fps-lab: {error}");
            }
            exit
        }
    }
}

/// Whether a file is no text: gzip begins with a byte that no text of UTF-8 has second, and tar has its
/// name 257 bytes behind.
fn is_archive(path: &Path) -> std::io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(512).read_to_end(&mut head)?;
    let tar = head.get(257..262).is_some_and(|name| name == b"ustar");
    Ok(head.starts_with(&[0x1f, 0x8b]) || tar)
}

fn of_archive(arguments: &Arguments) -> Result<Vec<String>, String> {
    let path = arguments.file.display();
    if arguments.to.is_some() {
        return Err("an archive has no steps: leave --to out".to_owned());
    }
    let to = arguments.destination.parse();
    let to = to.map_err(|_| format!("`{}` is no address", arguments.destination))?;
    let dump = import::read(&arguments.file).map_err(|error| format!("{path}: {error}"))?;
    let lines = dump.explain(&arguments.host, &arguments.query(to), arguments.via)?;
    // The kernel of that host may decide by what is not known here.
    for remark in dump.remarks.lines() {
        complain!("fps-lab: not in this answer: {remark}");
    }
    Ok(lines)
}

fn of_scenario(arguments: &Arguments) -> Result<Vec<String>, (Exit, String)> {
    let invalid = |error: String| (Exit::Invalid, error);
    let files = check::load(std::slice::from_ref(&arguments.file));
    let file = files.map_err(|exit| (exit, String::new()))?.remove(0);
    let scenario = file.scenario;
    let host = HostName::new(arguments.host.as_str());
    if !scenario.hosts.contains_key(&host) {
        let names: Vec<&str> = scenario.hosts.keys().map(HostName::as_str).collect();
        let names = names.join(", ");
        return Err(invalid(format!(
            "there is no host {host}; there are: {names}"
        )));
    }
    let to = destination(&scenario, &arguments.destination).map_err(invalid)?;
    let last = last_step(&scenario, arguments.to.as_deref()).map_err(invalid)?;
    let prefixes = prefixes(&scenario, last);
    let no_lab = |error: String| (Exit::NoLab, error);
    let temporary = tempfile::tempdir().map_err(|error| no_lab(error.to_string()))?;
    let folder = Folder::create(temporary.path()).map_err(|error| no_lab(error.to_string()))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| no_lab(error.to_string()))?;
    runtime.block_on(async {
        let observe: &mut dyn FnMut(Event<'_>) = &mut |_| {};
        let site = Site::this_program();
        let live = Live::set_up(&scenario, &site, &folder, observe).await;
        let mut live = live.map_err(|end| match end {
            End::NotBuilt(error) => (Exit::NoLab, error),
            other => (Exit::Failed, format!("{other:?}")),
        })?;
        for prefix in &prefixes {
            let done = live.advance(prefix, None).await;
            done.map_err(|(_, error)| (Exit::Failed, error))?;
        }
        let lines = live
            .explain(&host, &arguments.query(to), arguments.via)
            .await;
        live.strike();
        lines.map_err(invalid)
    })
}

/// The scenario up to each of its steps, with nothing expected.
fn prefixes(scenario: &Scenario, last: usize) -> Vec<Scenario> {
    let mut bare = scenario.clone();
    bare.steps.iter_mut().for_each(|step| step.expect.clear());
    let until = |count| {
        let mut prefix = bare.clone();
        prefix.steps.truncate(count);
        prefix
    };
    (1..=last).map(until).collect()
}

/// How many steps are done.
fn last_step(scenario: &Scenario, wanted: Option<&str>) -> Result<usize, String> {
    let steps = &scenario.steps;
    let Some(wanted) = wanted else {
        return Ok(steps.len());
    };
    let by_name = steps.iter().position(|step| step.name == wanted);
    let by_number = || {
        wanted
            .parse()
            .ok()
            .filter(|number| (1..=steps.len()).contains(number))
    };
    let found = by_name.map(|place| place + 1).or_else(by_number);
    found.ok_or_else(|| {
        let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
        format!(
            "there is no step `{wanted}`; there are: {}",
            names.join(", ")
        )
    })
}

/// An address, or the first one of a host.
fn destination(scenario: &Scenario, text: &str) -> Result<IpAddr, String> {
    if let Ok(ip) = text.parse() {
        return Ok(ip);
    }
    let host = scenario.hosts.get(&HostName::new(text));
    let host =
        host.ok_or_else(|| format!("`{text}` is neither an address nor a host of the scenario"))?;
    let first = host.links.values().find_map(|link| link.addresses.first());
    let first = first.ok_or_else(|| format!("{text} has no address in the file: give one"))?;
    Ok(first.addr())
}
