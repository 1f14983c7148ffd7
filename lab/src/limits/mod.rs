//! What the kernel lets this process have (getrlimit(2), control groups, inotify(7)), and how many labs there
//! is room for.
//!
//! - `open_files`: of this process, and of the programs in a lab
//! - `processes`: and threads, of this user and of this control group

mod open_files;
mod processes;

use std::fs;
use std::num::NonZeroUsize;

pub(crate) use open_files::{
    look as look_at_files, lower_open_files_to, open_files, open_files_of_programs,
    raise_open_files,
};
pub(crate) use processes::room_for_a_lab as room_for_processes;

/// How many labs there is room for at once, one at least: by open files, by processes, and by inotify
/// instances, of which a user has 128 as a rule in all labs together. Those with a DNS forwarder or a
/// daemon that watches take one or two.
pub(crate) fn labs() -> NonZeroUsize {
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let least = count(open_files() / open_files::A_LAB)
        .min(processes::room().map_or(usize::MAX, |room| count(room / processes::A_LAB)))
        .min(inotify_instances().map_or(usize::MAX, |most| most / 2));
    NonZeroUsize::new(least).unwrap_or(NonZeroUsize::MIN)
}

/// None where the kernel has no inotify, or does not tell.
fn inotify_instances() -> Option<usize> {
    let most = fs::read_to_string("/proc/sys/fs/inotify/max_user_instances").ok()?;
    most.trim().parse().ok()
}
