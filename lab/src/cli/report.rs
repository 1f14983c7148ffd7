//! `fps-lab report`.

use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

use super::Exit;
use crate::folder::Folder;
use crate::html;
use crate::report::{FORMAT, OutcomeFile, Record};

pub(super) fn main(folder: &Path) -> Exit {
    match make(folder) {
        Ok(()) => {
            say!("{}", folder.join(html::FILE).display());
            Exit::Passed
        }
        Err(error) => {
            complain!("fps-lab: {error}");
            Exit::Invalid
        }
    }
}

fn make(folder: &Path) -> io::Result<()> {
    let path = folder.join(Record::FILE);
    let shown = path.display();
    let said = |error: &dyn std::fmt::Display| io::Error::other(format!("read {shown}: {error}"));
    let text = fs::read(&path).map_err(|error| said(&error))?;
    let Version { format } = serde_json::from_slice(&text).map_err(|error| said(&error))?;
    if format != FORMAT {
        return Err(said(&format!(
            "its format is {format}, and this fps-lab reads format {FORMAT}"
        )));
    }
    let outcome: OutcomeFile = serde_json::from_slice(&text).map_err(|error| said(&error))?;
    Folder::create(folder)?.write(html::FILE, &html::page(&outcome, folder))
}

/// What every version of the format has.
#[derive(Deserialize)]
struct Version {
    format: u32,
}
