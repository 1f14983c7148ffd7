//! Single moments of a play, from its timeline: probes, packets and DNS queries.

use indexmap::IndexMap;

use super::beside::Beside;
use crate::report::{Event, Moment};

/// A moment.
pub(super) struct Tick {
    /// Milliseconds since the play's start.
    pub(super) at: f64,
    /// What it was.
    pub(super) kind: Kind,
    /// The row that it is in: an expectation's name, or words of its own.
    pub(super) lane: String,
}

/// What a moment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A packet that passed a host, or a query that came to one.
    Passed,
    /// A question that was answered.
    Answered,
    /// One that was not.
    Lost,
}

impl Kind {
    /// All kinds, in the order in which they are drawn.
    pub(super) const ALL: [Self; 3] = [Self::Passed, Self::Answered, Self::Lost];

    /// The class of the style.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Answered => "answered",
            Self::Lost => "lost",
        }
    }
}

/// What is drawn of a moment, if anything is.
fn tick(moment: Moment) -> Option<Tick> {
    let (kind, lane) = match moment.event {
        Event::Packet { host, .. } => (Kind::Passed, format!("packets at {host}")),
        Event::Question { server, .. } => (Kind::Passed, format!("queries to {server}")),
        Event::Probe {
            expectation,
            answered: true,
            ..
        } => (Kind::Answered, expectation),
        Event::Probe { expectation, .. } => (Kind::Lost, expectation),
        _ => return None,
    };
    Some(Tick {
        at: moment.t_ms,
        kind,
        lane,
    })
}

/// The moments of a play, or why they cannot be told.
pub(super) fn of(timeline: Option<&str>, beside: &Beside) -> Result<Vec<Tick>, String> {
    let Some(file) = timeline else {
        return Ok(Vec::new());
    };
    // The last line of a play that was killed may be none.
    let lines = beside
        .lines(file)?
        .filter_map(|line| serde_json::from_str(&line).ok());
    Ok(lines.filter_map(tick).collect())
}

/// The moments by their rows, in the order in which these begin.
pub(super) fn lanes(ticks: &[Tick]) -> IndexMap<&str, Vec<&Tick>> {
    let mut lanes: IndexMap<&str, Vec<&Tick>> = IndexMap::new();
    for tick in ticks {
        lanes.entry(&tick.lane).or_default().push(tick);
    }
    lanes
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_timeline_gives_probes_packets_and_queries() {
        let folder = tempfile::tempdir().unwrap();
        let lines = [
            r#"{"t-ms":0.0,"kind":"begins","format":1,"title":"","sabotage":null}"#,
            r#"{"t-ms":1.5,"kind":"packet","host":"laptop","link":"eth0","way":"out","packet":"x"}"#,
            r#"{"t-ms":2.5,"kind":"probe","expectation":"all the way","answered":false,"answer":"x"}"#,
            r#"{"t-ms":3.5,"kind":"question","server":"dns","from":"x","by":"udp","name":"x","record":"A","answer":"x"}"#,
            r#"{"t-ms":4.5,"kind":"built"}"#,
            r#"{"t-ms":"#,
        ];
        fs::write(folder.path().join("timeline.jsonl"), lines.join("\n")).unwrap();
        let beside = Beside::new(folder.path());
        let ticks = of(Some("timeline.jsonl"), &beside).unwrap();
        let told: Vec<_> = ticks
            .iter()
            .map(|it| (it.at, it.kind, it.lane.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                (1.5, Kind::Passed, "packets at laptop"),
                (2.5, Kind::Lost, "all the way"),
                (3.5, Kind::Passed, "queries to dns")
            ]
        );
    }

    #[test]
    fn a_timeline_elsewhere_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let beside = Beside::new(folder.path());
        let why = of(Some("../timeline.jsonl"), &beside).err();
        let said = "read ../timeline.jsonl: it is not in the run's folder";
        assert_eq!(why.as_deref(), Some(said));
    }
}
