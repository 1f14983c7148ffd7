//! What a scenario needs of the machine, looked at before anything is built.

use std::fs::OpenOptions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::unistd::geteuid;

use super::{LabError, resolved};
use crate::sandbox::PATH;
use crate::scenario::{Host, Resolver, Scenario};

/// The program of a resolver.
const RESOLVED: &str = "systemd-resolved";
/// The device that a TUN is opened by.
const TUN: &str = "/dev/net/tun";

pub(super) fn check(scenario: &Scenario) -> Result<(), LabError> {
    if let Some(program) = missing(scenario).next() {
        if program == RESOLVED {
            return Err(LabError::NoResolved);
        }
        let (program, remedy) = (program.to_owned(), remedy(program));
        return Err(LabError::Missing { program, remedy });
    }
    if scenario.tunnel.is_some() {
        // A device node may be opened by its mode alone, whatever the capabilities in a user
        // namespace.
        let opened = OpenOptions::new().read(true).write(true).open(TUN);
        opened.map(drop).map_err(LabError::NoTun)?;
    }
    if !geteuid().is_root()
        && let Some(what) = needs_root(scenario)
    {
        return Err(LabError::NeedsRoot { what });
    }
    Ok(())
}

/// What an ordinary user's lab cannot do: its user namespace has one user only, and its control
/// group belongs to root.
fn needs_root(scenario: &Scenario) -> Option<String> {
    let groups = scenario
        .hosts
        .iter()
        .find(|(_, host)| !host.cgroups.is_empty());
    if let Some((name, _)) = groups {
        return Some(format!("the control groups of {name}"));
    }
    let expectations = scenario.steps.iter().flat_map(|step| &step.expect);
    let uid = expectations
        .filter_map(|it| it.check.probe()?.sender.uid)
        .next()?;
    Some(format!("the user {uid}, as whom a probe asks"))
}

/// The programs that a scenario needs and this machine does not have.
pub fn missing(scenario: &Scenario) -> impl Iterator<Item = &str> {
    let needs = scenario.needs.iter().map(String::as_str);
    let needs = needs.filter(|program| !has_program(program));
    let wants = scenario.hosts.values().any(has_resolved);
    let resolved = (wants && resolved::find().is_none()).then_some(RESOLVED);
    needs.chain(resolved)
}

fn has_resolved(host: &Host) -> bool {
    host.resolver == Resolver::SystemdResolved
}

/// The command that brings a program on Debian.
fn remedy(program: &str) -> String {
    let package = match program {
        // Debian has it not.
        "boringtun-cli" => return "ci/boringtun".to_owned(),
        "wg" => "wireguard-tools",
        "certutil" => "libnss3-tools",
        "nft" => "nftables",
        RESOLVED => "systemd-resolved libnss-resolve dbus-daemon",
        same => same,
    };
    format!("apt-get install {package}")
}

/// Looks a program up where the hosts will.
fn has_program(program: &str) -> bool {
    PATH.split(':').any(|folder| {
        let file = Path::new(folder).join(program).metadata();
        file.is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    })
}
