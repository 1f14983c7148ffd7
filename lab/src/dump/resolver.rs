//! /etc/resolv.conf and `resolvectl status`.

use std::net::IpAddr;

/// What answers for the names of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostResolver {
    /// What /etc/resolv.conf holds.
    pub resolv_conf: Option<String>,
    /// Where it leads, if it is a symbolic link.
    pub link: Option<String>,
    /// What systemd-resolved is told of links, where it runs.
    pub resolved: Vec<ResolvedLink>,
}

/// What systemd-resolved is told of a link, or of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResolvedLink {
    /// The link; none of what is for all.
    pub link: Option<String>,
    /// Its servers.
    pub servers: Vec<IpAddr>,
    /// Its domains, with a tilde before those that are for routing alone.
    pub domains: Vec<String>,
    /// Whether it is asked for names that no domain claims, where that is told.
    pub default_route: Option<bool>,
}

impl HostResolver {
    /// The servers that /etc/resolv.conf names.
    pub fn classic(&self) -> Vec<IpAddr> {
        let lines = self.resolv_conf.as_deref().unwrap_or_default().lines();
        let servers = lines.filter_map(|line| {
            let mut words = line.split_whitespace();
            let is = words.next() == Some("nameserver");
            is.then(|| words.next()?.parse().ok()).flatten()
        });
        servers.collect()
    }

    /// All servers that are on other hosts, each once.
    pub fn servers(&self) -> Vec<IpAddr> {
        let mut servers: Vec<IpAddr> = Vec::new();
        let of_links = self.resolved.iter().flat_map(|link| link.servers.clone());
        for server in self.classic().into_iter().chain(of_links) {
            let elsewhere = !server.is_loopback() && !server.is_unspecified();
            if elsewhere && !server.is_multicast() && !servers.contains(&server) {
                servers.push(server);
            }
        }
        servers
    }
}

/// Reads `resolvectl status`: sections with fields, whose values may go on in the next lines.
pub(super) fn resolved(text: &str) -> Vec<ResolvedLink> {
    let mut links: Vec<ResolvedLink> = Vec::new();
    let mut field = String::new();
    for line in text.lines() {
        if !line.starts_with(char::is_whitespace) && !line.trim().is_empty() {
            links.extend(section(line));
            field.clear();
            continue;
        }
        let Some(current) = links.last_mut() else {
            continue;
        };
        let (name, value) = match line.split_once(": ") {
            // An address of IPv6 has colons, but no space behind them.
            Some((name, value)) => (name.trim(), value.trim()),
            None => match line.trim().strip_suffix(':') {
                Some(name) => (name, ""),
                None => ("", line.trim()),
            },
        };
        if !name.is_empty() {
            name.clone_into(&mut field);
        }
        match field.as_str() {
            "DNS Servers" => {
                let servers = value.split_whitespace().filter_map(server);
                current.servers.extend(servers);
            }
            "DNS Domain" | "DNS Domains" => {
                let domains = value.split_whitespace().map(str::to_owned);
                current.domains.extend(domains);
            }
            "Default Route" => current.default_route = Some(value == "yes"),
            "Protocols" if value.contains("+DefaultRoute") => current.default_route = Some(true),
            "Protocols" if value.contains("-DefaultRoute") => current.default_route = Some(false),
            _ => {}
        }
    }
    links.retain(|link| !link.servers.is_empty() || !link.domains.is_empty());
    links
}

/// `Link 2 (eth0)`, or `Global`.
fn section(line: &str) -> Option<ResolvedLink> {
    if line.starts_with("Global") {
        return Some(ResolvedLink::default());
    }
    let (_, name) = line.strip_prefix("Link ")?.split_once('(')?;
    Some(ResolvedLink {
        link: Some(name.trim_end().trim_end_matches(')').to_owned()),
        ..ResolvedLink::default()
    })
}

/// A server: an address, perhaps with port, link and name: `192.0.2.1:53%eth0#dns.example`.
fn server(text: &str) -> Option<IpAddr> {
    let text = text.split(['#', '%']).next()?;
    let text = text
        .strip_prefix('[')
        .map_or(text, |text| text.split(']').next().unwrap_or(text));
    let without_port = || text.rsplit_once(':').and_then(|(ip, _)| ip.parse().ok());
    text.parse().ok().or_else(without_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_resolvectl_prints() {
        let text = "Global\n         Protocols: -LLMNR -mDNS\n  resolv.conf mode: stub\n\n\
                    Link 2 (eth0)\n    Current Scopes: DNS\n         Protocols: +DefaultRoute +LLMNR\n\
                    Current DNS Server: 192.0.2.1\n       DNS Servers: 192.0.2.1 fd00::1%2\n        \
                    \x20           192.0.2.2\n        DNS Domain: corp.example ~.\n";
        let links = resolved(text);
        let [link] = &links[..] else {
            panic!("{links:?}")
        };
        assert_eq!(link.link.as_deref(), Some("eth0"));
        let servers: Vec<String> = link.servers.iter().map(IpAddr::to_string).collect();
        assert_eq!(servers, ["192.0.2.1", "fd00::1", "192.0.2.2"]);
        assert_eq!(link.domains, ["corp.example", "~."]);
        assert_eq!(link.default_route, Some(true));
    }
}
