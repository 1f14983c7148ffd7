//! The sandbox's process: pid 1 of its PID namespace, one thread, no runtime.
//!
//! - `setup`: mounts and the empty network namespace
//! - `etc`: what the /etc of hosts is laid over
//! - `groups`: a host's control groups
//! - `host`: a host's namespaces and files
//! - `netns`: where ip-netns(8) finds the hosts
//! - `socket`: the sockets that are made in one
//! - `sysctls`: all that one has
//! - `process`: programs started and reaped

mod etc;
mod groups;
mod host;
mod netns;
mod process;
mod setup;
mod socket;
mod sysctls;

use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::process::ExitCode;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use self::host::Host;
use self::process::Processes;
pub use super::protocol::HELPER_NAME;
use super::protocol::{BUILD, CONTROL_DESCRIPTOR, Failure, HostId, Reply, Request};
use crate::channel::Channel;
use crate::scenario::Sender;

type Result<T, E = Failure> = std::result::Result<T, E>;

/// The helper's `main`. Returns when its control socket closes; as pid 1 it then takes
/// everything in the sandbox with it.
pub fn main() -> ExitCode {
    if nix::unistd::getpid().as_raw() != 1 {
        eprintln!("{HELPER_NAME} is started by fps-lab, not by hand");
        return ExitCode::from(2);
    }
    // SAFETY: the keeper has put the control socket here for us alone.
    let control = unsafe { OwnedFd::from_raw_fd(CONTROL_DESCRIPTOR) };
    // It came through our exec and shall come through no other: a program that holds it could
    // ask for whatever the runner can, and would keep the sandbox from ending.
    if fcntl(&control, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).is_err() {
        return ExitCode::FAILURE;
    }
    let mut channel = Channel::adopt(control);
    match Helper::new() {
        Ok((helper, netlink)) => {
            let ready = Reply::Ready {
                build: BUILD.to_owned(),
            };
            if channel.send(&ready, &[&netlink]).is_ok() {
                drop(netlink);
                helper.serve(&mut channel);
            }
        }
        Err(failure) => drop(channel.send(&Reply::Failed(failure), &[])),
    }
    ExitCode::SUCCESS
}

struct Helper {
    home: setup::Home,
    hosts: Vec<Host>,
    processes: Processes,
}

impl Helper {
    fn new() -> Result<(Self, OwnedFd)> {
        // The signals must be blocked before the first child can exist.
        let processes = Processes::new()?;
        let (home, netlink) = setup::sandbox()?;
        Ok((
            Self {
                home,
                hosts: Vec::new(),
                processes,
            },
            netlink,
        ))
    }

    fn serve(mut self, channel: &mut Channel) {
        loop {
            let mut wait = [
                PollFd::new(channel.descriptor().as_fd(), PollFlags::POLLIN),
                PollFd::new(self.processes.signals(), PollFlags::POLLIN),
            ];
            match poll(&mut wait, PollTimeout::NONE) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(_) => return,
            }
            let ready = |at: usize| wait[at].any() == Some(true);
            let (request, child) = (ready(0), ready(1));
            if child {
                self.processes.reap();
            }
            if request {
                let Ok((request, descriptors)) = channel.receive() else {
                    return;
                };
                let (reply, descriptors) = match self.answer(request, descriptors) {
                    Ok(answer) => answer,
                    Err(failure) => (Reply::Failed(failure), Vec::new()),
                };
                let with: Vec<&OwnedFd> = descriptors.iter().collect();
                if channel.send(&reply, &with).is_err() {
                    return;
                }
            }
        }
    }

    fn answer(&mut self, request: Request, with: Vec<OwnedFd>) -> Result<(Reply, Vec<OwnedFd>)> {
        let done = (Reply::Done, Vec::new());
        Ok(match request {
            Request::CreateHost(spec) => {
                let id = HostId(self.hosts.len());
                let (host, namespace, netlink) = Host::create(&self.home, &spec)?;
                self.hosts.push(host);
                (Reply::Host(id), vec![namespace, netlink])
            }
            Request::Socket { host, kind, sender } => {
                let socket = self.host_mut(host)?.socket(kind, &sender)?;
                (Reply::Done, vec![socket])
            }
            Request::SwitchSocket(kind) => {
                // Between requests the helper is at home, where the bridges are.
                let socket = socket::make(kind, &Sender::default())?;
                (Reply::Done, vec![socket])
            }
            Request::Sysctl { host, key, value } => {
                self.host(host)?.sysctl(&key, &value)?;
                done
            }
            Request::WriteFile { host, file } => {
                self.host(host)?.write_file(&self.home, &file)?;
                done
            }
            Request::Open { host, path } => match self.host(host)?.open(&self.home, &path)? {
                Some(file) => (Reply::Done, vec![file]),
                None => (Reply::Absent, Vec::new()),
            },
            Request::LinkTarget { host, path } => {
                let target = self.host(host)?.link_target(&self.home, &path)?;
                (Reply::Link(target), Vec::new())
            }
            Request::Sysctls { host } => (Reply::Done, vec![self.host(host)?.sysctls()?]),
            Request::Spawn(spec) => {
                let host = self.hosts.get(spec.host.0).ok_or_else(unknown_host)?;
                (
                    Reply::Process(self.processes.spawn(host, &spec, with)?),
                    Vec::new(),
                )
            }
            Request::NameNamespaces => {
                netns::publish(&self.home, &self.hosts)?;
                done
            }
            Request::Signal { pid, signal } => {
                self.processes.signal(pid, signal)?;
                done
            }
        })
    }

    fn host_mut(&mut self, id: HostId) -> Result<&mut Host> {
        self.hosts.get_mut(id.0).ok_or_else(unknown_host)
    }

    fn host(&self, id: HostId) -> Result<&Host> {
        self.hosts.get(id.0).ok_or_else(unknown_host)
    }
}

fn unknown_host() -> Failure {
    Failure {
        step: "there is no such host in the sandbox".to_owned(),
        errno: None,
    }
}

/// Names the step that failed.
trait Step<T> {
    fn step(self, step: impl Into<String>) -> Result<T>;
}

impl<T> Step<T> for nix::Result<T> {
    fn step(self, step: impl Into<String>) -> Result<T> {
        self.map_err(|errno| Failure {
            step: step.into(),
            errno: Some(errno as i32),
        })
    }
}

impl<T> Step<T> for std::io::Result<T> {
    fn step(self, step: impl Into<String>) -> Result<T> {
        self.map_err(|error| match error.raw_os_error() {
            Some(errno) => Failure {
                step: step.into(),
                errno: Some(errno),
            },
            None => Failure {
                step: format!("{}: {error}", step.into()),
                errno: None,
            },
        })
    }
}

impl<T> Step<T> for fps_netns::Result<T> {
    fn step(self, step: impl Into<String>) -> Result<T> {
        self.map_err(|error| {
            let cause = std::error::Error::source(&error);
            let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
            Failure {
                step: format!("{}: {error}{cause}", step.into()),
                errno: None,
            }
        })
    }
}
