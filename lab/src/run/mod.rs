//! Plays scenario files with their sabotages, several at once.
//!
//! - [`collect`]: the files that a command line means
//! - [`run`]: plays them
//! - [`Audience`]: who is told of it as it goes on
//! - [`Outcome`]: what came of each file
//! - [`Catch`]: which expectations caught a sabotage
//! - [`HeldLab`]: builds one lab and holds it
//! - `company`: whether a play has others beside it
//! - `line`: what is said of it as it happens

mod audience;
mod catch;
mod company;
mod files;
mod held;
mod job;
mod line;
mod outcome;
mod shard;

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

pub use audience::Audience;
pub use catch::{Catch, Caught};
use company::Company;
pub use files::{FilesError, collect};
pub use held::HeldLab;
pub use job::play_folder;
use job::{Done, Job};
pub use line::Line;
pub(crate) use line::{Voice, told};
pub use outcome::{Counts, Outcome, SabotageOutcome, unplayed};
pub use shard::{NoShard, Shard};
use tokio::sync::watch;

use crate::desk::RuntimeFolder;
use crate::folder::Folder;
use crate::lab::Site;
use crate::play::Keep;
use crate::sandbox::Sandbox;
use crate::scenario::ScenarioFile;

/// How many finished sandboxes are kept until the end of a run.
///
/// The kernel clears a namespace away in tens of milliseconds, during which it blocks the
/// creation of others: a lab built while another is torn down has taken half a second. Not more
/// are kept, since the neighbour tables of all namespaces together hold 1024 entries (gc_thresh3
/// in arp(7)); when they are full, IPv6 answers EINVAL.
const KEPT: usize = 16;

/// How to play.
#[derive(Debug)]
pub struct Options<'a> {
    /// What labs take from the machine.
    pub site: &'a Site,
    /// The folder of the run.
    pub folder: &'a Folder,
    /// How many plays at once.
    pub jobs: NonZeroUsize,
    /// Whether the sabotages are played as well.
    pub sabotages: bool,
    /// Whether the first play that fails is the last.
    pub fail_fast: bool,
    /// Of which steps packets are kept.
    pub keep: Keep,
    /// Where a lab is found that is held at a failure; none where none is to be held.
    pub pause: Option<&'a RuntimeFolder>,
    /// Turns true when the run is to end early.
    pub stop: watch::Receiver<bool>,
}

/// Plays every file, each sabotage in a lab of its own; gives the outcomes in the files' order.
///
/// Scenarios that are to be played alone come first, when nobody is there yet whose end they would wait
/// for. In this process nothing is played beside them by another run either.
pub fn run(files: &[ScenarioFile], options: &Options<'_>, audience: &dyn Audience) -> Vec<Outcome> {
    let jobs = files.iter().enumerate().flat_map(Job::of_file);
    let jobs = jobs.filter(|job| options.sabotages || !job.is_sabotage());
    let (alone, others): (Vec<Job<'_>>, Vec<Job<'_>>) = jobs.partition(Job::is_alone);
    let failed = AtomicBool::new(false);
    let retired = Mutex::new(Vec::<Sandbox>::new());
    let (tell, told) = mpsc::channel();
    let play = |job: &Job<'_>, tell: &mpsc::Sender<Done>| {
        let _company = Company::wait_for(job.is_alone());
        let failed_fast = options.fail_fast && failed.load(Ordering::Relaxed);
        if failed_fast || *options.stop.borrow() {
            return ControlFlow::Break(());
        }
        let name = job.name();
        audience.begins(&name);
        let (done, sandbox) = job.play(options, audience);
        let well = job.came_well(&done);
        audience.ends(&name, well);
        failed.fetch_or(!well, Ordering::Relaxed);
        let mut retired = retired.lock().unwrap_or_else(PoisonError::into_inner);
        if retired.len() < KEPT {
            retired.extend(sandbox);
        }
        // The receiver outlives the threads.
        drop(tell.send(done));
        ControlFlow::Continue(())
    };
    let gone_on = alone.iter().try_for_each(|job| play(job, &tell));
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..options.jobs.get().min(others.len()) {
            let (tell, others, next, play) = (tell.clone(), &others, &next, &play);
            scope.spawn(move || {
                while gone_on.is_continue()
                    && let Some(job) = others.get(next.fetch_add(1, Ordering::Relaxed))
                    && play(job, &tell).is_continue()
                {}
            });
        }
    });
    drop(tell);
    let retired = retired.into_inner().unwrap_or_else(PoisonError::into_inner);
    // All at once: each takes the time of a few grace periods of RCU.
    drop(retired.into_iter().map(Sandbox::end).collect::<Vec<_>>());
    outcome::gather(files, options.sabotages, told)
}
