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
                say!("{path}: valid; steps: {steps}, sabotages: {sabotages}");
            }
            Exit::Passed
        }
    }
}

/// Reads every file before any is played, and says all that is wrong with them.
pub(super) fn load(paths: &[PathBuf]) -> Result<Vec<ScenarioFile>, Exit> {
    let paths = collect(paths).map_err(|error| {
        complain!("fps-lab: {}", crate::chain(&error));
        Exit::Invalid
    })?;
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut files: Vec<ScenarioFile> = Vec::new();
    let mut invalid = 0;
    for path in &paths {
        match scenario::load(path) {
            Ok(mut file) => {
                file.name = free_name(&file.name, |name| {
                    files.iter().any(|other| other.name == name)
                });
                files.push(file);
            }
            Err(error) => {
                invalid += 1;
                match error {
                    ScenarioError::Read { .. } => complain!("fps-lab: {}", crate::chain(&error)),
                    ScenarioError::Invalid(_) if colour => complain!("{}", error.coloured()),
                    ScenarioError::Invalid(_) => complain!("{error}"),
                }
            }
        }
    }
    if invalid > 0 {
        complain!(
            "fps-lab: {invalid} of {} scenarios cannot be played",
            paths.len()
        );
        return Err(Exit::Invalid);
    }
    Ok(files)
}

/// The name itself where no other file has it, else the first of `name-2`, `name-3` … that is
/// free: the name is also that of the folder.
fn free_name(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.to_owned())
        .chain(numbered)
        .find(|candidate| !taken(candidate))
        .expect("there are more numbers than files")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_files_have_one_name() {
        let mut names: Vec<String> = Vec::new();
        for name in ["a-2", "a", "a", "a", "a-2"] {
            let free = free_name(name, |name| names.iter().any(|taken| taken == name));
            names.push(free);
        }
        assert_eq!(names, ["a-2", "a", "a-3", "a-4", "a-2-2"]);
    }
}
