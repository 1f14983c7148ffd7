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
    let outcome = match read(folder) {
        Ok(outcome) => outcome,
        Err(error) => {
            complain!("fps-lab: {error}");
            return Exit::Invalid;
        }
    };
    let page = html::page(&outcome, folder);
    match Folder::create(folder).and_then(|it| it.write(html::FILE, &page)) {
        Ok(()) => {
            say!("{}", folder.join(html::FILE).display());
            Exit::Passed
        }
        Err(error) => {
            complain!("fps-lab: write the page: {error}");
            Exit::NoLab
        }
    }
}

/// What a run has left of itself.
fn read(folder: &Path) -> io::Result<OutcomeFile> {
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
    serde_json::from_slice(&text).map_err(|error| said(&error))
}

/// What every version of the format has.
#[derive(Deserialize)]
struct Version {
    format: u32,
}
