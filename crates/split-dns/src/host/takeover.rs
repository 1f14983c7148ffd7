//! /etc/resolv.conf: from theirs to ours, and back.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::backup::{Backup, Found, Was};
use super::file::{Put, beside, put, read, text_of, there};
use super::networks::Networks;
use super::resolv_conf::{Ours, added, ours, servers, without};
use super::state::State;
use crate::forward::Server;

/// For how long a file that is empty is taken for one that somebody is writing. That he has closed it is
/// told by an event; this is for a file that was emptied for good.
pub(super) const UNFINISHED: Duration = Duration::from_millis(500);

/// A file that is ours as long as this program runs.
#[derive(Debug)]
pub(super) struct Takeover {
    file: PathBuf,
    state: State,
    /// The server that ours names.
    server: IpAddr,
    backup: Backup,
    /// What the file said that is not ours, with whom to ask for all other names.
    learned: String,
    /// What was there when it was looked at or written last.
    seen: Was,
    /// Since when it is known to be empty, as it is between open(2) with O_TRUNC and what is then written.
    /// To write ours in between would lose what comes.
    empty: Option<Instant>,
}

/// What a look at the file has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is as we have written it.
    Ours,
    /// Somebody had written something else, which now names whom to ask.
    Theirs,
    /// It is empty, and somebody may be about to write it; it is to be looked at again.
    Unfinished,
}

impl Takeover {
    /// Takes a file over, on these networks. Of one that is ours already, since an earlier run was
    /// killed, what was before is known by the backup, or by its own text.
    pub(super) fn begin(
        file: PathBuf,
        state: State,
        server: IpAddr,
        networks: &Networks,
    ) -> io::Result<Self> {
        let mut takeover = Self {
            backup: state.backup(),
            file,
            state,
            server,
            learned: String::new(),
            seen: Was::Absent,
            empty: None,
        };
        let there = takeover.there()?;
        takeover.seen.clone_from(&there);
        match ours_in(&there) {
            Some(ours) => takeover.go_on(&ours, networks)?,
            None => {
                takeover.learn(there.clone(), networks)?;
                if takeover.servers().is_empty() && !takeover.learn_from_backup(networks) {
                    takeover.keep(there, networks)?;
                }
            }
        }
        Ok(takeover)
    }

    /// Goes on with a file that an earlier run has left.
    fn go_on(&mut self, ours: &Ours, networks: &Networks) -> io::Result<()> {
        if self.backup.last().is_none() {
            self.keep(was(ours), networks)?;
        }
        self.learn_from_backup(networks);
        match ours.is_alone() {
            true => Ok(()),
            false => self.learn_more(&ours.others, networks),
        }
    }

    /// The servers for all names that are no link's.
    pub(super) fn servers(&self) -> Vec<Server> {
        let mut servers = servers(&self.learned);
        // Or each question would come back (firezone PR#10880).
        servers.retain(|server| !self.is_ours(*server));
        servers
    }

    fn is_ours(&self, server: Server) -> bool {
        server.address().ip() == self.server
    }

    /// The files that may change: this one, and the one that it was a link to.
    pub(super) fn watched(&self) -> Vec<PathBuf> {
        let targets = self.target().into_iter();
        [self.file.clone()].into_iter().chain(targets).collect()
    }

    /// Writes ours, if it is not there; but not over what somebody has written since the last look, from
    /// which it is still to be learned whom to ask.
    pub(super) fn write(&mut self, searched: &[&str]) -> io::Result<()> {
        let link = match self.backup.last() {
            Some(Was::Link(to)) => Some(to.as_path()),
            _ => None,
        };
        let text = ours(self.server, searched, &self.learned, link);
        let there = self.there()?;
        if there != self.seen {
            return Ok(());
        }
        let text = Was::Text(text);
        if there != text && put(&self.file, &there, &text)? == Put::Changed {
            return Ok(());
        }
        self.seen = text;
        Ok(())
    }

    /// Looks whether somebody has written something else, and learns from it whom to ask.
    pub(super) fn look(&mut self, networks: &Networks) -> io::Result<Seen> {
        let there = self.there()?;
        if self.may_be_unfinished(&there) {
            return Ok(Seen::Unfinished);
        }
        self.seen.clone_from(&there);
        match ours_in(&there) {
            Some(ours) if ours.is_alone() => {}
            Some(ours) => {
                self.learn_more(&ours.others, networks)?;
                return Ok(Seen::Theirs);
            }
            // Whom to ask stays.
            None if there == Was::Absent => {}
            None => {
                self.learn(there, networks)?;
                return Ok(Seen::Theirs);
            }
        }
        let before = self.learned.clone();
        if let Some(target) = self.target() {
            self.learn_text(read(&target)?);
        }
        Ok(match before == self.learned {
            true => Seen::Ours,
            false => Seen::Theirs,
        })
    }

    /// Whether the last look has found an empty file that somebody may be writing.
    pub(super) fn is_unfinished(&self) -> bool {
        self.empty.is_some()
    }

    fn may_be_unfinished(&mut self, there: &Was) -> bool {
        let is_empty = matches!(there, Was::Text(text) if text.is_empty());
        let now = Instant::now();
        let since = self.empty.filter(|_| is_empty);
        self.empty = match since {
            _ if !is_empty => None,
            Some(since) if now.duration_since(since) >= UNFINISHED => None,
            since => since.or(Some(now)),
        };
        self.is_unfinished()
    }

    /// Goes by what belongs to the networks where the host is now, if that is known.
    pub(super) fn move_to(&mut self, networks: &Networks) -> io::Result<()> {
        if let Some(was) = self.backup.move_to(networks).cloned() {
            // A file that cannot be read names nobody.
            let text = text_of(&self.file, &was).unwrap_or_default();
            self.learn_text(text);
        }
        self.state.save_backup(&self.backup)
    }

    /// Gives the file back as it was on these networks; one that is not ours any more stays.
    pub(super) fn give_back(&self, networks: &Networks) -> io::Result<()> {
        give_back(&self.file, &self.state, &self.backup, networks)
    }

    fn there(&self) -> io::Result<Was> {
        there(&self.file)
    }

    /// Learns from what somebody has put there.
    fn learn(&mut self, there: Was, networks: &Networks) -> io::Result<()> {
        let text = text_of(&self.file, &there)?;
        let theirs = without(&text, self.server);
        let named = servers(&theirs);
        // Somebody has read ours, and written what it names.
        if named.is_empty() && !servers(&text).is_empty() {
            return Ok(());
        }
        self.learn_text(theirs);
        match there {
            Was::Link(_) => self.keep(there, networks),
            // What names nobody is no reason to forget who was named here before: it may be half of
            // what somebody is writing.
            _ if named.is_empty() => Ok(()),
            _ => self.keep(Was::Text(self.learned.clone()), networks),
        }
    }

    /// Learns from what somebody has added to ours: more on the same networks, and all that is known on
    /// others. What was a link stays one.
    fn learn_more(&mut self, more: &str, networks: &Networks) -> io::Result<()> {
        let before = match self.backup.is_of(networks) {
            true => &self.learned,
            false => "",
        };
        self.learn_text(added(before, more));
        match self.backup.last() {
            Some(Was::Link(_)) => Ok(()),
            _ if servers(&self.learned).is_empty() => Ok(()),
            _ => self.keep(Was::Text(self.learned.clone()), networks),
        }
    }

    fn keep(&mut self, was: Was, networks: &Networks) -> io::Result<()> {
        self.backup.keep(networks.clone(), was);
        self.state.save_backup(&self.backup)
    }

    fn learn_text(&mut self, text: String) {
        let named = servers(&text);
        tracing::info!(
            event = "resolv_conf_learned",
            servers = named
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" "),
        );
        self.learned = text;
    }

    /// Says whether there is anything.
    fn learn_from_backup(&mut self, networks: &Networks) -> bool {
        let Some(found) = self.backup.find(networks) else {
            return false;
        };
        // A file that cannot be read names nobody.
        let text = text_of(&self.file, found.was()).unwrap_or_default();
        self.learn_text(text);
        true
    }

    /// The file that ours was a link to.
    fn target(&self) -> Option<PathBuf> {
        let Some(Was::Link(to)) = self.backup.last() else {
            return None;
        };
        Some(beside(&self.file, to))
    }
}

/// Gives a file back as it was on these networks; one that is not ours stays.
pub(super) fn give_back(
    file: &Path,
    state: &State,
    backup: &Backup,
    networks: &Networks,
) -> io::Result<()> {
    loop {
        let there = there(file)?;
        let Some(ours) = ours_in(&there) else {
            tracing::info!(event = "resolv_conf_not_ours");
            return state.remove_backup();
        };
        let was = before(&ours, backup, networks);
        // Else somebody has written it since the look, which is another for each time.
        if put(file, &there, &was)? == Put::Done {
            tracing::info!(event = "resolv_conf_given_back");
            return state.remove_backup();
        }
    }
}

/// What was there before ours, with what somebody has added to that.
fn before(ours: &Ours, backup: &Backup, networks: &Networks) -> Was {
    let was = match backup.find(networks) {
        Some(Found::Here(was)) => was.clone(),
        Some(Found::Elsewhere(was)) => {
            let networks = networks.to_string();
            tracing::warn!(event = "resolv_conf_of_another_network", networks);
            was.clone()
        }
        None => was(ours),
    };
    match was {
        Was::Text(text) => Was::Text(text + &ours.others),
        other => other,
    }
}

/// What of a file is ours.
fn ours_in(there: &Was) -> Option<Ours> {
    match there {
        Was::Text(text) => Ours::of(text),
        Was::Link(_) | Was::Absent => None,
    }
}

/// What was there before ours, by ours alone.
fn was(ours: &Ours) -> Was {
    match &ours.link {
        Some(to) => Was::Link(to.clone()),
        None => Was::Text(ours.was.clone()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write;

    use super::*;

    const OURS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 53));

    struct Place(tempfile::TempDir, Networks);

    impl Place {
        fn file(&self) -> PathBuf {
            self.0.path().join("resolv.conf")
        }

        /// Ours is there, for what had been this.
        fn taken_over(text: &str) -> (Self, Takeover) {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let place = Self(folder, Networks::default());
            fs::write(place.file(), text).expect("it can be written");
            let state = State::open(&place.0.path().join("state")).expect("a folder");
            let takeover = Takeover::begin(place.file(), state, OURS, &place.1);
            let mut takeover = takeover.expect("it can be read");
            takeover.write(&[]).expect("it can be written");
            (place, takeover)
        }

        fn look(&self, takeover: &mut Takeover) -> Seen {
            let seen = takeover.look(&self.1).expect("it can be read");
            takeover.write(&[]).expect("it can be written");
            seen
        }

        fn is_ours(&self) -> bool {
            ours_in(&there(&self.file()).expect("it can be read")).is_some()
        }
    }

    fn asked(takeover: &Takeover) -> Vec<String> {
        let servers = takeover.servers();
        servers.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_written_into_a_file_that_has_just_been_emptied_is_not_lost() {
        let (place, mut takeover) = Place::taken_over("nameserver 192.0.2.1\n");
        assert!(place.is_ours());
        let mut writer = File::create(place.file()).expect("it can be emptied");
        assert_eq!(place.look(&mut takeover), Seen::Unfinished);
        // Nor does a setting that changes meanwhile write over it.
        takeover.write(&["fps.test"]).expect("nothing is written");
        assert_eq!(read(&place.file()).expect("it can be read"), "");
        assert_eq!(asked(&takeover), ["192.0.2.1:53"]);
        writer.write_all(b"nameserver 192.0.2.2\n").expect("room");
        assert_eq!(place.look(&mut takeover), Seen::Theirs);
        assert_eq!(asked(&takeover), ["192.0.2.2:53"]);
        assert!(place.is_ours());
    }

    #[test]
    fn servers_that_are_added_on_another_network_replace_those_of_the_one_before() {
        let (mut place, mut takeover) = Place::taken_over("nameserver 192.0.2.1\n");
        let add = |place: &Place, line: &str| {
            let file = File::options().append(true).open(place.file());
            let mut file = file.expect("it is there");
            file.write_all(line.as_bytes()).expect("room");
        };
        for line in ["nameserver 192.0.2.2\n", "nameserver 192.0.2.2\n"] {
            add(&place, line);
            assert_eq!(place.look(&mut takeover), Seen::Theirs);
            assert_eq!(asked(&takeover), ["192.0.2.1:53", "192.0.2.2:53"]);
        }
        for (net, server) in [("lan0 198.51.100.0/24", 3), ("lan0 203.0.113.0/24", 4)] {
            place.1 = [net.to_owned()].into_iter().collect();
            takeover.move_to(&place.1).expect("it can be kept");
            add(&place, &format!("nameserver 192.0.2.{server}\n"));
            assert_eq!(place.look(&mut takeover), Seen::Theirs);
            assert_eq!(asked(&takeover), [format!("192.0.2.{server}:53")]);
            assert!(place.is_ours());
        }
    }

    #[test]
    fn a_file_that_was_emptied_for_good_is_taken_over_again() {
        let (place, mut takeover) = Place::taken_over("nameserver 192.0.2.1\n");
        File::create(place.file()).expect("it can be emptied");
        assert_eq!(place.look(&mut takeover), Seen::Unfinished);
        let long_ago = Instant::now().checked_sub(UNFINISHED);
        takeover.empty = Some(long_ago.expect("the machine has run for longer"));
        assert_eq!(place.look(&mut takeover), Seen::Theirs);
        assert!(place.is_ours());
    }
}
