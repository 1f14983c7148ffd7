//! Where ip-netns(8) finds the hosts of a lab.

use std::fs::{self, File};
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;

use nix::mount::MsFlags;
use nix::sched::{CloneFlags, setns};

use super::host::Host;
use super::setup::{Home, mount_at};
use super::{Result, Step};

/// The folder of names; /var/run/netns, which ip-netns(8) says, leads here.
const FOLDER: &str = "/run/netns";

/// Mounts each host's network namespace under its name in every host: what `ip netns attach` does,
/// and seen by nobody outside the lab.
pub(super) fn publish(home: &Home, hosts: &[Host]) -> Result<()> {
    hosts.iter().try_for_each(|host| {
        let entered = setns(&host.mounts, CloneFlags::CLONE_NEWNS).step("enter a host's mounts");
        let published = entered.and_then(|()| hosts.iter().try_for_each(name));
        home.enter();
        published
    })
}

fn name(host: &Host) -> Result<()> {
    fs::create_dir_all(FOLDER).step(format!("create {FOLDER}"))?;
    let place = Path::new(FOLDER).join(&host.called);
    let place = place.display().to_string();
    if fs::exists(&place).step(format!("look for {place}"))? {
        return Ok(());
    }
    File::create(&place).step(format!("create {place}"))?;
    let namespace = format!("/proc/self/fd/{}", host.network.as_fd().as_raw_fd());
    mount_at(Some(&namespace), &place, None, MsFlags::MS_BIND, None)
}
