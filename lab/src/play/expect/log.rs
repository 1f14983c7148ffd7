//! `log`: a program prints so many lines of a kind.
//!
//! Not to have seen a line says something only where it would have been seen: the program still
//! runs and all that it has written has been read, or it has closed its output and that was read to
//! its end.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::play::Verdict;
use crate::play::programs::{Heard, Mark};
use crate::play::stage::Stage;
use crate::scenario::Log;

/// How often the output is looked at.
const LOOK: Duration = Duration::from_millis(10);
/// How long it may take to read what has been written.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many lines a failure shows.
const SHOWN: usize = 20;

/// Where the outputs of programs stood before a step's acts.
pub(super) type Marks = std::collections::HashMap<String, Mark>;

/// Looks where the outputs of all programs stand.
pub(super) fn marks(stage: &Stage<'_>) -> Marks {
    stage.programs.marks().collect()
}

pub(super) async fn check(stage: &Stage<'_>, log: &Log, marks: &Marks) -> Verdict {
    let Log { who, count, .. } = log;
    let end = Instant::now() + log.time;
    let since = match log.since_start {
        true => None,
        // What had never been started has said all that it has in this step.
        false => Some(marks.get(who).copied().unwrap_or(Mark::BEGIN)),
    };
    if count.waits() {
        sleep_until(end).await;
        // What it wrote until now may still be on its way through the pipe.
        if !stage.programs.all_is_heard(who, PATIENCE).await {
            return deaf(who);
        }
    }
    loop {
        let Some(heard) = stage.programs.heard(who, since) else {
            return Verdict::Inconclusive(format!(
                "no step has started {who}, so it could say nothing"
            ));
        };
        let found = heard.lines.iter().filter(|it| log.pattern.is_in(it));
        let found: Vec<&String> = found.collect();
        let number = u64::try_from(found.len()).unwrap_or(u64::MAX);
        if count.holds(number) {
            return held(log, &heard, &found);
        }
        if Instant::now() >= end {
            return failed(log, &heard, &found);
        }
        sleep_until((Instant::now() + LOOK).min(end)).await;
    }
}

fn held(log: &Log, heard: &Heard, found: &[&String]) -> Verdict {
    if log.count.waits() && !heard.runs && !heard.to_its_end {
        return deaf(&log.who);
    }
    Verdict::Held(match found {
        [line] => (*line).clone(),
        found => format!(
            "{} of the {} lines that were read",
            found.len(),
            heard.lines.len()
        ),
    })
}

fn deaf(who: &str) -> Verdict {
    Verdict::Inconclusive(format!(
        "{who} has ended, or its output cannot be read: that it said nothing proves nothing"
    ))
}

fn failed(log: &Log, heard: &Heard, found: &[&String]) -> Verdict {
    let Log {
        who,
        pattern,
        count,
        ..
    } = log;
    let why = format!(
        "expected of {who} {count} lines with {pattern}; there are {} of {}",
        found.len(),
        heard.lines.len()
    );
    let shown = match found {
        [] => heard
            .lines
            .iter()
            .rev()
            .take(SHOWN)
            .rev()
            .cloned()
            .collect(),
        found => found.iter().take(SHOWN).map(|it| (*it).clone()).collect(),
    };
    Verdict::failed(why, shown)
}
