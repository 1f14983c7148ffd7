//! What a host finds in /etc.

use std::fmt::Write;
use std::net::IpAddr;

use nix::unistd::geteuid;

use super::{LabError, resolved};
use crate::play::CARRIER_NAME;
use crate::sandbox::FileSpec;
use crate::scenario::{Host, HostName, Resolver, Scenario, Vpn};

/// Where programs look for name servers.
pub(super) const RESOLV_CONF: &str = "/etc/resolv.conf";
/// Where that leads with systemd-resolved(8).
pub(super) const STUB: &str = "../run/systemd/resolve/stub-resolv.conf";

/// The files of one host.
pub(super) fn of(
    scenario: &Scenario,
    name: &HostName,
    host: &Host,
) -> Result<Vec<FileSpec>, LabError> {
    let mut files = vec![
        FileSpec::new("/etc/hostname", format!("{name}\n")),
        FileSpec::new("/etc/hosts", hosts(scenario, name, host)),
    ];
    match host.resolver {
        Resolver::ResolvConf => files.push(FileSpec::new(
            RESOLV_CONF,
            resolv_conf(&host.first_name_servers(&scenario.nets)),
        )),
        Resolver::SystemdResolved => files.extend(resolved::files(geteuid().is_root())?),
    }
    let own = host.files.iter();
    files.extend(own.map(|file| FileSpec::secret(&file.path, &file.content)));
    Ok(files)
}

/// The machine's own would name servers that no host of the lab can reach.
pub(crate) fn resolv_conf(servers: &[IpAddr]) -> String {
    match servers {
        [] => "# this lab has no DNS server\n".to_owned(),
        servers => servers
            .iter()
            .map(|server| format!("nameserver {server}\n"))
            .collect(),
    }
}

/// The host itself first, then what the scenario adds, then every other host.
fn hosts(scenario: &Scenario, name: &HostName, host: &Host) -> String {
    let mut text = format!("127.0.0.1 localhost\n127.0.1.1 {name}\n::1 localhost\n");
    // The hosts-file override: the application's own name for the origin leads to the client.
    if scenario
        .tunnel
        .as_ref()
        .is_some_and(|tunnel| tunnel.client == *name && matches!(tunnel.vpn, Vpn::Fps(_)))
    {
        writeln!(text, "127.0.0.1 {CARRIER_NAME}").expect("a String grows");
    }
    for line in &host.hosts_file {
        writeln!(text, "{} {}", line.address, line.names.join(" ")).expect("a String grows");
    }
    for (other, host) in scenario.hosts.iter().filter(|(other, _)| *other != name) {
        for address in host.links.values().flat_map(|link| &link.addresses) {
            writeln!(text, "{} {other}", address.addr()).expect("a String grows");
        }
    }
    text
}
