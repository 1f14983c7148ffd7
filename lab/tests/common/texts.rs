//! Small scenarios as text.

use std::fs;
use std::path::{Path, PathBuf};

/// Two hosts on one net, reached in about 50 ms.
pub(crate) const PAIR: &str = r#"
title = "Two hosts on one net"

[net.home]
v4 = "192.168.188.0/24"

[host.laptop]
link.eth0 = { net = "home", ip = "192.168.188.112" }

[host.printer]
link.eth0 = { net = "home", ip = "192.168.188.20" }
"#;

/// No sabotage, where a test is about something else.
pub(crate) const NO_SABOTAGE: &str = "sabotage = []\nwhy = \"a test of the lab itself\"\n";

/// Writes [`PAIR`] with more steps to a file; `steps` are its further tables.
pub(crate) fn pair(folder: &Path, name: &str, steps: &str) -> PathBuf {
    write(folder, name, &format!("{NO_SABOTAGE}{PAIR}{steps}"))
}

/// Writes a scenario to a file.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name).with_extension("toml");
    fs::write(&path, text).unwrap_or_else(|e| panic!("write {}: {e}", path.display()));
    path
}
