//! Control groups of version 2: one is made, and removed again.

use std::path::Path;

use nix::unistd::geteuid;

use super::Lack;
use super::finding::{About, Finding};
use crate::sandbox::{SandboxError, try_groups};

const ABOUT: About = About {
    name: "cgroups",
    purpose: "hosts with `cgroups`: traffic chosen by control group",
    decisive: false,
    program: false,
};

pub(super) fn examine(helper: &Path) -> Finding {
    match try_groups(helper) {
        Ok(()) => ABOUT.ok("a group of version 2 made and removed"),
        Err(error) => ABOUT.missing(explain(&error)),
    }
}

/// What to do where there are none.
pub(crate) fn explain(error: &SandboxError) -> Lack {
    let remedy = if geteuid().is_root() {
        "in a container, start it with --privileged and --cgroupns=private"
    } else {
        "run in a group of your own (systemd-run --user --scope --property=Delegate=yes COMMAND), or \
         run as root (sudo)"
    };
    Lack::new(crate::chain(error), remedy)
}
