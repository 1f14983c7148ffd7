//! `changes`: what programs change in a host's network while the acts are done, in order.
//!
//! The kernel tells of each change in the order in which it was made, and before who has asked for it
//! gets an answer. So when the acts are done, all of it has been told; two changes of the lab's own,
//! in a table that no rule leads to, mark that moment and are the positive control.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fps_netlink::{Group, Notices, Route, RouteKind, TableId};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::CheckError;
use super::differ::differ;
use super::kernel::differences;
use crate::play::Verdict;
use crate::play::stage::Stage;
use crate::sandbox::SocketKind;
use crate::scenario::{ChangeLine, Changes, HostName};
use crate::snapshot::{Happened, Reader, SnapshotError};

/// Where the marks are. It is nobody's, and what is done there is never told.
const TABLE: TableId = TableId(u32::MAX - 0x4650);
/// How long the kernel may take to tell of the last mark.
const PATIENCE: Duration = Duration::from_secs(5);

/// What has happened since it began.
#[derive(Debug)]
pub(super) struct Recording {
    on: HostName,
    happened: Arc<Mutex<Vec<Happened>>>,
    /// The number of marks that the kernel has told of; or why nothing more can be heard.
    marks: watch::Receiver<Result<usize, String>>,
    recorder: JoinHandle<()>,
    ended: bool,
}

impl Recording {
    /// Begins to listen.
    pub(super) async fn begin(stage: &Stage<'_>, wanted: &Changes) -> Result<Self, CheckError> {
        let host = stage.lab.host(&wanted.on);
        let network = |error| CheckError::Network(wanted.on.clone(), error);
        let socket = stage.lab.sandbox().socket(host.id(), SocketKind::Route);
        let socket = socket.map_err(SnapshotError::from)?;
        let notices = Notices::from_socket(socket, &Group::ALL).map_err(network)?;
        let links = host
            .station()
            .netlink()
            .whole_links()
            .await
            .map_err(network)?;
        let happened = Arc::default();
        let (tell, marks) = watch::channel(Ok(0));
        let record = record(notices, Reader::new(&links), Arc::clone(&happened), tell);
        Ok(Self {
            on: wanted.on.clone(),
            happened,
            marks,
            recorder: tokio::spawn(record),
            ended: false,
        })
    }

    /// Ends it, the first time: what has been done by now counts.
    pub(super) async fn end(&mut self, stage: &Stage<'_>) -> Result<(), CheckError> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(());
        }
        let netlink = stage.lab.host(&self.on).station().netlink();
        let network = |error| CheckError::Network(self.on.clone(), error);
        let anywhere = "192.0.2.0/24".parse().expect("a subnet");
        let mark = Route::new(anywhere)
            .in_table(TABLE)
            .of_kind(RouteKind::Unreachable);
        netlink.add_route(&mark).await.map_err(network)?;
        netlink.delete_route(&mark).await.map_err(network)?;
        let told = |marks: &Result<usize, String>| !matches!(marks, Ok(0 | 1));
        let told = timeout(PATIENCE, self.marks.wait_for(told)).await;
        let told = told
            .ok()
            .and_then(|told| told.ok().map(|told| told.clone()));
        self.recorder.abort();
        match told {
            Some(Ok(_)) => Ok(()),
            Some(Err(why)) => Err(CheckError::Unheard(self.on.clone(), why)),
            None => {
                let why = "it does not tell of a change of the lab's own".to_owned();
                Err(CheckError::Unheard(self.on.clone(), why))
            }
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.recorder.abort();
    }
}

async fn record(
    mut notices: Notices,
    mut reader: Reader,
    happened: Arc<Mutex<Vec<Happened>>>,
    marks: watch::Sender<Result<usize, String>>,
) {
    let table = TABLE.0.to_string();
    loop {
        let notices = match notices.next().await {
            Ok(notices) => notices,
            Err(error) => {
                drop(marks.send_replace(Err(crate::chain(&error))));
                return;
            }
        };
        for change in notices.iter().filter_map(|notice| reader.read(notice)) {
            if change.entry.get("table") == Some(&table) {
                marks.send_modify(|marks| {
                    if let Ok(marks) = marks {
                        *marks += 1;
                    }
                });
                continue;
            }
            let mut happened = happened.lock().unwrap_or_else(PoisonError::into_inner);
            happened.push(change);
        }
    }
}

pub(super) fn check(
    stage: &Stage<'_>,
    wanted: &Changes,
    recording: &Recording,
) -> Result<Verdict, CheckError> {
    let happened = recording.happened.lock();
    let happened = happened.unwrap_or_else(PoisonError::into_inner);
    keep(stage, wanted, &happened)?;
    let mut pairs = wanted.lines.iter().zip(happened.iter());
    if wanted.lines.len() == happened.len() && pairs.all(|(line, change)| is_it(line, change)) {
        return Ok(Verdict::Held(match happened.len() {
            0 => "nothing is changed but by the lab itself".to_owned(),
            count => format!("{count} changes in this order, and no other"),
        }));
    }
    // One that is as wanted is shown as the file has it, though the kernel tells more.
    let lines: Vec<String> = wanted.lines.iter().map(ChangeLine::to_string).collect();
    let shown: Vec<String> = happened.iter().map(|change| text(wanted, change)).collect();
    let why = format!(
        "{} is changed in another way (- is wanted, + was done)",
        wanted.on
    );
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
    Ok(Verdict::failed(why, differ(&lines, &shown)))
}

/// Leaves what was done in a log, as a scenario has it.
fn keep(stage: &Stage<'_>, wanted: &Changes, happened: &[Happened]) -> Result<(), CheckError> {
    let name = format!("{}.changes.log", wanted.on);
    let acts = stage.acts().iter();
    let acts = acts.map(|(_, act)| format!("# {act}\n"));
    let lines = happened.iter().map(|change| format!("{change}\n"));
    let text: String = acts.chain(lines).collect();
    let log = stage.folder.append(&name);
    let kept = log.and_then(|mut log| log.write_all(text.as_bytes()));
    kept.map_err(|cause| CheckError::Log(name, cause))
}

fn text(wanted: &Changes, change: &Happened) -> String {
    let line = wanted.lines.iter().find(|line| is_it(line, change));
    line.map_or_else(|| change.to_string(), ChangeLine::to_string)
}

fn is_it(line: &ChangeLine, change: &Happened) -> bool {
    let same = line.verb == change.verb && line.object.kind == change.kind;
    same && differences(&line.object, &change.entry).is_empty()
}
