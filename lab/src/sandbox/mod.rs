//! One process owns a run's namespaces, and the kernel cleans up after it.
//!
//! - [`Sandbox`]: what the rest of the lab holds; dropping it ends everything inside
//! - `keeper`: the thread that starts the helper and waits for its end
//! - `helper`: the process itself, pid 1 of its PID namespace
//! - `cgroup` and `janitor`: control groups for the scenarios that name some, and who removes them
//! - `whereabouts`: where the helper is, for a program that is not `fps-lab` itself
//! - `protocol`: what the two say, over a socket that carries descriptors (`channel.rs`)
//!
//! The helper has namespaces of its own for processes, mounts, network, host name and IPC, and
//! for users where the runner is not root. It ends when its control socket closes or its keeper
//! thread dies; the kernel then kills what runs inside and drops what nothing holds any more,
//! whatever ended the runner.

mod cgroup;
mod error;
pub mod helper;
pub mod janitor;
mod keeper;
mod program;
mod protocol;
pub(crate) mod whereabouts;

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cgroup::Subtree;
pub use error::SandboxError;
use keeper::Keeper;
pub use program::{Exit, Running, Signal, Start};
use protocol::{BUILD, Reply, Request};
pub use protocol::{FileSpec, GroupsSpec, HostId, HostSpec, PATH, PROGRAMS, SocketKind};

use crate::channel::Channel;
use crate::limits;
use crate::scenario::Sender;

/// A live sandbox. Calls block for the time of a round trip: 30 to 100 µs, a new host 0.6 ms.
#[derive(Debug)]
pub struct Sandbox {
    // Closed before the keeper is waited for: declared first, dropped first.
    line: Mutex<Line>,
    keeper: Keeper,
    /// Removed when nothing is left inside: declared last, dropped last.
    groups: Option<Subtree>,
}

/// The line to the helper, on which answers come in the order of the questions.
#[derive(Debug)]
struct Line {
    channel: Channel,
    /// Hosts that were asked for and not taken yet: their answers come before any other.
    hosts_due: usize,
}

/// A host's namespaces, as the runner holds them.
#[derive(Debug)]
pub struct HostHandle {
    /// Names it in further calls.
    pub id: HostId,
    /// Its network namespace.
    pub namespace: OwnedFd,
    /// A NETLINK_ROUTE socket in it.
    pub netlink: OwnedFd,
}

impl Sandbox {
    /// Starts a sandbox; gives it and a NETLINK_ROUTE socket of its empty network namespace.
    ///
    /// `helper` is an `fps-lab` program. Called from the program itself that is
    /// `/proc/self/exe`.
    pub fn start(helper: &Path) -> Result<(Self, OwnedFd), SandboxError> {
        limits::raise_open_files();
        let (mut channel, keeper) = Keeper::start(helper)?;
        // Nothing at all means that the exec failed, or that another program took the name.
        let (reply, descriptors) = channel.receive().map_err(|cause| match cause.kind() {
            io::ErrorKind::WouldBlock => keeper.silence(&channel, "set up the sandbox"),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => SandboxError::Helper {
                program: helper.to_owned(),
            },
            _ => SandboxError::lost(cause),
        })?;
        let (reply, [netlink]) = understand(reply, descriptors, "set up the sandbox")?;
        match reply {
            Reply::Ready { build } if build == BUILD => {}
            _ => {
                return Err(SandboxError::Stale {
                    program: helper.to_owned(),
                });
            }
        }
        Ok((
            Self {
                line: Mutex::new(Line {
                    channel,
                    hosts_due: 0,
                }),
                keeper,
                groups: None,
            },
            netlink,
        ))
    }

    /// Tells the sandbox to end; dropping what this gives waits until it has.
    pub fn end(self) -> impl Sized {
        (self.keeper, self.groups)
    }

    /// Makes control groups possible in the hosts that are asked for from now on; gives the path of
    /// the group that holds them all. `helper` is an `fps-lab` program.
    pub fn make_groups(&mut self, helper: &Path) -> Result<String, SandboxError> {
        let groups = Subtree::make(helper)?;
        let path = groups.path().to_owned();
        self.groups = Some(groups);
        Ok(path)
    }

    /// Asks for a host, which the helper creates while the caller does something else. Hosts are
    /// to be taken in this order, and before anything else is asked.
    pub fn ask_for_host(&self, spec: HostSpec) -> Result<(), SandboxError> {
        let operation = format!("create the host {}", spec.name);
        let mut line = self.line();
        let sent = line.channel.send(&Request::CreateHost(spec), &[]);
        sent.map_err(|cause| self.broken(&line.channel, cause, &operation))?;
        line.hosts_due += 1;
        Ok(())
    }

    /// Takes the next of the hosts that were asked for; `name` is for the error.
    pub fn take_host(&self, name: &str) -> Result<HostHandle, SandboxError> {
        let operation = format!("create the host {name}");
        let mut line = self.line();
        line.hosts_due = match line.hosts_due.checked_sub(1) {
            Some(due) => due,
            None => return Err(SandboxError::confused(&operation)),
        };
        let answer = line.channel.receive();
        let (reply, descriptors) =
            answer.map_err(|cause| self.broken(&line.channel, cause, &operation))?;
        match understand(reply, descriptors, &operation)? {
            (Reply::Host(id), [namespace, netlink]) => Ok(HostHandle {
                id,
                namespace,
                netlink,
            }),
            _ => Err(SandboxError::confused(&operation)),
        }
    }

    /// Makes a socket in a host's network namespace, where it stays.
    pub fn socket(&self, host: HostId, kind: SocketKind) -> Result<OwnedFd, SandboxError> {
        self.socket_of(host, kind, &Sender::default())
    }

    /// The same, with something special about it.
    pub fn socket_of(
        &self,
        host: HostId,
        kind: SocketKind,
        sender: &Sender,
    ) -> Result<OwnedFd, SandboxError> {
        let operation = format!("make a {kind} socket in a host");
        let sender = sender.clone();
        let request = Request::Socket { host, kind, sender };
        let [socket] = self.call(&request, &[], &operation)?.1;
        Ok(socket)
    }

    /// Makes a socket in the network namespace of the switch, where it stays.
    pub fn switch_socket(&self, kind: SocketKind) -> Result<OwnedFd, SandboxError> {
        let operation = format!("make a {kind} socket in the switch");
        let [socket] = self.call(&Request::SwitchSocket(kind), &[], &operation)?.1;
        Ok(socket)
    }

    /// Writes a sysctl in a host's network namespace; the key has slashes.
    pub fn sysctl(&self, host: HostId, key: &str, value: &str) -> Result<(), SandboxError> {
        let operation = format!("write {value} to the sysctl {key}");
        let request = Request::Sysctl {
            host,
            key: key.to_owned(),
            value: value.to_owned(),
        };
        let [] = self.call(&request, &[], &operation)?.1;
        Ok(())
    }

    /// Writes a file in a host's own /etc or /run.
    pub fn write_file(&self, host: HostId, file: FileSpec) -> Result<(), SandboxError> {
        let operation = format!("write {} in a host", file.path);
        let [] = self
            .call(&Request::WriteFile { host, file }, &[], &operation)?
            .1;
        Ok(())
    }

    /// Opens a file for reading, as a program of the host would: below /proc/self/net and
    /// /proc/sys/net it shows the host's network. None where there is no such file.
    pub fn open(&self, host: HostId, path: &str) -> Result<Option<File>, SandboxError> {
        let operation = format!("open {path} in a host");
        let request = Request::Open {
            host,
            path: path.to_owned(),
        };
        let (reply, descriptors) = self.ask(&request, &[], &operation)?;
        if let Reply::Absent = reply {
            return Ok(None);
        }
        let [file] = understand(reply, descriptors, &operation)?.1;
        Ok(Some(file.into()))
    }

    /// Where a symbolic link leads that a host has; none where it is a file, or nothing.
    pub fn link_target(&self, host: HostId, path: &str) -> Result<Option<String>, SandboxError> {
        let operation = format!("read the link {path} in a host");
        let request = Request::LinkTarget {
            host,
            path: path.to_owned(),
        };
        match self.call(&request, &[], &operation)? {
            (Reply::Link(target), []) => Ok(target),
            _ => Err(SandboxError::confused(&operation)),
        }
    }

    /// All sysctls of a host's network namespace that may be written, as a JSON list of paths
    /// below /proc/sys and values.
    pub(crate) fn sysctls(&self, host: HostId) -> Result<File, SandboxError> {
        let request = Request::Sysctls { host };
        let [file] = self.call(&request, &[], "read the sysctls of a host")?.1;
        Ok(file.into())
    }

    /// Gives each host the network namespaces of all by the hosts' names, where ip-netns(8) looks
    /// for them: on /run/netns of its own mounts.
    pub fn name_namespaces(&self) -> Result<(), SandboxError> {
        let operation = "name the hosts' network namespaces";
        let [] = self.call(&Request::NameNamespaces, &[], operation)?.1;
        Ok(())
    }

    /// The helper's process, as this process numbers it; none once it has been reaped.
    pub(crate) fn process(&self) -> Option<i32> {
        self.keeper.process()
    }

    fn call<const N: usize>(
        &self,
        request: &Request,
        descriptors: &[&OwnedFd],
        operation: &str,
    ) -> Result<(Reply, [OwnedFd; N]), SandboxError> {
        let (reply, descriptors) = self.ask(request, descriptors, operation)?;
        understand(reply, descriptors, operation)
    }

    fn ask(
        &self,
        request: &Request,
        descriptors: &[&OwnedFd],
        operation: &str,
    ) -> Result<(Reply, Vec<OwnedFd>), SandboxError> {
        let mut line = self.line();
        if line.hosts_due > 0 {
            return Err(SandboxError::confused(operation));
        }
        let answer = line
            .channel
            .send(request, descriptors)
            .and_then(|()| line.channel.receive());
        answer.map_err(|cause| self.broken(&line.channel, cause, operation))
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn broken(&self, channel: &Channel, cause: io::Error, operation: &str) -> SandboxError {
        match cause.kind() {
            io::ErrorKind::WouldBlock => self.keeper.silence(channel, operation),
            _ => SandboxError::lost(cause),
        }
    }
}

/// Makes the control groups of a sandbox and removes them; `helper` is an `fps-lab` program.
pub(crate) fn try_groups(helper: &Path) -> Result<(), SandboxError> {
    Subtree::make(helper).map(drop)
}

fn understand<const N: usize>(
    reply: Reply,
    descriptors: Vec<OwnedFd>,
    operation: &str,
) -> Result<(Reply, [OwnedFd; N]), SandboxError> {
    if let Reply::Failed(failure) = reply {
        return Err(SandboxError::refused(operation, failure));
    }
    let descriptors = descriptors
        .try_into()
        .map_err(|_: Vec<_>| SandboxError::confused(operation))?;
    Ok((reply, descriptors))
}
