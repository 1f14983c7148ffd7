//! `timeline.jsonl`: what happens in a play, written as it happens, so that a play that is killed has
//! it too.
//!
//! - [`Timeline`]: writes lines
//! - `budget`: how many there may be of the kinds of which there can be many
//! - `witness`: what a step's expectations have looked at

mod budget;
mod witness;

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use budget::Budget;
pub(super) use witness::testify;

use super::{End, ExpectationReport, Until};
use crate::folder::Folder;
use crate::report::{Event, FORMAT, Moment, PlayEnd, TIMELINE, ms};
use crate::scenario::{Expectation, Scenario};

/// The file, which a play and its programs' outputs write to.
#[derive(Clone, Debug)]
pub(super) struct Timeline(Arc<Mutex<Pen>>);

#[derive(Debug)]
struct Pen {
    file: File,
    start: Instant,
    budget: Budget,
    /// The first line that could not be written.
    failed: Option<io::Error>,
}

impl Timeline {
    /// An empty one in the play's folder.
    pub(super) fn begin(folder: &Folder, start: Instant) -> io::Result<Self> {
        let pen = Pen {
            file: folder.append(TIMELINE)?,
            start,
            budget: Budget::default(),
            failed: None,
        };
        Ok(Self(Arc::new(Mutex::new(pen))))
    }

    /// The first line.
    pub(super) fn begins(&self, scenario: &Scenario, until: Until<'_>) {
        self.tell(Event::Begins {
            format: FORMAT,
            title: scenario.title.clone(),
            sabotage: match until {
                Until::Bite(sabotage) => Some(sabotage.name.clone()),
                Until::End | Until::Steps(_) => None,
            },
        });
    }

    /// An expectation begins to be checked.
    pub(super) fn expects(&self, expectation: &Expectation) {
        self.tell(Event::ExpectationBegins {
            name: expectation.name.clone(),
            check: expectation.check.kind().to_owned(),
        });
    }

    /// An expectation was checked.
    pub(super) fn checked(&self, report: &ExpectationReport) {
        self.tell(Event::ExpectationEnds {
            name: report.name.clone(),
            verdict: (&report.verdict).into(),
            why: report.verdict.line().to_owned(),
        });
    }

    /// The last line, behind what was left out.
    pub(super) fn ends(&self, end: &End) {
        self.settle();
        self.tell(Event::Ends {
            end: PlayEnd::from(end),
        });
    }

    /// Something happens now.
    pub(super) fn tell(&self, event: Event) {
        self.with(|pen| pen.write(pen.start.elapsed(), event));
    }

    /// Something has happened at a moment.
    pub(super) fn tell_of(&self, at: Instant, event: Event) {
        self.with(|pen| pen.write(at.saturating_duration_since(pen.start), event));
    }

    /// Says what was left out since this was last asked, and lets as much be written again.
    pub(super) fn settle(&self) {
        self.with(Pen::settle);
    }

    /// # Errors
    /// Where a line could not be written; told once.
    pub(super) fn check(&self) -> io::Result<()> {
        let failed = self.with(|pen| pen.failed.take());
        failed.map_or(Ok(()), Err)
    }

    fn with<T>(&self, write: impl FnOnce(&mut Pen) -> T) -> T {
        write(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Pen {
    fn write(&mut self, at: Duration, event: Event) {
        if self.budget.spends(&event) {
            self.put(at, event);
        }
    }

    fn settle(&mut self) {
        let now = self.start.elapsed();
        for (kind, count) in self.budget.renew() {
            let of = kind.to_owned();
            self.put(now, Event::LeftOut { of, count });
        }
    }

    fn put(&mut self, at: Duration, event: Event) {
        let moment = Moment {
            t_ms: ms(at),
            event,
        };
        let line = serde_json::to_vec(&moment).map_err(io::Error::from);
        // In one piece: what is there when the runner is killed are whole lines.
        let written = line.and_then(|mut line| {
            line.push(b'\n');
            self.file.write_all(&line)
        });
        if let Err(error) = written {
            self.failed.get_or_insert(error);
        }
    }
}
