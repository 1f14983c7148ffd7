//! `resolvectl status`, as systemd 239 and later print it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// What systemd-resolved(8) is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// What is for all links.
    pub global: Scope,
    /// What is for one link.
    pub links: Vec<(String, Scope)>,
}

/// What it is told of a link, or of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Its servers.
    pub servers: Vec<Server>,
    /// Its domains, with a tilde before those that are for routing alone.
    pub domains: Vec<String>,
    /// Whether it is asked for names that no domain claims.
    pub default_route: Option<bool>,
    /// What else is on or off, by the words of resolved.conf(5).
    pub modes: BTreeMap<Mode, &'static str>,
}

/// A server, as `resolvectl dns` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its address.
    pub ip: IpAddr,
    /// Its port, if not 53 or, with TLS, 853.
    pub port: Option<u16>,
    /// The name of its certificate.
    pub name: Option<String>,
}

/// What is on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Link-local multicast name resolution (RFC 4795).
    Llmnr,
    /// Multicast DNS (RFC 6762).
    MulticastDns,
    /// DNS by TLS (RFC 7858).
    DnsOverTls,
    /// Validation (RFC 4033).
    Dnssec,
}

impl Mode {
    /// All.
    pub const ALL: [Self; 4] = [
        Self::Llmnr,
        Self::MulticastDns,
        Self::DnsOverTls,
        Self::Dnssec,
    ];

    /// Its key in resolved.conf(5).
    pub fn key(self) -> &'static str {
        match self {
            Self::Llmnr => "LLMNR",
            Self::MulticastDns => "MulticastDNS",
            Self::DnsOverTls => "DNSOverTLS",
            Self::Dnssec => "DNSSEC",
        }
    }

    /// The command of resolvectl(1) that sets it for a link.
    pub fn command(self) -> &'static str {
        match self {
            Self::Llmnr => "llmnr",
            Self::MulticastDns => "mdns",
            Self::DnsOverTls => "dnsovertls",
            Self::Dnssec => "dnssec",
        }
    }

    fn of(name: &str) -> Option<Self> {
        let is = |mode: &Self| mode.key() == name || *mode == Self::MulticastDns && name == "mDNS";
        Self::ALL.into_iter().find(is)
    }
}

impl Resolved {
    /// Reads it; none of what is no status, such as the complaint of a resolvectl that found nobody.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut scopes: Vec<(Option<String>, Scope)> = Vec::new();
        let mut field = String::new();
        for line in text.lines() {
            if let Some(link) = section(line) {
                scopes.push((link, Scope::default()));
                field.clear();
                continue;
            }
            let Some((_, scope)) = scopes.last_mut() else {
                continue;
            };
            let (name, value) = split(line);
            if !name.is_empty() {
                name.clone_into(&mut field);
            }
            scope.take(&field, value);
        }
        let mut resolved = Self::default();
        let is_there = !scopes.is_empty();
        for (link, scope) in scopes {
            match link {
                Some(link) => resolved.links.push((link, scope)),
                None => resolved.global = scope,
            }
        }
        is_there.then_some(resolved)
    }

    /// The addresses of all servers.
    pub(super) fn servers(&self) -> impl Iterator<Item = IpAddr> {
        let links = self.links.iter().map(|(_, scope)| scope);
        let scopes = links.chain([&self.global]);
        scopes.flat_map(|scope| scope.servers.iter().map(|server| server.ip))
    }
}

impl Scope {
    /// Takes a value of a field, of which there may be one more in the next line.
    fn take(&mut self, field: &str, value: &str) {
        let words = value.split_whitespace();
        match field {
            "DNS Servers" => self.servers.extend(words.filter_map(Server::read)),
            "DNS Domain" | "DNS Domains" => {
                let domains = words.filter(|word| is_domain(word));
                self.domains.extend(domains.map(str::to_owned));
            }
            "Protocols" => words.for_each(|word| self.protocol(word)),
            // As it was before systemd 248.
            "Default Route" | "DefaultRoute setting" => self.default_route = Some(value == "yes"),
            field => {
                let mode = field.strip_suffix(" setting").and_then(Mode::of);
                self.set(mode, value);
            }
        }
    }

    /// `+DefaultRoute`, `-LLMNR`, `mDNS=resolve`, `DNSSEC=no/unsupported`.
    fn protocol(&mut self, word: &str) {
        let (name, value) = match (word.strip_prefix('+'), word.strip_prefix('-')) {
            (Some(name), _) => (name, "yes"),
            (_, Some(name)) => (name, "no"),
            _ => word.split_once('=').unwrap_or_default(),
        };
        match name {
            "DefaultRoute" => self.default_route = Some(value == "yes"),
            name => self.set(Mode::of(name), value),
        }
    }

    fn set(&mut self, mode: Option<Mode>, value: &str) {
        const WORDS: [&str; 5] = ["yes", "no", "resolve", "opportunistic", "allow-downgrade"];
        // Behind the slash it says what the server can do.
        let value = value.split('/').next().unwrap_or_default();
        if let (Some(mode), Some(word)) = (mode, WORDS.iter().find(|word| **word == value)) {
            self.modes.insert(mode, word);
        }
    }
}

impl Server {
    /// An address, perhaps with port, link and name: `192.0.2.1:53%eth0#dns.example`.
    fn read(text: &str) -> Option<Self> {
        let (text, name) = match text.split_once('#') {
            Some((text, name)) => (text, Some(name)),
            None => (text, None),
        };
        let text = text.split('%').next()?;
        let (ip, port) = match text.strip_prefix('[') {
            Some(text) => text.split_once(']')?,
            None => match text.parse::<IpAddr>() {
                Ok(_) => (text, ""),
                Err(_) => text.split_at(text.find(':')?),
            },
        };
        let port = port.strip_prefix(':').map(str::parse).transpose().ok()?;
        let name = name.filter(|name| is_domain(name)).map(str::to_owned);
        Some(Self {
            ip: ip.parse().ok()?,
            port,
            name,
        })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.ip, self.port) {
            (ip, None) => write!(f, "{ip}")?,
            (IpAddr::V4(ip), Some(port)) => write!(f, "{ip}:{port}")?,
            (IpAddr::V6(ip), Some(port)) => write!(f, "[{ip}]:{port}")?,
        }
        match &self.name {
            Some(name) => write!(f, "#{name}"),
            None => Ok(()),
        }
    }
}

/// Nothing but what stands in a domain: it goes into a file and a command line.
fn is_domain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let name = text.strip_prefix('~').unwrap_or(text);
    !name.is_empty() && !name.starts_with('-') && name.chars().all(plain) && name.len() < 256
}

/// `Link 2 (eth0)`, or `Global`. Fields begin with space, but for the longest.
#[expect(clippy::option_option, reason = "a section of none is for all links")]
fn section(line: &str) -> Option<Option<String>> {
    if line.trim_end() == "Global" {
        return Some(None);
    }
    let (_, name) = line.strip_prefix("Link ")?.split_once('(')?;
    Some(Some(name.trim_end().trim_end_matches(')').to_owned()))
}

/// A field's name and value; no name where the value of the one before goes on.
fn split(line: &str) -> (&str, &str) {
    match line.split_once(": ") {
        // An address of IPv6 has colons, but no space behind them.
        Some((name, value)) => (name.trim(), value.trim()),
        None => match line.trim().strip_suffix(':') {
            Some(name) => (name, ""),
            None => ("", line.trim()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(scope: &Scope) -> Vec<String> {
        scope.servers.iter().map(Server::to_string).collect()
    }

    #[test]
    fn reads_what_resolvectl_prints() {
        let text = "Global\n         Protocols: -LLMNR mDNS=resolve -DNSOverTLS DNSSEC=no/unsupported\n  \
                    resolv.conf mode: stub\nFallback DNS Servers: 9.9.9.9\n\n\
                    Link 2 (eth0)\n    Current Scopes: DNS\n         Protocols: +DefaultRoute +LLMNR \
                    DNSOverTLS=opportunistic DNSSEC=allow-downgrade/supported\n\
                    Current DNS Server: 192.0.2.1\n       DNS Servers: 192.0.2.1 fd00::1%2\n        \
                    \x20           192.0.2.2:5353#dns.example\n        DNS Domain: corp.example ~.\n";
        let resolved = Resolved::read(text).expect("a status");
        assert!(resolved.global.servers.is_empty());
        let modes: Vec<_> = resolved.global.modes.into_iter().collect();
        assert_eq!(
            modes,
            [
                (Mode::Llmnr, "no"),
                (Mode::MulticastDns, "resolve"),
                (Mode::DnsOverTls, "no"),
                (Mode::Dnssec, "no")
            ]
        );
        let [(name, link)] = &resolved.links[..] else {
            panic!("{:?}", resolved.links)
        };
        assert_eq!(name, "eth0");
        let read = servers(link);
        assert_eq!(read, ["192.0.2.1", "fd00::1", "192.0.2.2:5353#dns.example"]);
        assert_eq!(link.domains, ["corp.example", "~."]);
        assert_eq!(link.default_route, Some(true));
        assert_eq!(link.modes[&Mode::DnsOverTls], "opportunistic");
        assert_eq!(link.modes[&Mode::Dnssec], "allow-downgrade");
    }

    #[test]
    fn reads_what_older_ones_print() {
        let text = "Global\n       LLMNR setting: no\nMulticastDNS setting: yes\n  DNSOverTLS setting: no\n      \
                    DNSSEC setting: no\n    DNSSEC supported: yes\n         DNS Servers: 192.0.2.9\n\n\
                    Link 3 (wlan0)\n      Current Scopes: DNS\nDefaultRoute setting: no\n       LLMNR setting: yes\n";
        let resolved = Resolved::read(text).expect("a status");
        assert_eq!(servers(&resolved.global), ["192.0.2.9"]);
        assert_eq!(resolved.global.modes[&Mode::MulticastDns], "yes");
        assert_eq!(resolved.global.modes[&Mode::Dnssec], "no");
        assert_eq!(resolved.links[0].1.default_route, Some(false));
        assert_eq!(resolved.links[0].1.modes[&Mode::Llmnr], "yes");
    }

    #[test]
    fn takes_nothing_that_is_no_status_or_no_name() {
        assert_eq!(Resolved::read("sd_bus_open_system: No such file\n"), None);
        let text = "Link 2 (eth0)\n DNS Servers: 1.2.3 [::1 [::1]:x 1.2.3.4:99999 2.3.4.5#$(id)\n DNS Domain: `id` ~ -x a;b ok\n";
        let resolved = Resolved::read(text).expect("a status");
        assert_eq!(servers(&resolved.links[0].1), ["2.3.4.5"]);
        assert_eq!(resolved.links[0].1.domains, ["ok"]);
    }
}
