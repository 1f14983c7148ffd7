//! `fps-lab check`.

use std::io::IsTerminal;
use std::path::PathBuf;

use super::Exit;
use crate::run::collect;
use crate::scenario::{self, ScenarioError, ScenarioFile};

pub(super) fn main(paths: &[PathBuf]) -> Exit {
    match load(paths) {
        Err(exit) => exit,
        Ok(files) => {
            for file in &files {
                let steps = file.scenario.steps.len();
                let sabotages = file.sabotages.len();
                let path = file.path.display();
                println!("{path}: valid; steps: {steps}, sabotages: {sabotages}");
            }
            Exit::Passed
        }
    }
}

/// Reads every file before any is played, and says all that is wrong with them.
pub(super) fn load(paths: &[PathBuf]) -> Result<Vec<ScenarioFile>, Exit> {
    let paths = collect(paths).map_err(|error| {
        eprintln!("fps-lab: {}", crate::chain(&error));
        Exit::Invalid
    })?;
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut files: Vec<ScenarioFile> = Vec::new();
    let mut invalid = 0;
    for path in &paths {
        match scenario::load(path) {
            Ok(mut file) => {
                let same = files.iter().filter(|other| other.name == file.name).count();
                if same > 0 {
                    file.name = format!("{}-{}", file.name, same + 1);
                }
                files.push(file);
            }
            Err(error) => {
                invalid += 1;
                match error {
                    ScenarioError::Read { .. } => eprintln!("fps-lab: {}", crate::chain(&error)),
                    ScenarioError::Invalid(_) if colour => eprintln!("{}", error.coloured()),
                    ScenarioError::Invalid(_) => eprintln!("{error}"),
                }
            }
        }
    }
    if invalid > 0 {
        eprintln!(
            "fps-lab: {invalid} of {} scenarios cannot be played",
            paths.len()
        );
        return Err(Exit::Invalid);
    }
    Ok(files)
}
