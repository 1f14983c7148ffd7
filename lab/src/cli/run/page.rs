//! `report.html` of a run.

use std::io;

use crate::folder::Folder;
use crate::html;
use crate::report::OutcomeFile;

/// Puts the page of a run that begins in the place of that of the run before, with nothing played yet.
pub(super) fn begin(folder: &Folder, outcome: &OutcomeFile) -> io::Result<()> {
    let none_yet = OutcomeFile {
        scenarios: Vec::new(),
        ..outcome.clone()
    };
    end(folder, &none_yet)
}

/// Puts the page of a run in its folder.
pub(super) fn end(folder: &Folder, outcome: &OutcomeFile) -> io::Result<()> {
    folder.write(html::FILE, &html::page(outcome, folder.path()))
}
