//! What the forwarder is told.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::domain::{Domain, InvalidDomain};
use super::server::{InvalidServer, Server};

/// A whole configuration; in JSON as
/// `{"listen": ["127.0.0.54:53"], "default": ["192.168.1.1"],
///   "routes": [{"domains": ["fps.test"], "servers": ["10.66.0.1"]}]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where clients ask, by UDP and by TCP.
    pub listen: Vec<SocketAddr>,
    /// The servers of the names that no route is for. Without one, those names are refused.
    #[serde(default)]
    pub default: Vec<Server>,
    /// The domains that have servers of their own.
    #[serde(default)]
    pub routes: Vec<Route>,
    /// How much of everything.
    #[serde(default)]
    pub limits: Limits,
}

/// Domains and their servers; on a command line `DOMAIN[,DOMAIN…]=SERVER[,SERVER…]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Names in these domains
    pub domains: Vec<Domain>,
    /// are asked of these servers, and of no other.
    pub servers: Vec<Server>,
}

/// How much of everything. `connections` and `idle_ms` are as they were at the start, whatever is read
/// later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// How many questions of clients may wait for a server; further ones fail (SERVFAIL).
    pub outstanding: usize,
    /// How many answers are kept.
    pub cache_entries: usize,
    /// How many bytes they take at most, about.
    pub cache_bytes: usize,
    /// How many milliseconds a server has for its answer, by UDP and again by TCP.
    pub timeout_ms: u64,
    /// How many connections there may be from clients; further ones are closed.
    pub connections: usize,
    /// How many milliseconds a connection may be silent.
    pub idle_ms: u64,
}

impl Limits {
    /// How long a server has for its answer.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// How long a connection may be silent (RFC 7766, 6.2.3).
    pub fn idle(&self) -> Duration {
        Duration::from_millis(self.idle_ms)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            outstanding: 1024,
            cache_entries: 10_000,
            cache_bytes: 8 << 20,
            timeout_ms: 1500,
            connections: 128,
            idle_ms: 10_000,
        }
    }
}

impl FromStr for Route {
    type Err = InvalidRoute;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (domains, servers) = text.split_once('=').ok_or(InvalidRoute::NoServers)?;
        Ok(Self {
            domains: domains
                .split(',')
                .map(str::parse)
                .collect::<Result<_, _>>()?,
            servers: servers
                .split(',')
                .map(str::parse)
                .collect::<Result<_, _>>()?,
        })
    }
}

/// A text is no route.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRoute {
    /// It has no `=`.
    #[error("a route names servers: write DOMAIN=SERVER")]
    NoServers,
    /// What is before it.
    #[error(transparent)]
    Domain(#[from] InvalidDomain),
    /// What is behind it.
    #[error(transparent)]
    Server(#[from] InvalidServer),
}

/// A configuration that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConfig {
    /// Nobody could ask.
    #[error("there is no address to listen at: add one to `listen`")]
    NoListener,
    /// Nobody could be asked.
    #[error("there are no servers: add some to `default`, or a route")]
    NoServers,
    /// A route without domains or servers.
    #[error("route {0} needs at least one domain and one server")]
    EmptyRoute(usize),
    /// It is unclear whom to ask.
    #[error("the domain {0} is in two routes: leave it in one")]
    Twice(Domain),
    /// Each question would come back.
    #[error("the server {server} is this forwarder, which listens at {listener}: name another")]
    Itself {
        /// The server.
        server: Server,
        /// Where the forwarder listens.
        listener: SocketAddr,
    },
    /// A limit that leaves nothing.
    #[error("limits.{0} is 0: nothing could be answered")]
    ZeroLimit(&'static str),
}

impl Config {
    /// Looks for what cannot work.
    ///
    /// # Errors
    ///
    /// The first mistake.
    pub fn validate(&self) -> Result<(), InvalidConfig> {
        if self.listen.is_empty() {
            return Err(InvalidConfig::NoListener);
        }
        if self.default.is_empty() && self.routes.is_empty() {
            return Err(InvalidConfig::NoServers);
        }
        let mut seen = HashSet::new();
        for (index, route) in self.routes.iter().enumerate() {
            if route.domains.is_empty() || route.servers.is_empty() {
                return Err(InvalidConfig::EmptyRoute(index + 1));
            }
            if let Some(domain) = route.domains.iter().find(|domain| !seen.insert(*domain)) {
                return Err(InvalidConfig::Twice(domain.clone()));
            }
        }
        for (name, is_zero) in [
            ("outstanding", self.limits.outstanding == 0),
            ("timeout_ms", self.limits.timeout_ms == 0),
            ("connections", self.limits.connections == 0),
            ("idle_ms", self.limits.idle_ms == 0),
        ] {
            if is_zero {
                return Err(InvalidConfig::ZeroLimit(name));
            }
        }
        self.validate_listeners(&self.listen)
    }

    /// Looks for servers that are this forwarder itself.
    ///
    /// # Errors
    ///
    /// The first of them.
    pub fn validate_listeners(&self, listeners: &[SocketAddr]) -> Result<(), InvalidConfig> {
        let routed = self.routes.iter().flat_map(|route| &route.servers);
        for server in self.default.iter().chain(routed).copied() {
            if let Some(listener) = listeners.iter().find(|address| server.is_at(**address)) {
                let listener = *listener;
                return Err(InvalidConfig::Itself { server, listener });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> Config {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn is_read_and_written() {
        let config = config(
            r#"{"listen": ["127.0.0.54:53", "[::1]:53"], "default": ["192.168.1.1"],
                "routes": [{"domains": ["~fps.test"], "servers": ["10.66.0.1:5353", "fd66::1"]}],
                "limits": {"outstanding": 7}}"#,
        );
        assert_eq!(config.validate(), Ok(()));
        assert_eq!(
            config.routes,
            ["fps.test=10.66.0.1:5353,fd66::1".parse().unwrap()]
        );
        assert_eq!(
            (config.limits.outstanding, config.limits.timeout_ms),
            (7, 1500)
        );
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), config);
    }

    #[test]
    fn an_unknown_key_is_a_mistake() {
        for json in [
            r#"{"listen": [], "server": []}"#,
            r#"{"listen": [], "routes": [{"domains": [], "servers": [], "via": "x"}]}"#,
            r#"{"listen": [], "limits": {"retries": 1}}"#,
        ] {
            assert!(serde_json::from_str::<Config>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn what_cannot_work_is_told() {
        for (json, expected) in [
            (
                r#"{"listen": [], "default": ["10.0.0.1"]}"#,
                "no address to listen at",
            ),
            (r#"{"listen": ["127.0.0.1:53"]}"#, "there are no servers"),
            (
                r#"{"listen": ["127.0.0.1:53"], "routes": [{"domains": ["a"], "servers": []}]}"#,
                "route 1 needs",
            ),
            (
                r#"{"listen": ["127.0.0.1:53"], "routes": [
                    {"domains": ["a"], "servers": ["10.0.0.1"]},
                    {"domains": ["~A."], "servers": ["10.0.0.2"]}]}"#,
                "the domain a. is in two routes",
            ),
            (
                r#"{"listen": ["0.0.0.0:53"], "default": ["10.0.0.1"],
                    "routes": [{"domains": ["a"], "servers": ["127.0.0.1"]}]}"#,
                "the server 127.0.0.1:53 is this forwarder, which listens at 0.0.0.0:53",
            ),
            (
                r#"{"listen": ["127.0.0.1:53"], "default": ["10.0.0.1"],
                    "limits": {"timeout_ms": 0}}"#,
                "limits.timeout_ms is 0",
            ),
        ] {
            let error = config(json).validate().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
