//! How many files this process may have open (RLIMIT_NOFILE).
//!
//! A lab takes most of its descriptors of the process that plays it: sockets in its hosts, the programs'
//! output, captures. The usual soft limit is 1024, which is that low for the sake of programs that call
//! select(2), and leaves no room for the labs of a machine with four cores. So this process takes as many
//! as it may have, and the programs in a lab begin with what it was started with.

use std::sync::OnceLock;

use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};

/// How many a lab takes: the largest of the library's has 159.
pub(super) const A_LAB: rlim_t = 192;

/// The soft limit that the process was started with.
static BEFORE: OnceLock<rlim_t> = OnceLock::new();

/// There is not room for one lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this process may open {most} files, and a lab takes up to {A_LAB}")]
pub(crate) struct TooFewFiles {
    most: rlim_t,
}

/// Takes as many as may be had.
pub(crate) fn raise_open_files() {
    BEFORE.get_or_init(|| {
        let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
            return rlim_t::MAX;
        };
        // Where it is refused, what there is room for is asked of the old one.
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).ok();
        soft
    });
}

/// The soft limit that programs begin with.
pub(crate) fn open_files_of_programs() -> rlim_t {
    BEFORE.get().copied().unwrap_or(rlim_t::MAX)
}

/// Gives this process that limit, at most: between fork and exec.
pub(crate) fn lower_open_files_to(soft: rlim_t) -> nix::Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, soft.min(hard), hard)
}

/// Whether there is room for a lab.
pub(crate) fn look() -> Result<(), TooFewFiles> {
    match open_files() {
        most if most < A_LAB => Err(TooFewFiles { most }),
        _ => Ok(()),
    }
}

/// How many this process has once it has taken them. A kernel that does not tell has no limit.
pub(crate) fn open_files() -> rlim_t {
    raise_open_files();
    getrlimit(Resource::RLIMIT_NOFILE).map_or(rlim_t::MAX, |(soft, _)| soft)
}
