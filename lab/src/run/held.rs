//! One lab that is held until somebody ends it.

use super::job::{Job, held_folder};
use super::line::Voice;
use super::{Audience, Options};
use crate::desk::{Desk, Hold, LabName, RuntimeFolder};
use crate::play::Report;
use crate::scenario::ScenarioFile;

/// A lab to build and to hold.
pub struct HeldLab<'a> {
    /// The scenario's file.
    pub file: &'a ScenarioFile,
    /// Which of its sabotages, from 0; the scenario itself where none is given.
    pub sabotage: Option<usize>,
    /// How many of its steps are played before.
    pub steps: usize,
    /// Where it is found.
    pub folder: RuntimeFolder,
    /// What it is called.
    pub name: LabName,
    /// Called when it is held.
    pub standing: &'a dyn Fn(),
}

impl HeldLab<'_> {
    /// Builds it, plays its steps and holds it; returns when nothing of it is left. An error where it
    /// could not even be begun.
    pub fn hold(self, options: &Options<'_>, audience: &dyn Audience) -> Result<Report, String> {
        let job = Job::of_one(self.file, self.sabotage);
        let logs = options.folder.path().join(held_folder(&self.name));
        let facts = job.facts(&logs);
        let voice = Voice::new(self.name.to_string(), job.sabotage(), audience);
        let desk = Desk::new(self.folder, self.name, Hold::AtEnd, facts);
        job.hold(options, self.steps, desk, &voice, self.standing)
    }
}
