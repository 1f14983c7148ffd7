//! What a run leaves and shows for others: files, the terminal, CI.
//!
//! - `outcome`, `junit`, `timeline`: the files of the run's folder
//! - `terminal`, `github`: what is printed where
//! - `shards`: a part of the scenarios
//! - `run_place`, `pty`, `schemas`: what these tests work with

#[path = "../common/ended.rs"]
mod ended;
#[path = "../common/process.rs"]
mod process;
#[path = "../common/run_place.rs"]
mod run_place;
#[path = "../common/talk.rs"]
mod talk;
#[path = "../common/texts.rs"]
mod texts;

mod github;
mod junit;
mod outcome;
mod pty;
mod schemas;
mod shards;
mod terminal;
mod timeline;
