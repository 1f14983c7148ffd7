//! Why a scenario file could not be used.

use std::fmt;
use std::io;
use std::path::PathBuf;

use annotate_snippets::Renderer;

use super::diagnostic::{self, Diagnostic, Source};

/// Why a scenario file could not be used.
#[derive(Debug)]
pub enum ScenarioError {
    /// The file could not be read.
    Read {
        /// The file, as it was named.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file has mistakes.
    Invalid(InvalidScenario),
}

/// A scenario file's mistakes, and the texts to show them in: its own, and those of footprints.
#[derive(Debug)]
pub struct InvalidScenario {
    pub(super) sources: Vec<Source>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl ScenarioError {
    /// The text of its `Display` with colours, for a terminal.
    pub fn coloured(&self) -> String {
        match self {
            Self::Read { .. } => self.to_string(),
            Self::Invalid(invalid) => invalid.render(&Renderer::styled()),
        }
    }
}

impl InvalidScenario {
    /// How many mistakes it has.
    pub fn count(&self) -> usize {
        self.diagnostics.len()
    }

    fn render(&self, renderer: &Renderer) -> String {
        let texts: Vec<String> = self
            .diagnostics
            .iter()
            .map(|diagnostic| diagnostic::render(diagnostic, &self.sources, renderer))
            .collect();
        texts.join("\n\n")
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The cause is printed by whoever walks the sources.
            Self::Read { path, .. } => write!(f, "cannot read {}", path.display()),
            Self::Invalid(invalid) => f.write_str(&invalid.render(&Renderer::plain())),
        }
    }
}

impl std::error::Error for ScenarioError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { source, .. } => Some(source),
            Self::Invalid(_) => None,
        }
    }
}
