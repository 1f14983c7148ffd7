//! systemd-resolved(8), installed or unpacked by `ci/resolved`.

use super::Lack;
use super::finding::{About, Finding};
use crate::lab::{ResolvedPlace, find_resolved};

const ABOUT: About = About {
    name: "resolved",
    purpose: "hosts with `resolver = \"systemd-resolved\"`",
    decisive: false,
    program: false,
};

/// The name of the program, as `--may-lack` takes it.
pub(super) const PROGRAM: &str = "systemd-resolved";

pub(super) fn examine() -> Finding {
    match find_resolved() {
        Some(ResolvedPlace::Machine) => ABOUT.ok("installed on this machine"),
        Some(ResolvedPlace::Tree) => ABOUT.ok("unpacked by ci/resolved"),
        None => ABOUT.missing(lack()),
    }
}

pub(super) fn look() -> Result<(), Lack> {
    find_resolved().map(drop).ok_or_else(lack)
}

fn lack() -> Lack {
    Lack::new(
        "this machine has no systemd-resolved for hosts with `resolver = \"systemd-resolved\"`",
        "run `sudo ci/resolved`, which unpacks Debian's packages for them and installs nothing (to \
         install systemd-resolved, libnss-resolve and dbus-daemon would do, and would rewrite the \
         machine's own /etc/resolv.conf)",
    )
}
