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
            resolv_conf(&Names {
                servers: host.first_name_servers(&scenario.nets),
                search: Vec::new(),
            }),
        )),
        Resolver::SystemdResolved => files.extend(resolved::files(geteuid().is_root())?),
    }
    let own = host.files.iter();
    files.extend(own.map(|file| FileSpec::secret(&file.path, &file.content)));
    Ok(files)
}

/// What a host is told of names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// Its name servers.
    pub(crate) servers: Vec<IpAddr>,
    /// The domains in which short names are.
    pub(crate) search: Vec<String>,
}

/// The machine's own would name servers that no host of the lab can reach.
pub(crate) fn resolv_conf(names: &Names) -> String {
    let mut text = String::new();
    if names.servers.is_empty() {
        text.push_str("# this lab has no DNS server\n");
    }
    if !names.search.is_empty() {
        writeln!(text, "search {}", names.search.join(" ")).expect("a String grows");
    }
    for server in &names.servers {
        writeln!(text, "nameserver {server}").expect("a String grows");
    }
    text
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
