//! `files` of a host

use crate::scenario::model::HostFile;
use crate::scenario::syntax::{Node, Table, Word};

/// What each host has of its own; all else is the machine's.
const FOLDERS: [&str; 2] = ["/etc", "/run"];

/// What the lab writes, and the key that says what is in it.
const OURS: [(&str, &str); 3] = [
    ("/etc/hosts", "write its lines with `hosts`"),
    ("/etc/resolv.conf", "name the servers with `name-servers`"),
    ("/etc/hostname", "it holds the host's name"),
];

/// Where the lab puts what its own programs and the tunnel's need.
const OUR_FOLDERS: [&str; 3] = ["/run/fps", "/run/fps-lab", "/run/tunnel"];

/// Reads the files of a host.
pub(super) fn files(table: &Table<'_>) -> Vec<HostFile> {
    let entries = table.get("files").map(Node::entries).unwrap_or_default();
    let files = entries.into_iter().filter_map(|(path, node)| {
        let path = path_of(path);
        let content = node.word()?.text.to_owned();
        Some(HostFile {
            path: path?,
            content,
        })
    });
    files.collect()
}

fn path_of(word: Word<'_>) -> Option<String> {
    let path = word.text;
    let is_in = |ours: &str| {
        let rest = path.strip_prefix(ours);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if let Some((_, instead)) = OURS.iter().find(|(ours, _)| is_in(ours)) {
        let wrong = word.wrong(format!("`{path}` is the lab's own"));
        return word.refuse(wrong.label(*instead));
    }
    if let Some(ours) = OUR_FOLDERS.iter().find(|ours| is_in(ours)) {
        let wrong = word.wrong(format!("`{ours}` is the lab's own"));
        return word.refuse(wrong.label("choose another folder, such as /run/vpn"));
    }
    let below = FOLDERS
        .iter()
        .find_map(|folder| path.strip_prefix(folder)?.strip_prefix('/'));
    match below {
        // An empty part is a second slash, or one at the end.
        Some(rest) if rest.split('/').all(|part| !["", ".", ".."].contains(&part)) => {
            Some(path.to_owned())
        }
        Some(_) => word.refuse(word.wrong(format!("`{path}` is no path of a file"))),
        None => {
            let wrong = word.wrong(format!("`{path}` is not the host's own"));
            let label = "a path below /etc or /run: all else is the machine's";
            word.refuse(wrong.label(label))
        }
    }
}
