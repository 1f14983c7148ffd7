//! The thread that starts the helper and outlives it.

use std::ffi::{CString, c_char, c_int};
use std::fs;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, getegid, geteuid};

use super::error::SandboxError;
use super::protocol::{CONTROL_DESCRIPTOR, HELPER_NAME};
use crate::channel::Channel;

/// How long the helper's death may take: the kernel waits for every process inside to die.
const FAREWELL: Duration = Duration::from_secs(5);

/// A thread that lives exactly as long as the helper: PR_SET_PDEATHSIG fires when the *thread*
/// that created a process exits, not when its process does.
#[derive(Debug)]
pub(super) struct Keeper {
    helper: OwnedFd,
    /// Behind a lock, so that a sandbox may be used by tasks.
    ended: Mutex<mpsc::Receiver<()>>,
}

impl Keeper {
    /// Starts the helper. What it says first comes over the channel.
    pub(super) fn start(helper: &Path) -> Result<(Channel, Self), SandboxError> {
        let (ours, theirs) = Channel::pair().map_err(SandboxError::lost)?;
        let root = geteuid().is_root();
        let plan = Plan::new(helper, theirs.descriptor().as_raw_fd(), root);
        let (tell, started) = mpsc::channel();
        let (alive, ended) = mpsc::channel();
        thread::Builder::new()
            .name("fps-lab keeper".to_owned())
            .spawn(move || {
                let _alive: mpsc::Sender<()> = alive;
                let child = plan.start();
                drop(theirs);
                // Before anybody can reap it: the pid is still the helper's.
                let handle = child.and_then(pidfd_open);
                drop(tell.send(handle));
                if let Ok(pid) = child {
                    // Reaping is all there is to it: how the helper ended does not matter.
                    while waitpid(pid, None) == Err(Errno::EINTR) {}
                }
            })
            .map_err(SandboxError::lost)?;
        match started.recv() {
            Ok(Ok(helper)) => Ok((
                ours,
                Self {
                    helper,
                    ended: Mutex::new(ended),
                },
            )),
            Ok(Err(errno)) => Err(SandboxError::Namespaces(errno.into())),
            Err(_) => Err(SandboxError::Helper {
                program: helper.to_owned(),
            }),
        }
    }

    /// Ends a helper that does not answer, so that nobody waits for it once more.
    pub(super) fn silence(&self, channel: &Channel, operation: &str) -> SandboxError {
        channel.close();
        self.kill();
        SandboxError::Silent {
            operation: operation.to_owned(),
        }
    }

    /// SIGKILL also ends a process that is stopped, and all in its PID namespace.
    fn kill(&self) {
        let (no_info, no_flags) = (std::ptr::null::<libc::siginfo_t>(), 0);
        // A helper that has ended needs no signal.
        // SAFETY: the descriptor is open, and without siginfo the kernel fills in its own.
        unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                self.helper.as_raw_fd(),
                libc::SIGKILL,
                no_info,
                no_flags,
            )
        };
    }

    /// The helper's process number; none once it has been reaped.
    ///
    /// The kernel tells it of a pidfd (pidfd_open(2)), -1 of one whose process is no more.
    pub(super) fn process(&self) -> Option<i32> {
        let path = format!("/proc/self/fdinfo/{}", self.helper.as_raw_fd());
        let text = fs::read_to_string(path).ok()?;
        let number = text.lines().find_map(|line| line.strip_prefix("Pid:"))?;
        number.trim().parse().ok().filter(|pid| *pid > 0)
    }

    fn has_ended(&self) -> bool {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.recv_timeout(FAREWELL) != Err(mpsc::RecvTimeoutError::Timeout)
    }
}

impl Drop for Keeper {
    /// Waits until every process of the sandbox is dead and reaped.
    fn drop(&mut self) {
        if self.has_ended() {
            return;
        }
        tracing::warn!("a sandbox has not ended {FAREWELL:?} after it was told to: it is killed");
        self.kill();
        if !self.has_ended() {
            tracing::error!("a sandbox has not ended {FAREWELL:?} after it was killed");
        }
    }
}

/// A descriptor that names a process whatever becomes of its pid.
fn pidfd_open(process: Pid) -> Result<OwnedFd, Errno> {
    // SAFETY: both arguments are plain numbers.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, process.as_raw(), 0) };
    let descriptor = Errno::result(descriptor)?;
    let descriptor = i32::try_from(descriptor).expect("a descriptor fits");
    // SAFETY: the kernel has just given us this descriptor, closed on exec.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// All that the child needs, made before the clone: between clone and exec in a process of many
/// threads nothing may allocate or lock (fork(2), signal-safety(7)).
struct Plan {
    program: CString,
    arguments: [CString; 1],
    environment: Vec<CString>,
    control: c_int,
    /// The maps that make us root in a user namespace; none where we are root already.
    identity: Option<[(CString, CString); 3]>,
}

impl Plan {
    fn new(helper: &Path, control: c_int, root: bool) -> Self {
        let text = |text: String| CString::new(text).expect("no zero byte");
        let identity = (!root).then(|| {
            let (user, group) = (geteuid(), getegid());
            [
                // Without this an ordinary user may not write gid_map (user_namespaces(7)).
                (text("/proc/self/setgroups".into()), text("deny".into())),
                (
                    text("/proc/self/uid_map".into()),
                    text(format!("0 {user} 1")),
                ),
                (
                    text("/proc/self/gid_map".into()),
                    text(format!("0 {group} 1")),
                ),
            ]
        });
        let variable = |name: &str| {
            std::env::var(name)
                .ok()
                .and_then(|value| CString::new(format!("{name}={value}")).ok())
        };
        Self {
            program: CString::new(helper.as_os_str().as_bytes()).unwrap_or_default(),
            arguments: [text(HELPER_NAME.into())],
            environment: ["RUST_BACKTRACE", "RUST_LOG"]
                .into_iter()
                .filter_map(variable)
                .collect(),
            control,
            identity,
        }
    }

    /// Clones and executes; gives the helper's pid.
    fn start(&self) -> Result<Pid, Errno> {
        let pointers = |texts: &[CString]| -> Vec<*const c_char> {
            texts
                .iter()
                .map(|text| text.as_ptr())
                .chain([std::ptr::null()])
                .collect()
        };
        let arguments = pointers(&self.arguments);
        let environment = pointers(&self.environment);
        let mut flags = libc::CLONE_NEWPID
            | libc::CLONE_NEWNS
            | libc::CLONE_NEWNET
            | libc::CLONE_NEWUTS
            | libc::CLONE_NEWIPC
            | libc::SIGCHLD;
        if self.identity.is_some() {
            // Control groups may be mounted only by who owns the cgroup namespace.
            flags |= libc::CLONE_NEWUSER | libc::CLONE_NEWCGROUP;
        }
        // SAFETY: without CLONE_VM the child has a copy of our memory and a stack of its own;
        // zeros ask for no further service. The child calls `become_helper`, which keeps to
        // async-signal-safe calls and does not return.
        match unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) } {
            -1 => Err(Errno::last()),
            0 => self.become_helper(&arguments, &environment),
            pid => Ok(Pid::from_raw(i32::try_from(pid).expect("a pid fits"))),
        }
    }

    /// The child's way to exec. Exit codes are for whoever traces it.
    fn become_helper(&self, arguments: &[*const c_char], environment: &[*const c_char]) -> ! {
        for (path, value) in self.identity.iter().flatten() {
            if !write(path, value) {
                exit(97);
            }
        }
        // A session of its own: Ctrl-C at the terminal is for the runner alone.
        // SAFETY: setsid has no preconditions.
        unsafe { libc::setsid() };
        // SAFETY: both are plain numbers; dup2 clears close-on-exec on the copy.
        if unsafe { libc::dup2(self.control, CONTROL_DESCRIPTOR) } != CONTROL_DESCRIPTOR {
            exit(98);
        }
        // dup2 onto itself leaves close-on-exec as it is.
        // SAFETY: the descriptor is open.
        unsafe { libc::fcntl(CONTROL_DESCRIPTOR, libc::F_SETFD, 0) };
        let keep = CONTROL_DESCRIPTOR.unsigned_abs() + 1;
        // Whatever else the runner has open stays with the runner.
        // SAFETY: nothing in this child uses a descriptor above the control socket any more.
        unsafe { libc::syscall(libc::SYS_close_range, keep, u32::MAX, 0) };
        // SAFETY: all three point to zero-terminated data that outlives the call.
        unsafe {
            libc::execve(
                self.program.as_ptr(),
                arguments.as_ptr(),
                environment.as_ptr(),
            );
        }
        exit(99)
    }
}

fn write(path: &CString, value: &CString) -> bool {
    let bytes = value.as_bytes();
    // SAFETY: the path is zero-terminated.
    let file = unsafe { libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC) };
    // SAFETY: the buffer is `bytes`, whole.
    let written = unsafe { libc::write(file, bytes.as_ptr().cast(), bytes.len()) };
    // SAFETY: the descriptor is ours; closing -1 does nothing.
    unsafe { libc::close(file) };
    usize::try_from(written) == Ok(bytes.len())
}

fn exit(code: c_int) -> ! {
    // SAFETY: _exit runs no handlers of the runner's.
    unsafe { libc::_exit(code) }
}
