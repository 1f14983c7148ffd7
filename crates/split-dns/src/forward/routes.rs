//! Which servers a name is asked of.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use super::config::Config;
use super::domain::Domain;
use super::name::WireName;
use super::server::Server;

/// A group among all that there have been: after a change of the configuration no group has the
/// number of another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(u64);

impl GroupId {
    /// One that comes later.
    pub fn next_after(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Servers that know the same.
#[derive(Debug)]
pub struct Group {
    /// Its number.
    pub id: GroupId,
    /// How it is called in the log: its first domain, or `default`.
    pub name: String,
    servers: Vec<Server>,
    first: Cell<usize>,
}

impl Group {
    fn new(id: GroupId, name: String, servers: &[Server]) -> Self {
        Self {
            id,
            name,
            servers: servers.to_vec(),
            first: Cell::default(),
        }
    }

    /// The servers in the order in which they are to be asked.
    pub fn servers(&self) -> impl Iterator<Item = Server> + '_ {
        let (before, behind) = self.servers.split_at(self.first.get());
        behind.iter().chain(before).copied()
    }

    /// From now on this server is the first to be asked: it has answered.
    pub fn prefer(&self, server: Server) {
        let place = self.servers.iter().position(|one| *one == server);
        self.first.set(place.unwrap_or_default());
    }

    /// From now on the next server is the first, if this one was: it has not answered. So each has
    /// its turn, however many of them are dead.
    pub fn pass_over(&self, server: Server) {
        let first = self.first.get();
        if self.servers.get(first) == Some(&server) {
            self.first.set((first + 1) % self.servers.len());
        }
    }
}

/// The groups by their domains.
#[derive(Debug)]
pub struct Routes {
    domains: HashMap<Box<[u8]>, Rc<Group>>,
    default: Option<Rc<Group>>,
}

impl Routes {
    /// Those of a configuration; the groups have numbers behind `last`.
    pub fn new(config: &Config, last: GroupId) -> Self {
        let mut id = last;
        let mut group = |name: String, servers: &[Server]| {
            id = id.next_after();
            Rc::new(Group::new(id, name, servers))
        };
        let default =
            (!config.default.is_empty()).then(|| group("default".to_owned(), &config.default));
        let mut domains = HashMap::new();
        for route in &config.routes {
            let name = route.domains.first().map(Domain::to_string);
            let group = group(name.unwrap_or_default(), &route.servers);
            for domain in &route.domains {
                domains.insert(domain.as_bytes().into(), Rc::clone(&group));
            }
        }
        Self { domains, default }
    }

    /// The group of the most specific domain that the name is in, or the default one.
    pub fn group_of(&self, name: &WireName) -> Option<&Rc<Group>> {
        name.suffixes()
            .find_map(|suffix| self.domains.get(suffix))
            .or(self.default.as_ref())
    }

    /// The last number of a group.
    pub fn last(&self) -> GroupId {
        let all = self.domains.values().chain(&self.default);
        all.map(|group| group.id).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::Name;

    use super::super::config::Route;
    use super::*;

    fn routes(default: &[&str], routes: &[&str]) -> Routes {
        let config = Config {
            default: default.iter().map(|text| text.parse().unwrap()).collect(),
            routes: routes
                .iter()
                .map(|text| text.parse::<Route>().unwrap())
                .collect(),
            ..Config::default()
        };
        Routes::new(&config, GroupId::default())
    }

    fn of(routes: &Routes, name: &str) -> Option<String> {
        let name = WireName::of(&Name::from_ascii(name).unwrap());
        routes.group_of(&name).map(|group| group.name.clone())
    }

    #[test]
    fn a_domain_ends_at_a_dot_and_case_does_not_matter() {
        let routes = routes(&["10.0.0.1"], &["fps.test=10.0.0.2"]);
        for (name, expected) in [
            ("fps.test.", "fps.test."),
            ("www.fps.test.", "fps.test."),
            ("WWW.Fps.TEST.", "fps.test."),
            ("notfps.test.", "default"),
            ("fps.test.example.", "default"),
            ("test.", "default"),
            (".", "default"),
        ] {
            assert_eq!(of(&routes, name).as_deref(), Some(expected), "{name}");
        }
    }

    #[test]
    fn the_most_specific_domain_wins_in_any_order() {
        let mut list = [
            "fps.test=10.0.0.2",
            "a.fps.test,b.test=10.0.0.3",
            "~.=10.0.0.4",
        ];
        for _ in 0..3 {
            list.rotate_left(1);
            let routes = routes(&["10.0.0.1"], &list);
            for (name, expected) in [
                ("x.a.fps.test.", "a.fps.test."),
                ("b.test.", "a.fps.test."),
                ("b.fps.test.", "fps.test."),
                ("example.", "."),
                (".", "."),
            ] {
                assert_eq!(of(&routes, name).as_deref(), Some(expected), "{name}");
            }
        }
    }

    #[test]
    fn without_default_servers_other_names_have_none() {
        let routes = routes(&[], &["fps.test=10.0.0.2"]);
        assert_eq!(of(&routes, "example."), None);
        assert_eq!(of(&routes, "fps.test.").as_deref(), Some("fps.test."));
    }

    #[test]
    fn the_server_that_answered_is_asked_first_and_one_that_did_not_is_passed_over() {
        let routes = routes(&["10.0.0.1", "10.0.0.2", "10.0.0.3"], &[]);
        let group = routes.default.as_ref().unwrap();
        let order = || -> Vec<_> {
            group
                .servers()
                .map(|server| server.address().ip().to_string())
                .collect()
        };
        assert_eq!(order(), ["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
        group.prefer("10.0.0.2".parse().unwrap());
        assert_eq!(order(), ["10.0.0.2", "10.0.0.3", "10.0.0.1"]);
        group.pass_over("10.0.0.1".parse().unwrap());
        assert_eq!(order(), ["10.0.0.2", "10.0.0.3", "10.0.0.1"]);
        for _ in 0..2 {
            group.pass_over(group.servers().next().unwrap());
        }
        assert_eq!(order(), ["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    }

    #[test]
    fn no_group_has_the_number_of_an_earlier_one() {
        let first = routes(&["10.0.0.1"], &["a=10.0.0.1", "b=10.0.0.1"]);
        let config = Config {
            default: vec!["10.0.0.1".parse().unwrap()],
            ..Config::default()
        };
        let second = Routes::new(&config, first.last());
        assert!(second.default.unwrap().id > first.last());
    }
}
