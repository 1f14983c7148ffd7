//! How many files may be open.

use super::Lack;
use super::finding::{About, Finding};
use crate::limits;

const ABOUT: About = About {
    name: "open files",
    purpose: "every lab, and as many at once as `run --jobs` says",
    decisive: true,
    program: false,
};

/// As many as Linux allows a program by itself (`INR_OPEN_MAX`, include/uapi/linux/fs.h).
const REMEDY: &str =
    "as root, before the run: ulimit -n 4096; of a container: --ulimit nofile=4096";

pub(super) fn examine() -> Finding {
    match look() {
        Ok(()) => ABOUT.ok(format!("{} may be open", limits::open_files())),
        Err(lack) => ABOUT.missing(lack),
    }
}

/// Whether there is room for a lab.
pub(super) fn look() -> Result<(), Lack> {
    limits::look_at_files().map_err(|few| Lack::new(few.to_string(), REMEDY))
}
