//! A host's namespaces, files and sockets.

use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::Path;

use fps_netns::{Namespace, sysctl};
use nix::errno::Errno;
use nix::mount::MsFlags;
use nix::sched::{CloneFlags, setns, unshare};

use super::super::protocol::{Failure, FileSpec, HostSpec, PROGRAMS, SocketKind};
use super::groups::Groups;
use super::setup::{Home, mount_at, own_namespace};
use super::socket::{self, netlink_socket};
use super::{Result, Step};
use crate::scenario::Sender;

/// A host.
pub(super) struct Host {
    pub(super) called: String,
    pub(super) network: Namespace,
    pub(super) mounts: OwnedFd,
    name: OwnedFd,
    /// Copies of the packet sockets: to close the last copy of one costs a grace period of RCU,
    /// ten to twenty milliseconds, which nobody waits for when this process dies.
    packet_sockets: Vec<OwnedFd>,
    groups: Option<Groups>,
}

impl Host {
    /// Creates a host; gives its network namespace and a netlink socket in it as well.
    pub(super) fn create(home: &Home, spec: &HostSpec) -> Result<(Self, OwnedFd, OwnedFd)> {
        let upper = format!("/run/hosts/{}/etc", spec.name);
        let work = format!("/run/hosts/{}/work", spec.name);
        for folder in [&upper, &work] {
            fs::create_dir_all(folder).step(format!("create {folder}"))?;
        }
        unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS)
            .step("create the host's namespaces")?;
        let made = Self::furnish(spec, home, &upper, &work);
        home.enter();
        made
    }

    /// Everything that is done inside the new namespaces.
    fn furnish(
        spec: &HostSpec,
        home: &Home,
        upper: &str,
        work: &str,
    ) -> Result<(Self, OwnedFd, OwnedFd)> {
        nix::unistd::sethostname(&spec.name).step("set the host name")?;
        // An overlay, not a bind mount over single files, on which rename and unlink fail with
        // EBUSY: DHCP clients and resolvers replace /etc/resolv.conf by rename.
        let lower = home.etc;
        let mut options = format!("lowerdir={lower},upperdir={upper},workdir={work}");
        // In a user namespace the overlay may not write trusted.* attributes.
        if home.in_user_namespace {
            options += ",userxattr";
        }
        mount_at(
            Some("overlay"),
            "/etc",
            Some("overlay"),
            MsFlags::empty(),
            Some(&options),
        )?;
        lay_over_usr(spec)?;
        let private = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        mount_at(
            Some("tmpfs"),
            "/run",
            Some("tmpfs"),
            private,
            Some("mode=0755"),
        )?;
        mount_sys(private | MsFlags::MS_NOEXEC)?;
        sysctl::set_all(sysctl::BASELINE).step("set the sysctl baseline")?;
        if spec.forward {
            sysctl::set_all(sysctl::FORWARDING).step("turn forwarding on")?;
        }
        fs::create_dir_all(PROGRAMS).step(format!("create {PROGRAMS}"))?;
        for (name, target) in &spec.programs {
            symlink(target, Path::new(PROGRAMS).join(name)).step(format!("link {name}"))?;
        }
        spec.files.iter().try_for_each(write)?;
        spec.links.iter().try_for_each(link)?;
        let network = Namespace::current().step("hold the network namespace")?;
        let copy = network
            .as_fd()
            .try_clone_to_owned()
            .step("copy a descriptor")?;
        let host = Self {
            called: spec.name.clone(),
            network,
            mounts: own_namespace("mnt")?,
            name: own_namespace("uts")?,
            packet_sockets: Vec::new(),
            groups: match &spec.groups {
                Some(groups) => Some(Groups::make(&spec.name, groups)?),
                None => None,
            },
        };
        Ok((host, copy, netlink_socket()?))
    }

    /// Makes a socket in the host's network namespace.
    pub(super) fn socket(&mut self, kind: SocketKind, sender: &Sender) -> Result<OwnedFd> {
        let make = || match (&sender.cgroup, &self.groups) {
            (Some(name), Some(groups)) => groups.within(name, || socket::make(kind, sender)),
            (Some(_), None) => Err(Failure {
                step: "the host has no control groups".to_owned(),
                errno: None,
            }),
            (None, _) => socket::make(kind, sender),
        };
        let socket = self.network.within(make).step("enter the host")??;
        if kind == SocketKind::Packet {
            let copy = socket.try_clone().step("copy a packet socket")?;
            self.packet_sockets.push(copy);
        }
        Ok(socket)
    }

    /// Writes a sysctl in the host's network namespace.
    pub(super) fn sysctl(&self, key: &str, value: &str) -> Result<()> {
        let write = || sysctl::write(key, value).step("in the host");
        self.network.within(write).step("enter the host")?
    }

    /// Writes a file that only the host sees.
    pub(super) fn write_file(&self, home: &Home, file: &FileSpec) -> Result<()> {
        let outcome = setns(&self.mounts, CloneFlags::CLONE_NEWNS)
            .step("enter the host's mounts")
            .and_then(|()| write(file));
        home.enter();
        outcome
    }

    /// Opens a file as the host sees it: in its network namespace, which decides what is below
    /// /proc/self/net and /proc/sys/net, and with its mounts. None where there is no such file.
    pub(super) fn open(&self, home: &Home, path: &str) -> Result<Option<OwnedFd>> {
        let opened = self
            .visit(|| fs::File::open(path))
            .and_then(|opened| match opened {
                Ok(file) => Ok(Some(file.into())),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error).step(format!("open {path}")),
            });
        home.enter();
        opened
    }

    /// Where a symbolic link leads, as the host sees it; none of anything else.
    pub(super) fn link_target(&self, home: &Home, path: &str) -> Result<Option<String>> {
        let read = self.visit(|| fs::read_link(path));
        home.enter();
        Ok(read?
            .ok()
            .map(|target| target.to_string_lossy().into_owned()))
    }

    /// All sysctls of the host's network namespace.
    pub(super) fn sysctls(&self) -> Result<OwnedFd> {
        self.network
            .within(super::sysctls::read)
            .step("enter the host")?
    }

    /// Does something inside the host's mounts and network; the caller goes home.
    fn visit<T>(&self, act: impl FnOnce() -> T) -> Result<T> {
        setns(&self.mounts, CloneFlags::CLONE_NEWNS).step("enter the host's mounts")?;
        self.network.within(act).step("enter the host")
    }

    /// The way into the host for a process that is about to exec there.
    pub(super) fn entrance(&self) -> Entrance {
        Entrance {
            network: self.network.as_fd().as_raw_fd(),
            mounts: self.mounts.as_raw_fd(),
            name: self.name.as_raw_fd(),
            groups: self.groups.as_ref().map(|groups| {
                let group = groups.host().as_raw_fd();
                (group, groups.namespace.as_raw_fd())
            }),
        }
    }
}

/// A host's namespaces by number. They stay open as long as the sandbox lives.
#[derive(Clone, Copy)]
pub(super) struct Entrance {
    network: RawFd,
    mounts: RawFd,
    name: RawFd,
    /// Where a process joins the host's control group, and the cgroup namespace.
    groups: Option<(RawFd, RawFd)>,
}

impl Entrance {
    /// Moves the calling process into the host, for good.
    pub(super) fn enter(self) -> nix::Result<()> {
        if let Some((group, namespace)) = self.groups {
            nix::unistd::write(held(group), b"0")?;
            setns(held(namespace), CloneFlags::CLONE_NEWCGROUP)?;
        }
        let namespaces = [
            (self.network, CloneFlags::CLONE_NEWNET),
            (self.name, CloneFlags::CLONE_NEWUTS),
            (self.mounts, CloneFlags::CLONE_NEWNS),
        ];
        for (namespace, kind) in namespaces {
            setns(held(namespace), kind)?;
        }
        Ok(())
    }
}

/// A descriptor of a host.
fn held(descriptor: RawFd) -> BorrowedFd<'static> {
    // SAFETY: hosts are never dropped while the helper runs.
    unsafe { BorrowedFd::borrow_raw(descriptor) }
}

/// Mounts sysfs: /sys/class/net shows the namespace in which that was done.
///
/// A container's own is read-only. In a user namespace there is none then that can be written
/// (`mount_too_revealing` in fs/namespace.c), and hardly anything of a lab needs that.
fn mount_sys(flags: MsFlags) -> Result<()> {
    let mount = |flags| mount_at(Some("sysfs"), "/sys", Some("sysfs"), flags, None);
    match mount(flags) {
        Err(failure) if failure.errno == Some(Errno::EPERM as i32) => {
            mount(flags | MsFlags::MS_RDONLY)
        }
        mounted => mounted,
    }
}

/// Makes the host's /usr hold more than the machine's.
fn lay_over_usr(spec: &HostSpec) -> Result<()> {
    let Some(usr) = &spec.usr else {
        return Ok(());
    };
    let options = format!("lowerdir={usr}:/usr");
    let (kind, read_only) = (Some("overlay"), MsFlags::MS_RDONLY);
    mount_at(kind, "/usr", kind, read_only, Some(&options))
}

/// Makes a symbolic link, in place of what the machine has there.
fn link((path, target): &(String, String)) -> Result<()> {
    let step = || format!("link {path}");
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).step(step())?,
        _ => {}
    }
    symlink(target, path).step(step())
}

/// Writes a file, in place of what the machine has there, symbolic links included.
fn write(file: &FileSpec) -> Result<()> {
    let path = Path::new(&file.path);
    let step = || format!("write {}", file.path);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).step(step())?;
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).step(step())?,
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(file.mode);
    let mut out = options.open(path).step(step())?;
    std::io::Write::write_all(&mut out, file.content.as_bytes()).step(step())
}
