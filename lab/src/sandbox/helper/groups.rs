//! The control groups of a host, in a cgroup namespace of its own.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;

use nix::sched::{CloneFlags, setns, unshare};

use super::super::janitor::{MOUNT, mount_here, own_group, place_of};
use super::super::protocol::{Failure, GroupsSpec};
use super::setup::own_namespace;
use super::{Result, Step};

/// The groups of a host: one for the host itself, and those that its scenario names in it.
pub(super) struct Groups {
    /// Where a process is moved by writing its number (`cgroup.procs`).
    host: File,
    named: HashMap<String, File>,
    /// The helper's own group.
    home: File,
    pub(super) namespace: OwnedFd,
}

impl Groups {
    /// Makes the groups and mounts them in the host, whose mounts the caller is in.
    ///
    /// In there the host's group is the root, as on a machine of its own: nft(8) counts the level
    /// of `socket cgroupv2` from there (`nft_socket_cgroup_subtree_level` in the kernel).
    pub(super) fn make(host: &str, spec: &GroupsSpec) -> Result<Self> {
        let complain = |step| Failure { step, errno: None };
        mount_here().step(format!("mount the control groups on {MOUNT}"))?;
        let home = members(&place_of(&own_group().map_err(complain)?))?;
        let group = place_of(&Path::new(&spec.under).join(host));
        create(&group)?;
        let named = spec.names.iter().map(|name| {
            let group = group.join(name);
            create(&group)?;
            Ok((name.clone(), members(&group)?))
        });
        let named = named.collect::<Result<_>>()?;
        let ours = own_namespace("cgroup")?;
        let host = members(&group)?;
        join(&host)?;
        // The root of the new namespace is the group that the caller is in (cgroup_namespaces(7)).
        let made = unshare(CloneFlags::CLONE_NEWCGROUP)
            .step("create a cgroup namespace")
            .and_then(|()| own_namespace("cgroup"))
            .and_then(|namespace| {
                mount_here().step(format!("mount the host's control groups on {MOUNT}"))?;
                Ok(namespace)
            });
        setns(&ours, CloneFlags::CLONE_NEWCGROUP).step("return to the machine's cgroups")?;
        join(&home)?;
        Ok(Self {
            host,
            named,
            home,
            namespace: made?,
        })
    }

    /// Runs something while this process is in a group of the host.
    ///
    /// A socket belongs to the group that its maker was in (`cgroup_sk_alloc`).
    pub(super) fn within<T>(&self, name: &str, make: impl FnOnce() -> Result<T>) -> Result<T> {
        let group = self.named.get(name).ok_or_else(|| Failure {
            step: format!("the host has no control group {name}"),
            errno: None,
        })?;
        join(group)?;
        let made = make();
        join(&self.home)?;
        made
    }

    /// For a process that is about to exec in the host: where it joins the host's group.
    pub(super) fn host(&self) -> &File {
        &self.host
    }
}

fn create(group: &Path) -> Result<()> {
    fs::create_dir(group).step(format!("create the control group {}", group.display()))
}

fn members(group: &Path) -> Result<File> {
    let file = group.join("cgroup.procs");
    let opened = OpenOptions::new().write(true).open(&file);
    opened.step(format!("open {}", file.display()))
}

/// Moves this process into a group.
pub(super) fn join(mut group: &File) -> Result<()> {
    group.write_all(b"0").step("move into a control group")
}
