//! All that a run could leave behind on the machine that this process sees.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The one folder that may change.
pub(crate) const NOT_COMPARED: &str = "/tmp/run-folder";

/// Where files are looked for.
const FOLDERS: [&str; 6] = ["/tmp", "/var/tmp", "/run", "/dev/shm", "/dev/net", "/etc"];

/// What there was at one moment: processes, namespaces, mounts, links and files, in words.
#[derive(Debug)]
pub(crate) struct Snapshot(BTreeSet<String>);

impl Snapshot {
    /// Looks at everything.
    pub(crate) fn take() -> Self {
        let mut things = BTreeSet::new();
        processes(&mut things);
        let mounts = read("/proc/self/mountinfo");
        things.extend(mounts.lines().map(|line| format!("mount {line}")));
        let links = read("/proc/net/dev");
        let links = links.lines().filter_map(|line| line.split_once(':'));
        things.extend(links.map(|(name, _)| format!("link {}", name.trim())));
        for folder in FOLDERS {
            files(Path::new(folder), &mut things);
        }
        Self(things)
    }

    /// What is there that was not before, and the reverse, line by line; empty where nothing is.
    pub(crate) fn difference(&self, now: &Self) -> String {
        let gone = self
            .0
            .difference(&now.0)
            .map(|thing| format!("- {thing}\n"));
        let new = now
            .0
            .difference(&self.0)
            .map(|thing| format!("+ {thing}\n"));
        gone.chain(new).collect()
    }
}

/// Processes, and every namespace that one of their threads is in or that one holds open. A
/// namespace that no process holds is mounted somewhere or gone (namespaces(7)).
fn processes(things: &mut BTreeSet<String>) {
    for pid in list("/proc") {
        if pid.parse::<i32>().is_err() {
            continue;
        }
        let folder = format!("/proc/{pid}");
        let command = fs::read(format!("{folder}/cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        let name = fs::read_to_string(format!("{folder}/comm")).unwrap_or_default();
        things.insert(format!("process {pid} {} {command}", name.trim()));
        let mut holders = vec![format!("{folder}/fd")];
        let threads = list(&format!("{folder}/task"));
        holders.extend(
            threads
                .iter()
                .map(|thread| format!("{folder}/task/{thread}/ns")),
        );
        for holder in holders {
            for entry in list(&holder) {
                let Ok(target) = fs::read_link(format!("{holder}/{entry}")) else {
                    continue;
                };
                let target = target.to_string_lossy().into_owned();
                if target.contains(":[") && !is_anonymous(&target) {
                    things.insert(format!("namespace {target}"));
                }
            }
        }
    }
}

/// Whether a descriptor is of no namespace though it looks so.
fn is_anonymous(target: &str) -> bool {
    let kind = target.split(':').next().unwrap_or_default();
    ["socket", "pipe", "anon_inode"].contains(&kind)
}

/// What tells one file from another that came in its place.
fn files(folder: &Path, things: &mut BTreeSet<String>) {
    for name in list(&folder.to_string_lossy()) {
        let path = folder.join(name);
        if path == Path::new(NOT_COMPARED) {
            continue;
        }
        let Ok(about) = fs::symlink_metadata(&path) else {
            continue;
        };
        let (path_text, inode) = (path.display(), about.ino());
        if about.is_dir() {
            things.insert(format!("folder {path_text} (inode {inode})"));
            files(&path, things);
        } else {
            let (length, time) = (about.len(), about.mtime());
            things.insert(format!(
                "file {path_text} (inode {inode}, {length} bytes, of {time})"
            ));
        }
    }
}

/// The names in a folder; none where it has gone meanwhile.
fn list(folder: &str) -> Vec<String> {
    let Ok(listing) = fs::read_dir(folder) else {
        return Vec::new();
    };
    listing
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("read {path}: {e}"))
}
