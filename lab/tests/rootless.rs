//! What the command needs of the machine: nothing but user namespaces and a TUN device, and where
//! it gets less it says what to do. What it leaves belongs to the person who called.

mod common {
    pub(crate) mod copy;
    pub(crate) mod crippled;
    pub(crate) mod ended;
    pub(crate) mod files;
    pub(crate) mod process;
    mod texts;
}

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::copy::copy_program;
use common::crippled::in_user_namespace;
use common::ended::assert_says;
use common::files;
use common::process::Process;
use nix::libc;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use nix::unistd::{Gid, Uid, getegid, geteuid, setgroups, setresgid, setresuid};
use rstest::rstest;
use tempfile::TempDir;

/// More than any command here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// An ordinary user, and one who is not ourselves: nobody.
const ORDINARY: u32 = 65534;

const REACHED: &str = r#"
[[step]]
expect = [ { reach = { from = "laptop", to = "printer" } } ]
"#;

/// A folder with a copy of the program, which its owner may use whoever we are.
struct Place(TempDir);

impl Place {
    fn of(owner: u32) -> Self {
        let place = Self(tempfile::tempdir().expect("a temporary folder"));
        copy_program(env!("CARGO_BIN_EXE_fps-lab").as_ref(), &place.program());
        if geteuid().is_root() {
            chown(place.0.path(), Some(owner), Some(owner)).expect("give the folder away");
        }
        place
    }

    fn program(&self) -> PathBuf {
        self.0.path().join("fps-lab")
    }

    fn out(&self) -> PathBuf {
        self.0.path().join("out/of/this/run")
    }

    fn run(&self, file: &Path) -> Command {
        let mut command = Command::new(self.program());
        command.arg("run").arg(file).arg("--out").arg(self.out());
        command.current_dir(self.0.path());
        command
    }

    /// Writes two hosts on a net, and a step that holds.
    fn pair(&self) -> PathBuf {
        files::pair(self.0.path(), "pair", REACHED)
    }
}

#[test]
fn an_ordinary_user_plays_the_split_tunnel() {
    let place = Place::of(ORDINARY);
    let text = include_str!("../../scenarios/split-tunnel.toml");
    let file = files::write(place.0.path(), "split-tunnel", text);
    let mut command = place.run(&file);
    if geteuid().is_root() {
        become_ordinary(&mut command, place.0.path());
    }
    let said = Process::start(command).finish(PATIENCE).expect_exit(0);
    assert_says(&said, &["scenarios: 1 passed, 0 failed", "0 did not"]);
    let owners = owners(&place.0.path().join("out"));
    assert_eq!(owners, [us_or((ORDINARY, ORDINARY))], "{said}");
}

#[test]
fn an_ordinary_user_holds_a_lab() {
    let place = Place::of(ORDINARY);
    let (file, runtime) = (place.pair(), place.0.path().join("runtime"));
    fs::create_dir(&runtime).expect("a folder");
    if geteuid().is_root() {
        chown(&runtime, Some(ORDINARY), Some(ORDINARY)).expect("give it away");
    }
    let lab = |arguments: &[&str]| {
        let mut command = Command::new(place.program());
        command.args(arguments).current_dir(place.0.path());
        command.env_remove("FPS_LAB_RUNTIME_DIR");
        command.env("XDG_RUNTIME_DIR", &runtime);
        if geteuid().is_root() {
            command.uid(ORDINARY).gid(ORDINARY);
        }
        Process::start(command).finish(PATIENCE)
    };
    let there = ["ip", "netns", "exec", "printer", "ip", "-4", "addr"];
    lab(&["up", "-d", file.to_str().expect("UTF-8"), "--to", "1"]).expect_exit(0);
    let said = lab(&[&["exec", "laptop", "--"], &there[..]].concat()).expect_exit(0);
    assert_says(&said, &["192.168.188.20/24"]);
    lab(&["exec", "laptop", "--", "sh", "-c", "kill -9 $$"]).expect_exit(137);
    let said = lab(&["ps"]).expect_exit(0);
    assert_says(&said, &["held after step `step 1`"]);
    lab(&["down"]).expect_exit(0);
    assert!(!runtime.join("fps-lab").exists(), "its folder is gone");
}

#[test]
fn what_a_run_leaves_belongs_to_who_called_sudo() {
    let place = Place::of(0);
    let text = include_str!("../../scenarios/split-tunnel.toml");
    let file = files::write(place.0.path(), "split-tunnel", text);
    let mut command = place.run(&file);
    command.env("SUDO_UID", "4242").env("SUDO_GID", "4243");
    let said = Process::start(command).finish(PATIENCE).expect_exit(0);
    // Whoever is not root cannot give files away and must not try.
    let owners = owners(&place.0.path().join("out"));
    assert_eq!(owners, [us_or((4242, 4243))], "{said}");
    let logs = ["client.log", "fps-route.log", "report.json", ".lock"];
    let files = everything_below(&place.0.path().join("out"));
    for log in logs {
        let found = files
            .iter()
            .any(|path| path.to_string_lossy().ends_with(log));
        assert!(found, "no {log} among {files:?}");
    }
}

#[test]
fn without_user_namespaces_an_ordinary_user_is_told_what_to_do() {
    let place = Place::of(geteuid().as_raw());
    let mut command = place.run(&place.pair());
    in_user_namespace(&mut command, ORDINARY, || {
        fs::write("/proc/sys/user/max_user_namespaces", "0")
    });
    let said = Process::start(command).finish(PATIENCE).expect_exit(3);
    assert_says(
        &said,
        &[
            "NO LAB",
            "create the sandbox's namespaces",
            "sudo sysctl user.max_user_namespaces=10000",
            "or run as root (sudo)",
        ],
    );
}

#[test]
fn without_a_tun_device_a_tunnel_is_refused_and_the_user_told_what_to_do() {
    let place = Place::of(geteuid().as_raw());
    let text = include_str!("../../scenarios/split-tunnel.toml");
    let file = files::write(place.0.path(), "split-tunnel", text);
    let without = |mut command: Command| {
        in_user_namespace(&mut command, 0, || {
            unshare(CloneFlags::CLONE_NEWNS)?;
            let (tmpfs, none) = (Some("tmpfs"), None::<&str>);
            mount(tmpfs, "/dev/net", tmpfs, MsFlags::empty(), none)?;
            Ok(())
        });
        Process::start(command).finish(PATIENCE)
    };
    let said = without(place.run(&file)).expect_exit(3);
    assert_says(&said, &["NO LAB", "/dev/net/tun", "load the module `tun`"]);
    // What has no tunnel needs none.
    without(place.run(&place.pair())).expect_exit(0);
}

/// By their numbers in linux/capability.h.
#[rstest]
#[case::networks(12, "CAP_NET_ADMIN")]
#[case::captures(13, "CAP_NET_RAW")]
#[case::namespaces(21, "CAP_SYS_ADMIN")]
fn root_without_a_capability_is_told_what_to_do(
    #[case] capability: libc::c_ulong,
    #[case] name: &str,
) {
    let place = Place::of(geteuid().as_raw());
    let mut command = place.run(&place.pair());
    in_user_namespace(&mut command, 0, move || {
        // SAFETY: plain numbers.
        let dropped = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
        nix::errno::Errno::result(dropped).map(drop)?;
        Ok(())
    });
    let said = Process::start(command).finish(PATIENCE).expect_exit(3);
    let remedy = format!("root lacks {name} here: start the container with");
    assert_says(
        &said,
        &[
            "NO LAB",
            "make the namespaces and networks of a lab",
            &remedy,
            "--privileged",
        ],
    );
}

/// Has root run a command as an ordinary user of a machine on which all may open the TUN device.
fn become_ordinary(command: &mut Command, folder: &Path) {
    let devices = folder.join("dev");
    fs::create_dir(&devices).expect("a folder for the device");
    let enter = move || {
        unshare(CloneFlags::CLONE_NEWNS)?;
        let none = None::<&str>;
        let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        mount(none, "/", none, private, none)?;
        mount(
            Some("tmpfs"),
            &devices,
            Some("tmpfs"),
            MsFlags::empty(),
            none,
        )?;
        let tun = devices.join("tun");
        // The umask would take from its permissions.
        nix::sys::stat::umask(Mode::empty());
        let all = Mode::from_bits_truncate(0o666);
        mknod(&tun, SFlag::S_IFCHR, all, makedev(10, 200))?;
        mount(Some(&tun), "/dev/net/tun", none, MsFlags::MS_BIND, none)?;
        nix::sys::stat::umask(Mode::from_bits_truncate(0o022));
        let (user, group) = (Uid::from_raw(ORDINARY), Gid::from_raw(ORDINARY));
        setgroups(&[])?;
        setresgid(group, group, group)?;
        setresuid(user, user, user)?;
        // As an ordinary user's shell would: no program gives him more than he has.
        prctl::set_no_new_privs()?;
        Ok(())
    };
    // SAFETY: the closure makes system calls and small allocations, which glibc allows in the
    // child of a process with threads.
    unsafe { command.pre_exec(enter) };
}

/// Everything below a folder, and the folder.
fn everything_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    let listing = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in listing {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(everything_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// The user and group that are given where we are root, else our own.
fn us_or(given: (u32, u32)) -> (u32, u32) {
    if geteuid().is_root() {
        given
    } else {
        (geteuid().as_raw(), getegid().as_raw())
    }
}

/// The users and groups to whom everything below a folder belongs.
fn owners(folder: &Path) -> Vec<(u32, u32)> {
    let mut owners: Vec<(u32, u32)> = everything_below(folder)
        .iter()
        .map(|path| {
            let about = fs::symlink_metadata(path).expect("it was listed");
            (about.uid(), about.gid())
        })
        .collect();
    owners.sort_unstable();
    owners.dedup();
    owners
}
