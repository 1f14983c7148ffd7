//! What can be wrong with a configuration file.

use std::io;
use std::path::{Path, PathBuf};

/// Each names the file and, where there is one, the key's path in it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read {}: check the path and its permissions", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is no JSON, or holds an unknown key, or a value of the wrong kind.
    #[error("{}:{line}:{column}: {key}: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// Dotted.
        key: String,
        /// What was expected.
        reason: String,
    },
    /// Others may read it, and it holds a secret.
    #[error(
        "{} holds a key or an identity, and others may read it (mode {mode:04o}): chmod 600 it",
        path.display()
    )]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A value is of the right kind and still impossible.
    #[error("{}: {key}: {reason}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Dotted.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl ConfigError {
    pub(super) fn syntax(
        path: &Path,
        error: serde_path_to_error::Error<serde_json::Error>,
    ) -> Self {
        let key = error.path().to_string();
        let error = error.into_inner();
        let text = error.to_string();
        let reason = text
            .rsplit_once(" at line ")
            .map_or(text.as_str(), |(reason, _)| reason);
        // The key stands before the reason already.
        let reason = match reason.strip_prefix("unknown field ") {
            Some(rest) => match rest.split_once(", ") {
                Some((_, expected)) => format!("unknown key, {expected}"),
                None => "unknown key".to_owned(),
            },
            None => reason.to_owned(),
        };
        let (line, column) = (error.line(), error.column());
        Self::Syntax {
            path: path.to_owned(),
            line,
            column,
            key,
            reason,
        }
    }

    pub(super) fn trailing(path: &Path, error: &serde_json::Error) -> Self {
        Self::Syntax {
            path: path.to_owned(),
            line: error.line(),
            column: error.column(),
            key: ".".to_owned(),
            reason: "text after the end of the configuration".to_owned(),
        }
    }

    pub(super) fn value(path: &Path, key: &'static str, reason: String) -> Self {
        Self::Value {
            path: path.to_owned(),
            key,
            reason,
        }
    }
}
