//! Programs of the machine, looked up where the hosts will.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Lack;
use super::finding::{About, Finding};
use crate::sandbox::PATH;

/// Those that the library of scenarios and its scripts know; a scenario may need others.
const KNOWN: [(&str, &str); 8] = [
    (
        "ip",
        "scenarios with `needs = [\"ip\"]`, and people in a host's shell",
    ),
    ("curl", "scenarios/tunnel/curl.toml and its like"),
    ("openvpn", "scenarios/needs/openvpn*.toml"),
    ("wg", "scenarios/needs/boringtun*.toml"),
    ("boringtun-cli", "scenarios/needs/boringtun*.toml"),
    ("chromium", "scenarios/needs/chromium.toml"),
    ("certutil", "scenarios/needs/chromium.toml"),
    ("setcap", "the tests of a client with one capability"),
];

pub(super) fn examine() -> impl Iterator<Item = Finding> {
    KNOWN.iter().map(|(name, purpose)| {
        let about = About {
            name,
            purpose,
            decisive: false,
            program: true,
        };
        match find(name) {
            Ok(path) => about.ok(path.display().to_string()),
            Err(lack) => about.missing(lack),
        }
    })
}

/// Where a program is.
pub(super) fn find(program: &str) -> Result<PathBuf, Lack> {
    let files = PATH
        .split(':')
        .map(|folder| Path::new(folder).join(program));
    let mut programs = files.filter(|file| is_program(file));
    programs
        .next()
        .ok_or_else(|| Lack::new(format!("this machine has no `{program}`"), remedy(program)))
}

fn is_program(file: &Path) -> bool {
    let about = file.metadata();
    about.is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

/// The command that brings it on Debian.
fn remedy(program: &str) -> String {
    let package = match program {
        // Debian has it not.
        "boringtun-cli" => {
            return "build it: sudo -E env \"PATH=$PATH\" ci/boringtun".to_owned();
        }
        "wg" => "wireguard-tools",
        "certutil" => "libnss3-tools",
        "nft" => "nftables",
        "ip" | "tc" | "ss" => "iproute2",
        "setcap" => "libcap2-bin",
        same => same,
    };
    format!("install the package that provides it (on Debian: sudo apt-get install {package})")
}
