//! What the servers of each link are asked for.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use fps_netlink::LinkName;
use serde::{Deserialize, Serialize};

use crate::forward::{Domain, Route, Server};

/// A value with the text that it was written as, so that it is told again as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[serde(bound(
    serialize = "T: Clone",
    deserialize = "T: FromStr, T::Err: fmt::Display"
))]
pub struct Written<T> {
    text: String,
    value: T,
}

impl<T: FromStr> FromStr for Written<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self {
            value: text.parse()?,
            text: text.to_owned(),
        })
    }
}

impl<T: FromStr> TryFrom<String> for Written<T> {
    type Error = T::Err;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl<T> From<Written<T>> for String {
    fn from(written: Written<T>) -> Self {
        written.text
    }
}

/// The settings of a link, as systemd-resolved has them (resolvectl(1)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSettings {
    /// Its servers, which are asked by this link alone.
    pub servers: Vec<Written<Server>>,
    /// The domains that they are asked for; behind a tilde one that is not searched.
    pub domains: Vec<Written<Domain>>,
    /// Whether they are asked for all other names, too; where that is none, if there is no domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_route: Option<bool>,
}

/// One change of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setting {
    /// Other servers.
    Servers(Vec<Written<Server>>),
    /// Other domains.
    Domains(Vec<Written<Domain>>),
    /// Whether for all other names.
    DefaultRoute(bool),
    /// Nothing at all.
    Revert,
}

/// The settings of all links.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Links(BTreeMap<LinkName, LinkSettings>);

impl Links {
    /// Those of a link; none where it has none.
    pub fn of(&self, link: LinkName) -> LinkSettings {
        self.0.get(&link).cloned().unwrap_or_default()
    }

    /// Whether no link has any.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The links.
    pub fn names(&self) -> Vec<LinkName> {
        self.0.keys().copied().collect()
    }

    /// Changes those of a link.
    pub fn set(&mut self, link: LinkName, setting: Setting) {
        let settings = self.0.entry(link).or_default();
        match setting {
            Setting::Servers(servers) => settings.servers = servers,
            Setting::Domains(domains) => settings.domains = domains,
            Setting::DefaultRoute(on) => settings.default_route = Some(on),
            Setting::Revert => *settings = LinkSettings::default(),
        }
        self.0
            .retain(|_, settings| *settings != LinkSettings::default());
    }

    /// A route for each domain, with the servers of all links that have it.
    pub fn routes(&self) -> Vec<Route> {
        let mut routes: BTreeMap<String, Route> = BTreeMap::new();
        for (link, settings) in &self.0 {
            let servers = settings.servers.iter();
            let servers: Vec<_> = servers.map(|server| server.value.by(*link)).collect();
            if servers.is_empty() {
                continue;
            }
            for domain in settings.asked_for() {
                let route = routes.entry(domain.to_string()).or_insert_with(|| Route {
                    domains: vec![domain],
                    servers: Vec::new(),
                });
                route.servers.extend(&servers);
            }
        }
        routes.into_values().collect()
    }

    /// The domains that are searched, in the links' order.
    pub fn searched(&self) -> Vec<&str> {
        let domains = self.0.values().flat_map(|settings| &settings.domains);
        let domains = domains.map(|domain| domain.text.as_str());
        domains
            .filter(|text| !text.starts_with('~') && *text != ".")
            .collect()
    }

    /// The servers, by their links.
    pub fn servers(&self) -> impl Iterator<Item = Server> + '_ {
        let all = self.0.values().flat_map(|settings| &settings.servers);
        all.map(|server| server.value)
    }
}

impl LinkSettings {
    fn asked_for(&self) -> Vec<Domain> {
        let mut domains: Vec<_> = self.domains.iter().map(|it| it.value.clone()).collect();
        if self.default_route.unwrap_or(domains.is_empty()) {
            domains.push("~.".parse().expect("the root"));
        }
        domains.dedup();
        domains
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(name: &str) -> LinkName {
        name.parse().unwrap()
    }

    fn servers(all: &[&str]) -> Setting {
        Setting::Servers(all.iter().map(|text| text.parse().unwrap()).collect())
    }

    fn domains(all: &[&str]) -> Setting {
        Setting::Domains(all.iter().map(|text| text.parse().unwrap()).collect())
    }

    fn routes(links: &Links) -> Vec<String> {
        let text = |route: &Route| format!("{}={}", route.domains[0], texts(&route.servers));
        links.routes().iter().map(text).collect()
    }

    fn texts(servers: &[Server]) -> String {
        let all: Vec<_> = servers.iter().map(ToString::to_string).collect();
        all.join(",")
    }

    #[test]
    fn servers_are_asked_by_their_link_for_its_domains() {
        let mut links = Links::default();
        links.set(link("fpsc0"), domains(&["~fps.test", "corp.test"]));
        assert_eq!(routes(&links), [""; 0], "there is nobody to ask");
        links.set(link("fpsc0"), servers(&["10.66.0.1", "10.66.0.2%tun9"]));
        let both = "10.66.0.1:53%fpsc0,10.66.0.2:53%tun9";
        let expected = [format!("corp.test.={both}"), format!("fps.test.={both}")];
        assert_eq!(routes(&links), expected);
        assert_eq!(links.searched(), ["corp.test"]);
    }

    #[test]
    fn a_link_without_a_domain_is_asked_for_all_names_unless_it_says_otherwise() {
        for (setting, expected) in [
            (None, Some(".=10.66.0.1:53%fpsc0")),
            (
                Some(Setting::DefaultRoute(true)),
                Some(".=10.66.0.1:53%fpsc0"),
            ),
            (Some(Setting::DefaultRoute(false)), None),
        ] {
            let mut links = Links::default();
            links.set(link("fpsc0"), servers(&["10.66.0.1"]));
            if let Some(setting) = setting {
                links.set(link("fpsc0"), setting);
            }
            assert_eq!(routes(&links), Vec::from_iter(expected));
        }
    }

    #[test]
    fn two_links_with_one_domain_are_both_asked() {
        let mut links = Links::default();
        for (name, server) in [("tun1", "10.1.0.1"), ("tun0", "10.0.0.1")] {
            links.set(link(name), domains(&["~fps.test"]));
            links.set(link(name), servers(&[server]));
        }
        let both = "fps.test.=10.0.0.1:53%tun0,10.1.0.1:53%tun1";
        assert_eq!(routes(&links), [both]);
        links.set(link("tun0"), Setting::Revert);
        assert_eq!(routes(&links), ["fps.test.=10.1.0.1:53%tun1"]);
        links.set(link("tun1"), Setting::Revert);
        assert!(links.is_empty());
    }

    #[test]
    fn what_was_written_is_told_again() {
        let text = r#"{"fpsc0":{"servers":["10.66.0.1"],"domains":["~FPS.test"]}}"#;
        let links: Links = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&links).unwrap(), text);
        for bad in [
            r#"{"fpsc0":{"servers":["dns"],"domains":[]}}"#,
            r#"{"fpsc0":{"servers":[],"domains":["a..b"]}}"#,
            r#"{"a/b":{"servers":[],"domains":[]}}"#,
        ] {
            assert!(serde_json::from_str::<Links>(bad).is_err(), "{bad}");
        }
    }
}
