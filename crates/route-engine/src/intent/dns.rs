//! The names that are looked up through the tunnel.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use fps_netlink::LinkName;
use serde::{Deserialize, Serialize};

use super::text::serialize_as_text;

/// What systemd-resolved shall do with the TUN device (resolvectl(1)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dns {
    /// Servers that are reached through the tunnel.
    pub servers: Vec<DnsServer>,
    /// Domains that they are asked for.
    pub domains: Vec<DnsDomain>,
    /// Whether they are asked for the names of no domain as well; as the resolver has it, where that is
    /// none. A device with domains that are searched, and none that only routes, is asked for everything
    /// unless it is told otherwise (`dns_scope_is_default_route` in src/resolve/resolved-dns-scope.c).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_route: Option<bool>,
}

impl DnsDomain {
    /// The domain as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether queries are only routed by it.
    pub fn only_routes(&self) -> bool {
        self.0.starts_with('~')
    }

    /// Its name, without the tilde; `.` for the root.
    pub fn name(&self) -> &str {
        self.0.strip_prefix('~').unwrap_or(&self.0)
    }

    /// What makes it another one: neither capitals do, nor a dot at the end.
    fn key(&self) -> (bool, String) {
        let name = self.name();
        let bare = name.strip_suffix('.').unwrap_or(name);
        (self.only_routes(), bare.to_ascii_lowercase())
    }

    /// Adds the root to domains that are without it, so that no name is asked for elsewhere.
    pub(crate) fn take_all(domains: &mut Vec<Self>) {
        if !domains.iter().any(|domain| domain.0 == "~.") {
            domains.push(Self("~.".to_owned()));
        }
    }
}

impl Dns {
    /// These servers, for these domains and no other names; without domains for all.
    pub fn new(servers: Vec<DnsServer>, mut domains: Vec<DnsDomain>) -> Self {
        // One that is searched routes as well, and a resolver has each name once.
        let searched: Vec<_> = domains.iter().map(DnsDomain::key).collect();
        domains.retain(|domain| {
            let (only_routes, name) = domain.key();
            !only_routes || !searched.contains(&(false, name))
        });
        let default_route = Self::would_take_all(&domains).then_some(false);
        Self {
            servers,
            domains,
            default_route,
        }
    }

    /// Whether a device with these domains would be asked for all names, though none of them says so.
    pub(crate) fn would_take_all(domains: &[DnsDomain]) -> bool {
        let only_searched = |domain: &DnsDomain| !domain.only_routes() && domain.0 != ".";
        !domains.is_empty() && domains.iter().all(only_searched)
    }

    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty() && self.domains.is_empty()
    }
}

impl fmt::Display for Dns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers = self.servers.iter().map(ToString::to_string);
        let domains = self.domains.iter().map(ToString::to_string);
        let words: Vec<_> = servers.chain(domains).collect();
        f.write_str(&words.join(" "))
    }
}

/// A server: an address, perhaps with a port, an interface and the name in its certificate, as
/// `1.1.1.1:853%eth0#one.one.one.one` (resolved.conf(5)).
#[derive(Clone, Debug)]
pub struct DnsServer(String);

/// The port of a server that names none.
const PORT: u16 = 53;

impl DnsServer {
    /// A server of these parts.
    pub fn new(
        address: IpAddr,
        port: Option<u16>,
        name: Option<&str>,
    ) -> Result<Self, InvalidDnsServer> {
        let place = match port {
            Some(port) => SocketAddr::new(address, port).to_string(),
            None => address.to_string(),
        };
        let name = name.map_or_else(String::new, |name| format!("#{name}"));
        format!("{place}{name}").parse()
    }

    /// Its address.
    pub fn address(&self) -> IpAddr {
        self.place().0
    }

    /// Its port, if it names one.
    pub fn port(&self) -> Option<u16> {
        self.place().1
    }

    /// The interface by which it is reached, if it names one.
    pub fn link(&self) -> Option<LinkName> {
        let (front, _) = self.0.split_once('#').unwrap_or((&self.0, ""));
        let (_, link) = front.split_once('%')?;
        LinkName::new(link).ok()
    }

    /// The name in its certificate, if it names one.
    pub fn name(&self) -> Option<&str> {
        self.0.split_once('#').map(|(_, name)| name)
    }

    /// The same as one of a link's servers, which need not name that.
    pub(super) fn of_link(self, link: LinkName) -> Self {
        match self.link() == Some(link) {
            true => Self(self.0.replacen(&format!("%{link}"), "", 1)),
            false => self,
        }
    }

    fn place(&self) -> (IpAddr, Option<u16>) {
        let end = self.0.find(['%', '#']).unwrap_or(self.0.len());
        place(&self.0[..end]).expect("it was parsed before")
    }

    /// What makes it another one: not how its address is written, nor that its port is the usual one.
    fn key(&self) -> (IpAddr, u16, Option<LinkName>, Option<&str>) {
        let (address, port) = self.place();
        (address, port.unwrap_or(PORT), self.link(), self.name())
    }
}

/// An address, perhaps with a port.
fn place(text: &str) -> Option<(IpAddr, Option<u16>)> {
    match text.parse() {
        Ok(address) => Some((address, None)),
        Err(_) => {
            let place: SocketAddr = text.parse().ok()?;
            Some((place.ip(), Some(place.port())))
        }
    }
}

/// Two are equal that mean the same: a resolver tells what it has been told in other words.
macro_rules! equal_by_key {
    ($($type:ty),*) => {$(
        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.key() == other.key()
            }
        }

        impl Eq for $type {}

        impl Hash for $type {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.key().hash(state);
            }
        }
    )*};
}

equal_by_key!(DnsServer, DnsDomain);

serialize_as_text!(DnsServer, DnsDomain);

impl fmt::Display for DnsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for DnsServer {
    type Err = InvalidDnsServer;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (front, name) = text.split_once('#').unwrap_or((text, "."));
        let (address, link) = front.split_once('%').unwrap_or((front, "lo"));
        let is_right = place(address).is_some()
            && LinkName::new(link).is_ok()
            && name.parse::<DnsDomain>().is_ok();
        match is_right {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidDnsServer),
        }
    }
}

/// A text is no server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no IP address of a server, such as 10.66.0.1 or 10.66.0.1:53%fpsc0#dns.fps.test")]
pub struct InvalidDnsServer;

/// A search domain or, behind a tilde, a domain that only routes queries (resolved.conf(5)).
#[derive(Clone, Debug)]
pub struct DnsDomain(String);

impl fmt::Display for DnsDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for DnsDomain {
    type Err = InvalidDnsDomain;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.strip_prefix('~').unwrap_or(text);
        // `~.` is the root: all queries.
        let bare = name.strip_suffix('.').unwrap_or(name);
        let right = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && label
                    .chars()
                    .all(|c| c.is_alphanumeric() || "-_".contains(c))
        };
        if name == "." || (bare.len() <= 253 && bare.split('.').all(right)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidDnsDomain)
        }
    }
}

/// A text is no domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no domain, such as fps.test, or ~fps.test where queries are only routed by it")]
pub struct InvalidDnsDomain;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_an_address_and_perhaps_more() {
        for text in [
            "10.66.0.1",
            "fd66::1",
            "10.66.0.1:5353",
            "[fd66::1]:53",
            "10.66.0.1%fpsc0",
            "fe80::1%eth0#dns.fps.test",
            "10.66.0.1:853#dns.fps.test",
        ] {
            assert_eq!(text.parse::<DnsServer>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "dns.fps.test",
            "10.66.0.1/32",
            "10.66.0.1#",
            "10.66.0.1%",
            "%eth0",
        ] {
            assert_eq!(text.parse::<DnsServer>(), Err(InvalidDnsServer), "{text}");
        }
    }

    #[test]
    fn a_server_has_parts() {
        let server: DnsServer = "[fd66::1]:853%fpsc0#dns.fps.test".parse().unwrap();
        assert_eq!(server.address(), "fd66::1".parse::<IpAddr>().unwrap());
        assert_eq!(server.port(), Some(853));
        assert_eq!(server.link(), LinkName::new("fpsc0").ok());
        assert_eq!(server.name(), Some("dns.fps.test"));
        let of_link = server.of_link(LinkName::new("fpsc0").unwrap());
        assert_eq!(of_link.to_string(), "[fd66::1]:853#dns.fps.test");
        let server: DnsServer = "10.66.0.1".parse().unwrap();
        assert_eq!(server.address(), "10.66.0.1".parse::<IpAddr>().unwrap());
        assert_eq!(
            (server.port(), server.link(), server.name()),
            (None, None, None)
        );
    }

    #[test]
    fn what_means_the_same_is_equal() {
        let server = |text: &str| text.parse::<DnsServer>().unwrap();
        assert_eq!(server("10.66.0.1"), server("10.66.0.1:53"));
        assert_eq!(server("FD66:0::1"), server("[fd66::1]:53"));
        assert_ne!(server("10.66.0.1"), server("10.66.0.1:5353"));
        assert_ne!(server("10.66.0.1"), server("10.66.0.1#dns.fps.test"));
        assert_ne!(server("fe80::1%eth0"), server("fe80::1%wlan0"));
        let domain = |text: &str| text.parse::<DnsDomain>().unwrap();
        assert_eq!(domain("~FPS.test."), domain("~fps.test"));
        assert_ne!(domain("fps.test"), domain("~fps.test"));
        assert_ne!(domain("~."), domain("."));
    }

    #[test]
    fn a_domain_that_is_searched_is_not_routed_besides() {
        let domains = ["~fps.test", "FPS.test", "~example.net"];
        let domains = domains.iter().map(|domain| domain.parse().unwrap());
        let dns = Dns::new(Vec::new(), domains.collect());
        assert_eq!(dns.to_string(), "FPS.test ~example.net");
    }

    #[test]
    fn servers_of_a_domain_are_asked_for_nothing_else() {
        for (domains, default_route) in [
            (&[][..], None),
            (&["~fps.test"], None),
            (&["~."], None),
            (&["."], None),
            (&["fps.test", "~example.net"], None),
            (&["fps.test"], Some(false)),
            (&["fps.test", "example.net"], Some(false)),
        ] {
            let domains = domains.iter().map(|domain| domain.parse().unwrap());
            let dns = Dns::new(Vec::new(), domains.collect());
            assert_eq!(dns.default_route, default_route, "{dns}");
        }
    }

    #[test]
    fn a_domain_may_only_route() {
        for text in ["fps.test", "~fps.test", "~.", ".", "~fps.test.", "_x.a-b"] {
            assert_eq!(text.parse::<DnsDomain>().unwrap().to_string(), text);
        }
        for text in ["", "~", "~~a", "a..b", "--help", "-a", "a b", "a;b"] {
            assert_eq!(text.parse::<DnsDomain>(), Err(InvalidDnsDomain), "{text}");
        }
    }
}
