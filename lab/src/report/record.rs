//! The record that a run keeps in its folder.

use std::io;
use std::time::{Instant, SystemTime};

use super::{
    FORMAT, OutcomeFile, Run, RunEnd, Scenario, ScenarioEnd, Shard, Skipped, Totals, junit, ms,
};
use crate::folder::Folder;
use crate::run::Outcome;
use crate::scenario::ScenarioFile;

/// The same for CI systems.
const JUNIT: &str = "junit.xml";

/// Writes what came of a run: first that it has not ended, which stays if the run is killed.
#[derive(Debug)]
pub struct Record<'a> {
    folder: &'a Folder,
    start: Instant,
    file: OutcomeFile,
}

impl<'a> Record<'a> {
    /// The file that it is in.
    pub const FILE: &'static str = "outcome.json";

    /// A record of a run that starts now.
    pub fn new(folder: &'a Folder, command: Vec<String>, shard: Option<Shard>) -> Self {
        let run = Run {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            took_ms: 0.0,
            kernel: kernel(),
            command,
            shard,
            end: RunEnd::Unfinished,
            why: None,
            totals: Totals::default(),
        };
        Self {
            folder,
            start: Instant::now(),
            file: OutcomeFile {
                format: FORMAT,
                run,
                scenarios: Vec::new(),
                skipped: Vec::new(),
            },
        }
    }

    /// Says what was left out.
    pub fn skipped(&mut self, skipped: Vec<Skipped>) {
        self.file.skipped = skipped;
    }

    /// Puts down that nothing could be played, and why. Gives all of it.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn write_no_lab(&mut self, why: &str) -> io::Result<&OutcomeFile> {
        self.file.run.why = Some(why.to_owned());
        self.write(&[], &[], RunEnd::NoLab)
    }

    /// Puts down what has come of the files so far, and how the run has ended. Gives all of it.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn write(
        &mut self,
        files: &[ScenarioFile],
        outcomes: &[Outcome],
        end: RunEnd,
    ) -> io::Result<&OutcomeFile> {
        let both = files.iter().zip(outcomes);
        self.file.scenarios = both
            .map(|(file, outcome)| Scenario::of(file, outcome))
            .collect();
        self.file.run.end = end;
        self.file.run.took_ms = ms(self.start.elapsed());
        self.file.run.totals = Totals::of(&self.file);
        self.folder.write_json(Self::FILE, &self.file)?;
        let junit = junit(&self.file).map_err(io::Error::other)?;
        self.folder.write(JUNIT, &junit)?;
        Ok(&self.file)
    }
}

impl Totals {
    fn of(file: &OutcomeFile) -> Self {
        let scenarios = &file.scenarios;
        let sabotages = || scenarios.iter().flat_map(|scenario| &scenario.sabotages);
        let passed = scenarios.iter().filter(|scenario| scenario.play.passed());
        let unfinished = |scenario: &&Scenario| scenario.end == ScenarioEnd::Unfinished;
        let passed = passed.count();
        let unfinished = scenarios
            .iter()
            .filter(|it| !it.play.passed())
            .filter(unfinished)
            .count();
        let bit = sabotages().filter(|sabotage| sabotage.bit).count();
        Self {
            passed,
            failed: scenarios.len() - passed - unfinished,
            unfinished,
            skipped: file.skipped.len(),
            bit,
            no_bite: sabotages().count() - bit,
        }
    }
}

/// What `uname -r` says; nothing where /proc does not.
fn kernel() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease");
    release.unwrap_or_default().trim().to_owned()
}
