//! How many files may be open.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Takes as many as the administrator lets this program have: each outstanding question has a socket,
/// and the usual soft limit is as low as the default of those (getrlimit(2)).
pub(super) fn raise() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    if let Err(error) = raised {
        tracing::warn!(event = "descriptors_low", error = %error);
    }
}
