//! What systemd-resolved(8) needs of a host: its binaries, its user, its configuration and a D-Bus.

use std::fs;
use std::path::Path;

use super::LabError;
use crate::sandbox::FileSpec;
use crate::scenario::BUS_CONFIGURATION;

/// Where `ci/resolved` unpacks the binaries, since to install them would rewrite the machine's own
/// /etc/resolv.conf. Not below /usr, over which it is laid: an overlay refuses layers of which one holds
/// the other (ELOOP).
pub(super) const TREE: &str = "/var/lib/fps-lab/resolved";

/// What must be there, below /usr.
const BINARIES: [&str; 3] = [
    "lib/systemd/systemd-resolved",
    "bin/resolvectl",
    "bin/dbus-daemon",
];

/// The user as whom it runs, in the lab.
const USER: &str = "systemd-resolve";
/// No number that Debian gives to anybody.
const NUMBER: u32 = 64_953;

/// Where the binaries are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The machine has them.
    Machine,
    /// They are in [`TREE`], which is laid over a host's /usr.
    Tree,
}

pub(crate) fn find() -> Option<Place> {
    let (machine, tree) = (Path::new("/usr"), Path::new(TREE).join("usr"));
    let has = |root: &Path, binary: &&str| root.join(binary).is_file();
    if BINARIES.iter().all(|binary| has(machine, binary)) {
        return Some(Place::Machine);
    }
    // The tree holds what the machine lacks.
    let is_somewhere = |binary| has(machine, binary) || has(&tree, binary);
    BINARIES.iter().all(is_somewhere).then_some(Place::Tree)
}

/// The host's files. In a user namespace with one user it is root under another name.
pub(super) fn files(is_root: bool) -> Result<Vec<FileSpec>, LabError> {
    let number = if is_root { NUMBER } else { 0 };
    let user = format!("{USER}:x:{number}:{number}::/:/usr/sbin/nologin");
    let group = format!("{USER}:x:{number}:");
    Ok(vec![
        with_line("/etc/passwd", &user)?,
        with_line("/etc/group", &group)?,
        FileSpec::new("/etc/nsswitch.conf", NSSWITCH),
        FileSpec::new("/run/systemd/resolved.conf.d/lab.conf", CONFIGURATION),
        FileSpec::new(BUS_CONFIGURATION, BUS),
    ])
}

/// The machine's file with a line more, if it has none for that user.
fn with_line(path: &'static str, line: &str) -> Result<FileSpec, LabError> {
    let mut text = fs::read_to_string(path).map_err(|cause| LabError::Users { path, cause })?;
    let is_there = |line: &str| line.split(':').next() == Some(USER);
    if !text.lines().any(is_there) {
        text.push_str(line);
        text.push('\n');
    }
    Ok(FileSpec::new(path, text))
}

const NSSWITCH: &str = "\
passwd: files
group: files
hosts: files resolve [!UNAVAIL=return] dns
";

/// An explicit `DNS=` keeps it from reading another's resolv.conf; LLMNR and mDNS would ask the LAN.
const CONFIGURATION: &str = "\
[Resolve]
DNS=
FallbackDNS=
Domains=
LLMNR=no
MulticastDNS=no
DNSSEC=no
DNSOverTLS=no
";

const BUS: &str = r#"<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
"#;
