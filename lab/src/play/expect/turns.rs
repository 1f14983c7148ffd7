//! Whether the programs of the lab have done what they were given to do.
//!
//! A packet that a program has not read yet is in no capture behind it. On a machine with too much to
//! do a program may wait for its turn for longer than anybody waits for an answer, and what it would
//! have let through passes for what it has kept back.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::CheckError;
use crate::play::stage::Stage;
use crate::scenario::HostName;

/// How long the programs may take to have a turn each.
const PATIENCE: Duration = Duration::from_secs(1);
/// The time between two looks.
const GAP: Duration = Duration::from_millis(1);
/// How many looks in a row must find nobody waiting: what one program hands to the next wakes it between
/// two of them, and there are as many programs on the way as a tunnel has ends, and back.
const LOOKS: usize = 4;

/// Waits until every program of the lab has had a turn from now on, or sleeps; says who has had none.
pub(super) async fn taken(
    stage: &Stage<'_>,
    host: &HostName,
) -> Result<Result<(), String>, CheckError> {
    let id = stage.lab.host(host).id();
    let Some(processes) = stage.lab.sandbox().open(id, "/proc")? else {
        return Err(CheckError::Turns(ErrorKind::NotFound.into()));
    };
    let root = PathBuf::from(format!("/proc/self/fd/{}", processes.as_raw_fd()));
    let deadline = Instant::now() + PATIENCE;
    let (mut waiting, mut quiet) = (Waiting::default(), 0);
    loop {
        let threads = threads(&root).map_err(CheckError::Turns)?;
        let Some(name) = waiting.look(threads) else {
            quiet += 1;
            if quiet == LOOKS {
                return Ok(Ok(()));
            }
            sleep(GAP).await;
            continue;
        };
        quiet = 0;
        if Instant::now() >= deadline {
            return Ok(Err(format!(
                "{name} has had no turn on a processor for {PATIENCE:?}, so that what it was sent may still \
                 wait in it"
            )));
        }
        sleep(GAP).await;
    }
}

/// A thread, as proc_pid_stat(5) shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Thread {
    /// Process and thread.
    id: (i32, i32),
    name: String,
    /// It has a processor, or waits for one.
    is_runnable: bool,
    /// What changes while it runs.
    has_run: HasRun,
}

/// How much of the processors a thread has had: clock ticks, then the nanoseconds and the turns, which are
/// 0 where the kernel does not count them (CONFIG_SCHED_INFO).
type HasRun = (u64, u64, u64);

/// The threads that have waited since somebody looks.
#[derive(Debug, Default)]
struct Waiting(BTreeMap<(i32, i32), HasRun>);

impl Waiting {
    /// Looks once more; gives the name of one that still waits for its first turn.
    fn look(&mut self, threads: Vec<Thread>) -> Option<String> {
        let mut still = None;
        for thread in threads.into_iter().filter(|it| it.is_runnable) {
            let first = *self.0.entry(thread.id).or_insert(thread.has_run);
            if first == thread.has_run {
                still = Some(thread.name);
            }
        }
        still
    }
}

/// All threads below a /proc.
fn threads(root: &Path) -> io::Result<Vec<Thread>> {
    let mut found = Vec::new();
    for process in numbers(root)? {
        let tasks = root.join(process.to_string()).join("task");
        for id in unless_ended(numbers(&tasks))?.unwrap_or_default() {
            let folder = tasks.join(id.to_string());
            let Some(stat) = unless_ended(fs::read_to_string(folder.join("stat")))? else {
                continue;
            };
            // Not every kernel has it.
            let turns = unless_ended(fs::read_to_string(folder.join("schedstat")))?;
            let thread = read((process, id), &stat, &turns.unwrap_or_default());
            found.push(thread.ok_or_else(|| io::Error::other(stat))?);
        }
    }
    // Its helper at least is in every lab, so that an empty list is one of another /proc.
    if found.is_empty() {
        return Err(ErrorKind::NotFound.into());
    }
    Ok(found)
}

/// What was read of a thread; none where it has ended meanwhile, and waits for nothing.
fn unless_ended<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        // So says a file that was opened in time (`proc_single_show` in fs/proc/base.c).
        Err(error) if error.raw_os_error() == Some(nix::libc::ESRCH) => Ok(None),
        read => read.map(Some),
    }
}

/// The entries of a folder that are numbers.
fn numbers(folder: &Path) -> io::Result<Vec<i32>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.parse::<i32>().ok()));
    }
    Ok(numbers)
}

/// `12 (name) S …`: a name may have spaces and parentheses (proc_pid_stat(5)). The other file has three
/// numbers: nanoseconds with a processor, those without, and the turns
/// (Documentation/scheduler/sched-stats.rst).
fn read(id: (i32, i32), stat: &str, turns: &str) -> Option<Thread> {
    let (head, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let number = |text: &str| text.parse::<u64>().ok();
    // Fields 14 and 15 of all, the state being the third.
    let ticks = number(fields.get(11)?)? + number(fields.get(12)?)?;
    let turns: Vec<u64> = turns.split_whitespace().filter_map(number).collect();
    let turn = |at: usize| turns.get(at).copied().unwrap_or_default();
    Some(Thread {
        id,
        name: head.split_once('(')?.1.to_owned(),
        is_runnable: *fields.first()? == "R",
        has_run: (ticks, turn(0), turn(2)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread(state: &str, turns: &str) -> Thread {
        let stat = format!("7 (a (b) c) {state} 1 7 7 0 -1 4194560 109 0 0 0 3 4 0 0 20 0 1 0 55");
        read((7, 8), &stat, turns).expect("as the kernel writes it")
    }

    #[test]
    fn a_thread_is_read_whatever_its_name() {
        let wanted = Thread {
            id: (7, 8),
            name: "a (b) c".to_owned(),
            is_runnable: true,
            has_run: (7, 500, 2),
        };
        assert_eq!(thread("R", "500 20 2\n"), wanted);
        assert_eq!(thread("S", "").has_run, (7, 0, 0));
        assert_eq!(read((1, 1), "1 (short) S", ""), None);
    }

    #[test]
    fn who_waits_for_a_processor_is_told_until_he_has_had_one() {
        let mut waiting = Waiting::default();
        let waits = |waiting: &mut Waiting, state, turns| waiting.look(vec![thread(state, turns)]);
        assert_eq!(waits(&mut waiting, "S", "500 20 2"), None);
        let name = Some("a (b) c".to_owned());
        assert_eq!(waits(&mut waiting, "R", "500 20 2"), name);
        assert_eq!(waits(&mut waiting, "R", "500 90 2"), name, "still waits");
        assert_eq!(waits(&mut waiting, "R", "501 90 3"), None, "runs");
        assert_eq!(waits(&mut waiting, "R", "900 90 3"), None, "has run");
        assert_eq!(waits(&mut waiting, "T", "900 90 3"), None, "was stopped");
    }

    #[test]
    fn a_folder_without_threads_tells_nothing() {
        let empty = tempfile::tempdir().expect("a folder");
        assert!(threads(empty.path()).is_err());
        assert!(matches!(
            unless_ended::<()>(Err(ErrorKind::NotFound.into())),
            Ok(None)
        ));
        assert!(unless_ended::<()>(Err(ErrorKind::PermissionDenied.into())).is_err());
    }

    #[test]
    fn this_thread_is_among_those_of_its_machine() {
        let found = threads(Path::new("/proc")).expect("it can be read");
        let own = i32::try_from(std::process::id()).expect("a process");
        let own: Vec<_> = found.iter().filter(|it| it.id.0 == own).collect();
        assert!(own.iter().any(|it| it.is_runnable), "{own:?}");
    }
}
