//! `report.html`: what came of a run, for people.
//!
//! One file that asks for nothing else: its style and its script are in it, and a policy in its head
//! forbids all but these two, by their hashes. It is made of `outcome.json` and the files beside that
//! alone, so it can be made again wherever these are. Without the script it reads the same; the script
//! filters, opens what a link leads to, and remembers light or dark.
//!
//! - [`page`]: all of it; `frame`: what is around the content
//! - `overview`: how it ended, in figures; `scenario`: a scenario with its sabotages
//! - `play`: one play; `timeline`: what happened when, `ticks`: its packets and queries
//! - `failure`: an expectation that did not hold: `hops`, where its packet was seen; `tables`: the rules
//!   and routes that decided
//! - `beside`: reads the files beside `outcome.json`

mod beside;
mod failure;
mod frame;
mod hops;
mod overview;
mod play;
mod scenario;
mod tables;
mod ticks;
mod timeline;
mod words;

use std::path::Path;

use maud::html;

use crate::report::OutcomeFile;
use beside::Beside;

/// The name of the page in the run's folder.
pub const FILE: &str = "report.html";

/// The page of a run; `folder` is the run's.
pub fn page(outcome: &OutcomeFile, folder: &Path) -> String {
    let beside = Beside::new(folder);
    let content = html! {
        (overview::overview(outcome))
        (scenario::list(outcome, &beside))
    };
    frame::frame(&overview::title(outcome), &content)
}
