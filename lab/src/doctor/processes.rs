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
    match room() {
        Err(lack) => ABOUT.missing(lack),
        Ok(None) => ABOUT.ok("no limit"),
        Ok(Some(room)) => ABOUT.ok(format!("{room} more may be started")),
    }
}

/// How many more may be started; fails where a lab takes more.
pub(super) fn room() -> Result<Option<u64>, Lack> {
    limits::room_for_processes().map_err(|few| Lack::new(few.to_string(), REMEDY))
}
