//! Who is let in: so many of whom nobody knows anything yet, and no more.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::rc::Rc;
use std::time::Instant;

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpStream};

use fps_log::Throttle;

/// See the module.
pub(super) struct Doorman {
    strangers: Rc<Cell<usize>>,
    most: usize,
    refused: Throttle,
    /// A descriptor that is given up when there is none left, so that who waits at the door can be told
    /// to go instead of being left there.
    spare: Cell<Option<File>>,
}

/// Counts as a stranger until it is dropped.
pub(super) struct Stranger(Rc<Cell<usize>>);

impl Drop for Stranger {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Doorman {
    /// Lets so many strangers in at once.
    pub(super) fn new(most: usize) -> Self {
        raise_limit();
        Self {
            strangers: Rc::default(),
            most,
            refused: Throttle::default(),
            spare: Cell::new(File::open("/dev/null").ok()),
        }
    }

    /// Whether one more may come in; says so from time to time where not.
    pub(super) fn admit(&self) -> Option<Stranger> {
        let strangers = self.strangers.get();
        if strangers < self.most {
            self.strangers.set(strangers + 1);
            return Some(Stranger(Rc::clone(&self.strangers)));
        }
        if let Some((count, suppressed)) = self.refused.hit(Instant::now()) {
            tracing::warn!(
                event = "admission_refused",
                reason = "max_unauthenticated_sessions",
                count,
                suppressed
            );
        }
        None
    }

    /// What to do where `accept` failed: where no descriptor is left, who waits longest is closed.
    /// Says whether it was that.
    pub(super) fn turn_away(&self, listener: &TcpListener, error: &io::Error) -> bool {
        let none_left = [Errno::EMFILE, Errno::ENFILE];
        let errno = error.raw_os_error().map(Errno::from_raw);
        if !errno.is_some_and(|errno| none_left.contains(&errno)) {
            return false;
        }
        drop(self.spare.take());
        let waiting = std::task::Waker::noop();
        let mut context = std::task::Context::from_waker(waiting);
        if let std::task::Poll::Ready(Ok((stream, _))) = listener.poll_accept(&mut context) {
            drop::<TcpStream>(stream);
        }
        self.spare.set(File::open("/dev/null").ok());
        true
    }
}

/// As many descriptors as may be: each carrier has two.
fn raise_limit() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
    {
        // Where it may not be raised it stays.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}
