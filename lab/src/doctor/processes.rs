//! How many processes there may be.

use super::Lack;
use super::finding::{About, Finding};
use crate::limits;

const ABOUT: About = About {
    name: "processes",
    purpose: "every lab, and as many at once as `run --jobs` says",
    decisive: true,
    program: false,
};

const REMEDY: &str = "as root, before the run: ulimit -u 4096; of a container: --pids-limit 4096; of a \
                      unit of systemd: TasksMax=4096";

pub(super) fn examine() -> Finding {
    match look() {
        Err(lack) => ABOUT.missing(lack),
        Ok(()) if limits::processes() == u64::MAX => ABOUT.ok("no limit"),
        Ok(()) => ABOUT.ok(format!("{} more may be started", limits::processes())),
    }
}

/// Whether there is room for a lab.
pub(super) fn look() -> Result<(), Lack> {
    limits::look_at_processes().map_err(|few| Lack::new(few.to_string(), REMEDY))
}
