//! What was in /etc/resolv.conf, on each of the networks where we have been.

use std::collections::VecDeque;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::networks::Networks;

/// How many networks are remembered.
const MOST: usize = 16;

/// What was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Was {
    /// A file with this text.
    Text(String),
    /// A symbolic link to this.
    Link(PathBuf),
    /// Nothing.
    Absent,
}

/// All of it, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Backup(VecDeque<Kept>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    networks: Networks,
    was: Was,
}

impl Kept {
    /// Whether these are its networks, and perhaps more.
    fn goes_on_in(&self, networks: &Networks) -> bool {
        let all = self.networks.count();
        all > 0 && self.networks.common(networks) == all
    }
}

/// What a backup has for some networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// It was there on them.
    Here(&'a Was),
    /// It was there on others: whom it names may not be reached from here.
    Elsewhere(&'a Was),
}

impl<'a> Found<'a> {
    /// Either way.
    pub fn was(self) -> &'a Was {
        match self {
            Self::Here(was) | Self::Elsewhere(was) => was,
        }
    }
}

impl Backup {
    /// Keeps what is there on these networks, in the place of what was on them before.
    pub fn keep(&mut self, networks: Networks, was: Was) {
        self.0.retain(|kept| kept.networks != networks);
        self.0.push_front(Kept { networks, was });
        self.0.truncate(MOST);
    }

    /// What was there last.
    pub fn last(&self) -> Option<&Was> {
        self.0.front().map(|kept| &kept.was)
    }

    /// Whether what was there last was on these networks, or on fewer of them.
    pub fn is_of(&self, networks: &Networks) -> bool {
        let last = self.0.front();
        last.is_some_and(|last| last.networks == *networks || last.goes_on_in(networks))
    }

    /// What belongs to these networks: what was there where we had most of them and fewest others. Where
    /// we had none of them, what was there last.
    pub fn find(&self, networks: &Networks) -> Option<Found<'_>> {
        match self.place(networks) {
            Some(place) => Some(Found::Here(&self.0[place].was)),
            None => self.last().map(|was| match networks.is_empty() {
                // Who is nowhere has not gone elsewhere either.
                true => Found::Here(was),
                false => Found::Elsewhere(was),
            }),
        }
    }

    /// The host is on other networks now. Where some came to those of the last one, as IPv6 does after
    /// IPv4, that goes on; else it is what belongs to them, if that is known, which is given.
    pub fn move_to(&mut self, networks: &Networks) -> Option<&Was> {
        let goes_on = self.0.front()?.goes_on_in(networks);
        let place = match goes_on {
            true => 0,
            false => self.place(networks)?,
        };
        let Kept { was, .. } = self.0.remove(place)?;
        self.keep(networks.clone(), was);
        (!goes_on).then(|| &self.0[0].was)
    }

    fn place(&self, networks: &Networks) -> Option<usize> {
        let rank = |kept: &Kept| {
            let common = kept.networks.common(networks);
            (common, std::cmp::Reverse(kept.networks.count() - common))
        };
        let known = self.0.iter().enumerate();
        let known = known.filter(|(_, kept)| kept.networks.common(networks) > 0);
        // The last of several that are the greatest is taken, and that shall be the newest.
        known
            .rev()
            .max_by_key(|(_, kept)| rank(kept))
            .map(|(place, _)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(networks: &[&str]) -> Networks {
        networks.iter().map(ToString::to_string).collect()
    }

    fn text(text: &str) -> Was {
        Was::Text(text.to_owned())
    }

    #[test]
    fn finds_what_belongs_to_the_network_and_not_what_came_last() {
        let mut backup = Backup::default();
        assert_eq!(backup.find(&on(&["w 1"])), None);
        backup.keep(on(&["w 1"]), text("home"));
        backup.keep(on(&["w 2"]), text("cafe"));
        for (networks, expected) in [
            (&["w 1"][..], Found::Here(&text("home"))),
            (&["w 1", "w 2001:db8::/64"], Found::Here(&text("home"))),
            (&["w 2"], Found::Here(&text("cafe"))),
            (&["w 3"], Found::Elsewhere(&text("cafe"))),
            (&[], Found::Here(&text("cafe"))),
        ] {
            assert_eq!(backup.find(&on(networks)), Some(expected), "{networks:?}");
        }
        backup.keep(on(&["w 1"]), text("home, later"));
        let found = backup.find(&on(&["w 1"])).unwrap();
        assert_eq!(found.was(), &text("home, later"));
    }

    #[test]
    fn what_came_last_goes_on_when_networks_are_added_and_not_when_one_goes() {
        let mut backup = Backup::default();
        backup.keep(on(&["w 1", "w 2001:db8::/64"]), text("home, long ago"));
        backup.keep(on(&["w 1"]), text("home"));
        assert_eq!(backup.move_to(&on(&["w 1", "w 2001:db8::/64"])), None);
        assert_eq!(backup.last(), Some(&text("home")));
        backup.keep(on(&["e 2", "w 1", "w 2001:db8::/64"]), text("docked"));
        let undocked = backup.move_to(&on(&["w 1", "w 2001:db8::/64"]));
        assert_eq!(undocked, Some(&text("home")));
        assert_eq!(backup.move_to(&on(&["w 9"])), None);
        assert_eq!(backup.last(), Some(&text("home")));
    }

    #[test]
    fn remembers_so_many_networks_and_no_more() {
        let mut backup = Backup::default();
        for number in 0..=MOST {
            backup.keep(on(&[&number.to_string()]), text(&number.to_string()));
        }
        assert_eq!(backup.0.len(), MOST);
        assert!(matches!(
            backup.find(&on(&["0"])),
            Some(Found::Elsewhere(_))
        ));
        let json = serde_json::to_string(&backup).unwrap();
        assert_eq!(serde_json::from_str::<Backup>(&json).unwrap(), backup);
    }
}
