//! The names that are looked up through the tunnel.

use std::fmt;
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

    /// Adds the root to domains that are without it, so that no name is asked for elsewhere.
    pub(crate) fn take_all(domains: &mut Vec<Self>) {
        if !domains.iter().any(|domain| domain.0 == "~.") {
            domains.push(Self("~.".to_owned()));
        }
    }
}

impl Dns {
    /// These servers, for these domains and no other names; without domains for all.
    pub fn new(servers: Vec<DnsServer>, domains: Vec<DnsDomain>) -> Self {
        let default_route = Self::would_take_all(&domains).then_some(false);
        Self {
            servers,
            domains,
            default_route,
        }
    }

    /// Whether a device with these domains would be asked for all names, though none of them says so.
    pub(crate) fn would_take_all(domains: &[DnsDomain]) -> bool {
        let only_searched = |domain: &DnsDomain| !domain.0.starts_with('~') && domain.0 != ".";
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DnsServer(String);

serialize_as_text!(DnsServer, DnsDomain);

impl fmt::Display for DnsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for DnsServer {
    type Err = InvalidDnsServer;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (place, name) = text.split_once('#').unwrap_or((text, "."));
        let (address, link) = place.split_once('%').unwrap_or((place, "lo"));
        let is_address = address.parse::<IpAddr>().is_ok() || address.parse::<SocketAddr>().is_ok();
        let is_right =
            is_address && LinkName::new(link).is_ok() && name.parse::<DnsDomain>().is_ok();
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
