//! /etc/resolv.conf, and who answers for names.

use std::net::IpAddr;

use super::Resolved;

/// What answers for the names of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostResolver {
    /// What /etc/resolv.conf holds.
    pub resolv_conf: Option<String>,
    /// Where it leads, if it is a symbolic link.
    pub link: Option<String>,
    /// What systemd-resolved is told, where it runs.
    pub resolved: Option<Resolved>,
}

impl HostResolver {
    /// The servers that /etc/resolv.conf names.
    pub fn classic(&self) -> Vec<IpAddr> {
        let lines = self.resolv_conf.as_deref().unwrap_or_default().lines();
        let servers = lines.filter_map(|line| {
            let mut words = line.split_whitespace();
            let is = words.next() == Some("nameserver");
            // One of a link is named with that link (resolv.conf(5)).
            let address = |word: &str| word.split('%').next()?.parse().ok();
            is.then(|| address(words.next()?)).flatten()
        });
        servers.collect()
    }

    /// All servers that are on other hosts, each once.
    pub fn servers(&self) -> Vec<IpAddr> {
        let mut servers: Vec<IpAddr> = Vec::new();
        let resolved = self.resolved.iter().flat_map(Resolved::servers);
        for server in self.classic().into_iter().chain(resolved) {
            let elsewhere = !server.is_loopback() && !server.is_unspecified();
            if elsewhere && !server.is_multicast() && !servers.contains(&server) {
                servers.push(server);
            }
        }
        servers
    }
}
