//! The sandbox's own mounts and namespaces.

use std::fs::{self, File};
use std::os::fd::OwnedFd;

use fps_netns::sysctl;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};

use super::socket::netlink_socket;
use super::{Result, Step, etc};

/// The namespaces to which the helper returns after a visit.
pub(super) struct Home {
    mounts: OwnedFd,
    name: OwnedFd,
    network: OwnedFd,
    /// Whether all of it is in a user namespace that is not the first.
    pub(super) in_user_namespace: bool,
    /// What the /etc of hosts is laid over.
    pub(super) etc: &'static str,
}

impl Home {
    fn current() -> Result<Self> {
        let map = fs::read_to_string("/proc/self/uid_map").step("read the map of users")?;
        let in_user_namespace = !covers_all(&map);
        Ok(Self {
            in_user_namespace,
            etc: etc::lower(in_user_namespace)?,
            mounts: own_namespace("mnt")?,
            name: own_namespace("uts")?,
            network: own_namespace("net")?,
        })
    }

    /// Goes home.
    ///
    /// # Panics
    /// Where that fails: the next host would be made inside the last one.
    pub(super) fn enter(&self) {
        let namespaces = [
            (&self.network, CloneFlags::CLONE_NEWNET),
            (&self.name, CloneFlags::CLONE_NEWUTS),
            (&self.mounts, CloneFlags::CLONE_NEWNS),
        ];
        for (namespace, kind) in namespaces {
            setns(namespace, kind).expect("the helper may return to its own namespaces");
        }
    }
}

/// The helper's namespace of one kind, by its name in /proc/self/ns.
pub(super) fn own_namespace(kind: &str) -> Result<OwnedFd> {
    let path = format!("/proc/self/ns/{kind}");
    Ok(File::open(&path).step(format!("open {path}"))?.into())
}

/// Turns the fresh namespaces into an empty sandbox; gives a netlink socket in it.
pub(super) fn sandbox() -> Result<(Home, OwnedFd)> {
    // Beside the control socket: it works even while we are busy with a request. Set after the
    // exec, since an exec that gains privileges clears it (prctl(2)).
    prctl::set_pdeathsig(Signal::SIGKILL).step("set the parent-death signal")?;
    // A host's files have the modes that they are given, whatever the runner's umask is.
    umask(Mode::from_bits_truncate(0o022));
    nix::unistd::sethostname("fps-lab").step("set the sandbox's host name")?;
    // Without this a mount in here would propagate to the machine.
    mount_at(None, "/", None, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None)?;
    // The machine's /proc shows the machine's processes.
    let quiet = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount_at(Some("proc"), "/proc", Some("proc"), quiet, None)?;
    protect_sysctls(quiet)?;
    let private = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount_at(
        Some("tmpfs"),
        "/run",
        Some("tmpfs"),
        private,
        Some("mode=0755"),
    )?;
    // The bridges shall not speak: no address, no router solicitation.
    sysctl::write("net/ipv6/conf/default/disable_ipv6", "1").step("silence the switch")?;
    Ok((Home::current()?, netlink_socket()?))
}

/// Lets nobody in here write the machine's sysctls by accident, which as root they could: only
/// those below net/ belong to a namespace.
///
/// The bind mount of net/ shows the namespace of whoever looks, as the original does.
fn protect_sysctls(quiet: MsFlags) -> Result<()> {
    const SYSCTLS: &str = "/proc/sys";
    const NETWORK: &str = "/proc/sys/net";
    let again = MsFlags::MS_BIND | MsFlags::MS_REMOUNT;
    mount_at(Some(SYSCTLS), SYSCTLS, None, MsFlags::MS_BIND, None)?;
    mount_at(Some(NETWORK), NETWORK, None, MsFlags::MS_BIND, None)?;
    // A remount sets all flags anew.
    let flags = again | quiet | MsFlags::MS_RDONLY;
    mount_at(None, SYSCTLS, None, flags, None)
}

/// mount(2), with what it was about in the error.
pub(super) fn mount_at(
    source: Option<&str>,
    target: &str,
    kind: Option<&str>,
    flags: MsFlags,
    data: Option<&str>,
) -> Result<()> {
    mount(source, target, kind, flags, data).step(format!(
        "mount {} on {target}",
        kind.unwrap_or("nothing, privately,")
    ))
}

/// Whether a uid_map is the first user namespace's, which maps every user to itself.
fn covers_all(map: &str) -> bool {
    map.split_whitespace().eq(["0", "0", "4294967295"])
}
