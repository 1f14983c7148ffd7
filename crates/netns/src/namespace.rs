//! A network namespace, held by a descriptor.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sched::{CloneFlags, setns, unshare};

use crate::error::{Error, Result};

/// A network namespace. It lives as long as a descriptor, a process or a mount holds it.
#[derive(Debug)]
pub struct Namespace {
    descriptor: OwnedFd,
}

impl Namespace {
    /// Creates an empty namespace; the calling thread stays where it is.
    ///
    /// Needs CAP_SYS_ADMIN in the thread's user namespace.
    pub fn create() -> Result<Self> {
        let home = Self::current()?;
        unshare(CloneFlags::CLONE_NEWNET)
            .map_err(|e| Error::system("create a network namespace (CAP_SYS_ADMIN)", e))?;
        let created = Self::current();
        home.enter()?;
        created
    }

    /// The namespace of the calling thread.
    pub fn current() -> Result<Self> {
        // Not /proc/self, which shows the main thread's.
        let file = File::open("/proc/thread-self/ns/net")
            .map_err(|e| Error::system("open /proc/thread-self/ns/net", e))?;
        Ok(Self {
            descriptor: file.into(),
        })
    }

    /// Runs `act` with the calling thread inside the namespace.
    ///
    /// A socket that `act` makes stays in the namespace; a thread that it starts does too.
    ///
    /// # Panics
    /// Where the thread cannot return: to go on in the wrong namespace would be worse.
    pub fn within<T>(&self, act: impl FnOnce() -> T) -> Result<T> {
        let home = Self::current()?;
        self.enter()?;
        let _return = Return(home);
        Ok(act())
    }

    fn enter(&self) -> Result<()> {
        setns(&self.descriptor, CloneFlags::CLONE_NEWNET)
            .map_err(|e| Error::system("enter a network namespace (CAP_SYS_ADMIN)", e))
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl From<OwnedFd> for Namespace {
    /// Wraps a descriptor of a namespace.
    fn from(descriptor: OwnedFd) -> Self {
        Self { descriptor }
    }
}

impl From<Namespace> for OwnedFd {
    fn from(namespace: Namespace) -> Self {
        namespace.descriptor
    }
}

struct Return(Namespace);

impl Drop for Return {
    fn drop(&mut self) {
        self.0
            .enter()
            .expect("a thread that may enter a namespace may leave it");
    }
}
