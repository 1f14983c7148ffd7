//! What a program does, for the timeline.

use super::{Order, Timeline};
use crate::report::Event;
use crate::sandbox::Exit;

/// How much of a line the timeline has, in characters. The log has all of it.
const LONGEST: usize = 300;

/// Tells of one program.
#[derive(Clone, Debug)]
pub(super) struct Diary {
    timeline: Timeline,
    host: String,
    program: String,
}

impl Diary {
    pub(super) fn of(order: &Order<'_>, timeline: &Timeline) -> Self {
        Self {
            timeline: timeline.clone(),
            host: order.host.to_string(),
            program: order.name.to_owned(),
        }
    }

    pub(super) fn starts(&self, command: &[String]) {
        self.timeline.tell(Event::ProgramStarts {
            host: self.host.clone(),
            program: self.program.clone(),
            command: command.to_vec(),
        });
    }

    pub(super) fn says(&self, line: &str) {
        self.timeline.tell(Event::ProgramSays {
            host: self.host.clone(),
            program: self.program.clone(),
            line: line.chars().take(LONGEST).collect(),
        });
    }

    /// Waits until it has ended, and tells how. That it dies with its lab is not told.
    pub(super) async fn await_end(self, ending: impl Future<Output = Option<Exit>>) {
        if let Some(exit) = ending.await {
            self.timeline.tell(Event::ProgramEnds {
                host: self.host,
                program: self.program,
                exit: exit.to_string(),
            });
        }
    }
}
