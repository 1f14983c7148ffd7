//! `kernel`: rules, routes, addresses, links and sysctls are there, and others are not.
//!
//! What is written is a part: it is there where one object has at least these words with these
//! values. Looked at are whole dumps, which the kernel says to be complete, so that an object that
//! is not in one was not there. It is looked at again at each event of rtnetlink, and every 50 ms
//! since sysctls have no events; what comes and goes between two looks is not seen.

use std::io::Read;
use std::time::Duration;

use fps_netlink::{Events, Group};
use tokio::time::{Instant, sleep, sleep_until};

use super::CheckError;
use crate::play::Verdict;
use crate::play::stage::Stage;
use crate::sandbox::SocketKind;
use crate::scenario::{Kernel, KernelLine, ObjectKind, When};
use crate::snapshot::{Entry, Snapshot, SnapshotError};

/// The longest time between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// The shortest, where events come one after the other.
const PAUSE: Duration = Duration::from_millis(2);

pub(super) async fn check(stage: &Stage<'_>, wanted: &Kernel) -> Result<Verdict, CheckError> {
    let begin = Instant::now();
    let mut events = subscribe(stage, wanted)?;
    let mut looks = 0;
    loop {
        let wrong = look(stage, wanted).await?;
        looks += 1;
        let right = wrong.is_empty();
        let (end, settled) = match wanted.when {
            When::Within(within) => (begin + within, right),
            When::For(hold) => (begin + hold, !right),
        };
        if settled || Instant::now() >= end {
            return Ok(match right {
                true => Verdict::Held(held(wanted, looks)),
                false => failed(wanted, wrong),
            });
        }
        tokio::select! {
            event = events.next() => {
                event.map_err(|error| CheckError::Network(wanted.on.clone(), error))?;
                sleep(PAUSE).await;
            }
            () = sleep_until((Instant::now() + LOOK).min(end)) => {}
        }
        while let Ok(Some(_)) = events.next_at_hand() {}
    }
}

fn subscribe(stage: &Stage<'_>, wanted: &Kernel) -> Result<Events, CheckError> {
    let host = stage.lab.host(&wanted.on).id();
    let socket = stage.lab.sandbox().socket(host, SocketKind::Route);
    let socket = socket.map_err(SnapshotError::from)?;
    Events::from_socket(socket, &Group::ALL)
        .map_err(|error| CheckError::Network(wanted.on.clone(), error))
}

fn held(wanted: &Kernel, looks: usize) -> String {
    let (present, absent) = (wanted.present.len(), wanted.absent.len());
    let time = match wanted.when {
        When::Within(_) => String::new(),
        When::For(hold) => format!(" for {hold:?}, in each of {looks} looks"),
    };
    format!("{present} objects are there and {absent} are not{time}")
}

fn failed(wanted: &Kernel, evidence: Vec<String>) -> Verdict {
    let time = match wanted.when {
        When::Within(within) => format!("within {within:?}"),
        When::For(hold) => format!("for {hold:?}"),
    };
    let why = format!("the kernel of {} is not as expected, {time}", wanted.on);
    Verdict::failed(why, evidence)
}

/// What is not as it should be, in lines.
async fn look(stage: &Stage<'_>, wanted: &Kernel) -> Result<Vec<String>, CheckError> {
    let host = stage.lab.host(&wanted.on);
    let snapshot = Snapshot::of_routing(host.station().netlink()).await?;
    let mut wrong = Vec::new();
    for line in &wanted.present {
        let sysctl = sysctl(stage, wanted, line)?;
        let entries = entries(&snapshot, &sysctl, line.kind);
        if !entries
            .iter()
            .any(|entry| differences(line, entry).is_empty())
        {
            wrong.push(format!("wanted {}: {}", line.kind, line.text));
            wrong.extend(nearest(line, entries));
        }
    }
    for line in &wanted.absent {
        let sysctl = sysctl(stage, wanted, line)?;
        // Of one that there is not, a wrong letter would be enough to find no such value.
        if line.kind == ObjectKind::Sysctl && sysctl.is_empty() {
            wrong.push(format!("there is no such sysctl at all: {}", line.text));
        }
        let entries = entries(&snapshot, &sysctl, line.kind);
        let found = entries
            .iter()
            .filter(|entry| differences(line, entry).is_empty());
        for entry in found {
            wrong.push(format!("there must be no {}: {}", line.kind, line.text));
            wrong.push(format!("  there is: {entry}"));
        }
    }
    Ok(wrong)
}

fn entries<'a>(snapshot: &'a Snapshot, sysctl: &'a [Entry], kind: ObjectKind) -> &'a [Entry] {
    match kind {
        ObjectKind::Rule => &snapshot.rules,
        ObjectKind::Route => &snapshot.routes,
        ObjectKind::Address => &snapshot.addresses,
        ObjectKind::Link => &snapshot.links,
        ObjectKind::Sysctl => sysctl,
    }
}

/// The sysctl that a line is about, as the host has it; none where there is no such sysctl.
fn sysctl(
    stage: &Stage<'_>,
    wanted: &Kernel,
    line: &KernelLine,
) -> Result<Vec<Entry>, SnapshotError> {
    let key = line
        .words
        .first()
        .filter(|_| line.kind == ObjectKind::Sysctl);
    let Some((key, _)) = key else {
        return Ok(Vec::new());
    };
    let host = stage.lab.host(&wanted.on).id();
    let path = format!("/proc/sys/{key}");
    let Some(mut file) = stage.lab.sandbox().open(host, &path)? else {
        return Ok(Vec::new());
    };
    let mut value = String::new();
    file.read_to_string(&mut value)
        .map_err(|source| SnapshotError::Read {
            what: "a sysctl",
            source,
        })?;
    let mut entry = Entry::default();
    entry.set(key, value.split_whitespace().collect::<Vec<_>>().join(" "));
    Ok(vec![entry])
}

/// The words in which an object differs from what is wanted.
pub(super) fn differences(line: &KernelLine, entry: &Entry) -> Vec<String> {
    let differ = line.words.iter().filter_map(|(word, value)| {
        let is = entry.get(word);
        if is == value.as_deref() {
            return None;
        }
        let shown = |value: Option<&str>| match value {
            None => "not there".to_owned(),
            Some("") => "there".to_owned(),
            Some(value) => value.to_owned(),
        };
        Some(format!(
            "{word}: wanted {}, is {}",
            shown(value.as_deref()),
            shown(is)
        ))
    });
    differ.collect()
}

/// The object that differs in the fewest words, and in which; nothing where all differ in all.
fn nearest(line: &KernelLine, entries: &[Entry]) -> Vec<String> {
    let ranked = entries
        .iter()
        .map(|entry| (differences(line, entry), entry));
    match ranked.min_by_key(|(differences, _)| differences.len()) {
        None => vec![format!("  there is no {} at all", line.kind)],
        Some((differ, _)) if differ.len() >= line.words.len() && line.words.len() > 1 => {
            vec![format!("  no {} is like it", line.kind)]
        }
        Some((differ, entry)) => {
            let mut lines = vec![format!("  nearest: {entry}")];
            lines.extend(differ.into_iter().map(|word| format!("  {word}")));
            lines
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(words: &[(&str, &str)]) -> Entry {
        let mut entry = Entry::default();
        for (word, value) in words {
            entry.set(word, value);
        }
        entry
    }

    fn line(words: &[(&str, Option<&str>)]) -> KernelLine {
        let owned =
            |(word, value): &(&str, Option<&str>)| ((*word).to_owned(), value.map(str::to_owned));
        KernelLine {
            kind: ObjectKind::Route,
            text: String::new(),
            words: words.iter().map(owned).collect(),
        }
    }

    #[test]
    fn a_part_is_enough_but_what_must_not_be_there_counts() {
        let there = entry(&[("to", "10.0.0.0/8"), ("dev", "eth0"), ("metric", "5")]);
        let wanted = line(&[("to", Some("10.0.0.0/8")), ("type", None)]);
        assert!(differences(&wanted, &there).is_empty());
        let refusing = entry(&[("to", "10.0.0.0/8"), ("type", "unreachable")]);
        let expected = ["type: wanted not there, is unreachable"];
        assert_eq!(differences(&wanted, &refusing), expected);
    }

    #[test]
    fn the_nearest_is_shown_with_the_word_that_differs() {
        let entries = [
            entry(&[("to", "0.0.0.0/0"), ("dev", "eth0"), ("metric", "5")]),
            entry(&[("to", "10.0.0.0/8"), ("dev", "eth0"), ("metric", "9")]),
        ];
        let wanted = line(&[
            ("to", Some("10.0.0.0/8")),
            ("dev", Some("eth0")),
            ("metric", Some("5")),
        ]);
        let shown = nearest(&wanted, &entries[1..]);
        let expected = [
            "  nearest: to 10.0.0.0/8 dev eth0 metric 9",
            "  metric: wanted 5, is 9",
        ];
        assert_eq!(shown, expected);
        assert_eq!(nearest(&wanted, &[]), ["  there is no route at all"]);
        let strange = [entry(&[("to", "192.0.2.0/24")])];
        assert_eq!(nearest(&wanted, &strange), ["  no route is like it"]);
    }
}
