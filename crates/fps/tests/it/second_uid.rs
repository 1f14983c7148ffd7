//! What needs a second uid: the client as an ordinary user, whose program has one capability as its file says (capabilities(7)).
//!
//! Where /dev/net/tun is for root alone, as udev may leave it, the user cannot open it whatever he may
//! do. So each program here has a mount namespace, in which another node of the same device is in that
//! place. The machine's own stays as it is.

use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use fps_netns::testing::with_namespaces;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::{FchmodatFlags, Mode, SFlag, fchmodat, makedev, mknod};
use nix::unistd::{Gid, Uid, setgid, setgroups, setuid};

use crate::programs::{Program, UUID};
use crate::site::{Site, next, socket};

const NOBODY: u32 = 65534;

/// Makes a command run as nobody, with a device of this mode.
fn as_nobody(command: &mut Command, folder: PathBuf, mode: u32) -> &mut Command {
    let enter = move || -> io::Result<()> {
        let (none, device) = (None::<&str>, folder.join("tun"));
        unshare(CloneFlags::CLONE_NEWNS)?;
        // Or what is mounted below would be on the machine as well.
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
        mount(none, &folder, Some("tmpfs"), MsFlags::empty(), none)?;
        mknod(&device, SFlag::S_IFCHR, Mode::empty(), makedev(10, 200))?;
        let mode = Mode::from_bits_truncate(mode);
        fchmodat(
            nix::fcntl::AT_FDCWD,
            &device,
            mode,
            FchmodatFlags::FollowSymlink,
        )?;
        mount(Some(&device), "/dev/net/tun", none, MsFlags::MS_BIND, none)?;
        setgroups(&[])?;
        setgid(Gid::from_raw(NOBODY))?;
        Ok(setuid(Uid::from_raw(NOBODY))?)
    };
    // SAFETY: it makes system calls; the allocator that joins a path is the C library's, which is
    // usable after a fork (malloc(3)).
    unsafe { command.pre_exec(enter) }
}

/// A client of the site that runs as nobody, with the capability or without.
fn start(site: &Site, program: &Path, mode: u32) -> Program {
    let folder = site.files.path("dev");
    std::fs::create_dir_all(&folder).expect("the folder is ours");
    let mut command = Command::new(program);
    command
        .arg("--config")
        .arg(site.files.path("client-0.json"));
    let command = as_nobody(&mut command, folder, mode);
    site.near[0].within(|| Program::start("fps_client of nobody", command))
}

/// A copy of the client that nobody may run.
fn copy(site: &Site, name: &str) -> PathBuf {
    let copy = site.files.path(name);
    std::fs::copy(env!("CARGO_BIN_EXE_fps_client"), &copy).expect("room for a copy");
    std::fs::set_permissions(&copy, PermissionsExt::from_mode(0o755)).expect("ours");
    copy
}

#[test]
fn a_client_needs_one_capability_and_a_device_that_it_may_open() {
    with_namespaces(
        "second_uid::a_client_needs_one_capability_and_a_device_that_it_may_open",
        async || {
            let mut site = Site::new(1, "").await;
            let config = site
                .files
                .write("client-0.json", &Site::client_config(0, UUID));
            for path in [&config, &site.files.path(".")] {
                chown(path, Some(NOBODY), Some(NOBODY))
                    .expect("this needs a second uid: run it as root");
            }
            let (without, with) = (copy(&site, "without"), copy(&site, "with"));
            let mut setcap = Command::new("setcap");
            let output = setcap.arg("cap_net_admin+eip").arg(&with).output();
            let output = output.expect("setcap is there (libcap2-bin)");
            assert!(
                output.status.success(),
                "no file capabilities here: {output:?}"
            );
            for (program, mode, why) in [
                (&without, 0o666, "os error 1"),
                (&with, 0o600, "os error 13"),
            ] {
                let mut refused = start(&site, program, mode);
                assert_eq!(refused.wait().code(), Some(1), "{}", refused.said());
                refused.said_all(&["event=tun_open_failed", why]);
            }
            let mut client = start(&site, &with, 0o666);
            client.wait_for(&["event=listening"]);
            let status = std::fs::read_to_string(format!("/proc/{}/status", client.pid()));
            let status = status.expect("it runs");
            for line in [
                "Uid:\t65534\t65534\t65534\t65534",
                "CapEff:\t0000000000001000",
            ] {
                assert!(status.contains(line), "no {line} in {status}");
            }
            let _application = site.start_application(0, &[]);
            client.wait_for(&["event=tun_auto_configured"]);
            site.server.wait_for(&["event=carrier_registered"]);
            let server = socket(&site.far, "10.66.0.1:5000");
            let near = socket(&site.near[0], "10.66.0.2:0");
            near.send_to(b"question", "10.66.0.1:5000")
                .expect("the TUN takes it");
            let (question, from) = next(&server);
            assert_eq!(question, b"question");
            server.send_to(b"answer", from).expect("the TUN takes it");
            assert_eq!(next(&near).0, b"answer");
        },
    );
}
