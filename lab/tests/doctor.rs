//! `fps-lab doctor` on this machine, and on machines on which one thing is not as it should be.

mod common {
    pub(crate) mod crippled;
    pub(crate) mod ended;
    pub(crate) mod files;
    pub(crate) mod process;
    mod texts;
}

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::crippled::in_user_namespace;
use common::ended::assert_says;
use common::files;
use common::process::Process;
use nix::libc;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{Resource, setrlimit};
use serde_json::Value;
use tempfile::TempDir;

/// More than any command here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A user who is not root.
const ORDINARY: u32 = 65534;

const REACHED: &str = r#"
[[step]]
expect = [ { reach = { from = "laptop", to = "printer" } } ]
"#;

/// Asks as another user.
const ASKS: &str = r#"
[[step]]
expect = [ { reach = { from = "laptop", to = "printer", uid = 1000 } } ]
"#;

/// Nothing is crippled: the control of all that is.
fn nothing() -> io::Result<()> {
    Ok(())
}

fn own_mounts() -> io::Result<()> {
    Ok(unshare(CloneFlags::CLONE_NEWNS)?)
}

fn bind(what: &Path, on: &Path) -> io::Result<()> {
    let none = None::<&str>;
    Ok(mount(Some(what), on, none, MsFlags::MS_BIND, none)?)
}

fn no_tun() -> io::Result<()> {
    own_mounts()?;
    let (tmpfs, none) = (Some("tmpfs"), None::<&str>);
    Ok(mount(tmpfs, "/dev/net", tmpfs, MsFlags::empty(), none)?)
}

fn no_user_namespaces() -> io::Result<()> {
    fs::write("/proc/sys/user/max_user_namespaces", "0")
}

/// Takes a capability away for good (linux/capability.h).
fn few_open_files() -> io::Result<()> {
    Ok(setrlimit(Resource::RLIMIT_NOFILE, 100, 100)?)
}

/// Root would not be held to it.
fn one_process() -> io::Result<()> {
    Ok(setrlimit(Resource::RLIMIT_NPROC, 1, 1)?)
}

fn without(capability: libc::c_ulong) -> io::Result<()> {
    // SAFETY: plain numbers.
    let dropped = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
    Ok(nix::errno::Errno::result(dropped).map(drop)?)
}

fn lab() -> Command {
    Command::new(env!("CARGO_BIN_EXE_fps-lab"))
}

/// What `doctor` finds as this user of a namespace in which `cripple` was done.
#[track_caller]
fn doctor(
    user: u32,
    cripple: impl Fn() -> io::Result<()> + Send + Sync + 'static,
    exit: i32,
) -> Vec<Value> {
    let mut command = lab();
    command.args(["doctor", "--json"]);
    in_user_namespace(&mut command, user, cripple);
    let said = Process::start(command).finish(PATIENCE).expect_exit(exit);
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}\n{said}"))
}

/// What was found of one thing.
#[track_caller]
fn finding<'a>(findings: &'a [Value], name: &str) -> &'a Value {
    let mut all = findings.iter();
    let found = all.find(|finding| finding["name"] == name);
    found.unwrap_or_else(|| panic!("nothing of {name} in {findings:#?}"))
}

/// Fails unless a thing is missing, and its remedy has the sign.
#[track_caller]
fn assert_missing(findings: &[Value], name: &str, sign: &str) {
    let found = finding(findings, name);
    assert_eq!(found["state"], "missing", "{found:#}");
    let remedy = found["remedy"].as_str().unwrap_or_default();
    assert!(remedy.contains(sign), "no {sign:?} in {found:#}");
}

/// The names of what is needed for a lab and not well.
fn complaints(findings: &[Value]) -> Vec<&str> {
    let findings = findings.iter().filter(|it| it["decisive"] == true);
    let bad = findings.filter(|it| it["state"] != "ok");
    bad.filter_map(|it| it["name"].as_str()).collect()
}

#[test]
fn a_machine_on_which_labs_can_be_had_ends_with_0() {
    let mut command = lab();
    command.arg("doctor");
    let said = Process::start(command).finish(PATIENCE).expect_exit(0);
    for name in ["namespaces", "hosts", "links", "nat", "/dev/net/tun"] {
        let line = said.lines().find(|line| line.contains(name));
        let line = line.unwrap_or_else(|| panic!("nothing of {name}\n{said}"));
        assert!(line.starts_with("ok "), "{line}");
    }
    assert_says(&said, &["labs can be had here"]);
}

#[test]
fn what_is_well_has_no_remedy_and_all_else_has_one() {
    let findings = doctor(0, nothing, 0);
    assert_eq!(complaints(&findings), <[&str; 0]>::default());
    for finding in &findings {
        let well = finding["state"] == "ok";
        assert_eq!(well, finding["remedy"].is_null(), "{finding:#}");
        assert!(finding["purpose"].is_string() && finding["seen"].is_string());
    }
}

#[test]
fn without_user_namespaces_the_sysctl_is_named() {
    let findings = doctor(ORDINARY, no_user_namespaces, 3);
    let remedy = "sudo sysctl user.max_user_namespaces=10000, or run as root (sudo)";
    assert_missing(&findings, "namespaces", remedy);
    assert_missing(&findings, "links", "see to the namespaces first");
}

#[test]
fn too_few_open_files_are_all_that_is_said_to_be_missing() {
    let findings = doctor(0, few_open_files, 3);
    assert_missing(&findings, "open files", "ulimit -n 4096");
    assert_eq!(complaints(&findings), ["open files"]);
}

#[test]
fn where_no_more_processes_may_be_started_their_limits_are_named() {
    let findings = doctor(ORDINARY, one_process, 3);
    assert_missing(&findings, "processes", "ulimit -u 4096");
    assert_missing(&findings, "processes", "--pids-limit 4096");
}

#[test]
fn without_a_tun_device_its_making_is_named() {
    let findings = doctor(0, no_tun, 3);
    assert_missing(&findings, "/dev/net/tun", "sudo modprobe tun");
    assert_missing(&findings, "/dev/net/tun", "sudo mknod -m 0666");
    assert_eq!(complaints(&findings), ["/dev/net/tun"]);
}

#[test]
fn a_tun_device_that_may_not_be_opened_is_told_with_its_mode() {
    let folder = tempfile::tempdir().expect("a folder");
    // A node cannot be made in a user namespace; what is asked of a file's mode is the same.
    let closed = folder.path().join("closed");
    fs::write(&closed, "").expect("our own folder");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).expect("our own file");
    let close = move || {
        own_mounts()?;
        bind(&closed, Path::new("/dev/net/tun"))
    };
    let findings = doctor(ORDINARY, close, 3);
    assert_missing(&findings, "/dev/net/tun", "sudo chmod 0666 /dev/net/tun");
    let seen = finding(&findings, "/dev/net/tun")["seen"].to_string();
    let sign = "its mode is 0000, and we are user 65534";
    assert!(seen.contains(sign), "{seen}");
    assert_eq!(complaints(&findings), ["/dev/net/tun"]);
}

#[test]
fn without_nft_its_package_is_named_and_labs_can_be_had() {
    let places = fps_lab::sandbox::PATH.split(':');
    let files = places.map(|place| Path::new(place).join("nft"));
    let files: Vec<PathBuf> = files.filter(|file| file.exists()).collect();
    assert!(!files.is_empty(), "this test takes nft(8): ci/setup");
    assert_eq!(finding(&doctor(0, nothing, 0), "nft")["state"], "ok");
    let hide = move || {
        own_mounts()?;
        let null = Path::new("/dev/null");
        files.iter().try_for_each(|file| bind(null, file))
    };
    let findings = doctor(0, hide, 0);
    assert_missing(&findings, "nft", "sudo apt-get install nftables");
}

/// As Docker and Podman do it with resolv.conf, hosts and hostname.
#[test]
fn what_a_container_has_mounted_into_etc_keeps_nobody_from_a_lab() {
    let place = Place::new();
    let file = place.0.path().join("hosts");
    fs::write(&file, "127.0.0.1 container\n").expect("our own folder");
    let lay = move || {
        own_mounts()?;
        bind(&file, Path::new("/etc/hosts"))
    };
    let findings = doctor(ORDINARY, lay.clone(), 0);
    assert_eq!(complaints(&findings), <[&str; 0]>::default());
    // The rest of the machine's /etc is there as well.
    let reads = r#"
[[step]]
do = { run = { on = "laptop", command = ["grep", "-q", "^root:", "/etc/passwd"] } }
expect = [ { reach = { from = "laptop", to = "printer" } } ]
"#;
    let mut command = place.run(&[&place.write("reads", reads)]);
    in_user_namespace(&mut command, ORDINARY, lay);
    let said = Process::start(command).finish(PATIENCE).expect_exit(0);
    assert_says(&said, &["scenarios: 1 passed, 0 failed"]);
}

#[test]
fn in_a_user_namespace_it_is_told_that_no_drop_reasons_are_heard() {
    let findings = doctor(0, nothing, 0);
    let found = finding(&findings, "drop reasons");
    assert_eq!(found["state"], "limited", "{found:#}");
    let remedy = found["remedy"].as_str().expect("there is one");
    assert!(remedy.contains("CAP_BPF"), "{remedy}");
}

#[test]
fn root_without_capabilities_is_told_how_to_start_the_container() {
    const NET_ADMIN: libc::c_ulong = 12;
    const NET_RAW: libc::c_ulong = 13;
    const SYS_ADMIN: libc::c_ulong = 21;
    let findings = doctor(0, || without(SYS_ADMIN), 3);
    assert_missing(&findings, "namespaces", "--privileged");
    assert_missing(&findings, "namespaces", "--cap-add SYS_ADMIN");
    let findings = doctor(0, || without(NET_RAW), 3);
    assert_missing(&findings, "namespaces", "root lacks CAP_NET_RAW");
    assert_missing(&findings, "namespaces", "--cap-add NET_RAW");
    let findings = doctor(0, || without(NET_ADMIN), 3);
    // Which of them is the first to fail depends on whose the machine's sysctls are.
    let mut decisive = findings.iter().filter(|it| it["decisive"] == true);
    let first = decisive.find(|it| it["state"] == "missing");
    let first = first.and_then(|it| it["name"].as_str()).expect("one fails");
    assert!(["namespaces", "hosts"].contains(&first), "{first}");
    assert_missing(&findings, first, "--cap-add NET_ADMIN");
}

/// A folder with scenarios.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn write(&self, name: &str, steps: &str) -> PathBuf {
        files::pair(self.0.path(), name, steps)
    }

    fn run(&self, files: &[&Path]) -> Command {
        let mut command = lab();
        command.arg("run").args(files).arg("--out");
        command.arg(self.0.path().join("out"));
        command
    }
}

#[test]
fn run_names_the_remedy_in_the_words_of_doctor() {
    let findings = doctor(0, no_tun, 3);
    let remedy = finding(&findings, "/dev/net/tun")["remedy"].clone();
    let place = Place::new();
    let text = include_str!("../../scenarios/split-tunnel.toml");
    let mut command = place.run(&[&files::write(place.0.path(), "split-tunnel", text)]);
    in_user_namespace(&mut command, 0, no_tun);
    let said = Process::start(command).finish(PATIENCE).expect_exit(3);
    assert_says(&said, &["NO LAB", remedy.as_str().expect("there is one")]);
}

#[test]
fn without_a_sandbox_run_ends_before_the_first_play() {
    let place = Place::new();
    let (one, two) = (place.write("one", REACHED), place.write("two", REACHED));
    let mut command = place.run(&[&one, &two]);
    in_user_namespace(&mut command, ORDINARY, no_user_namespaces);
    let said = Process::start(command).finish(PATIENCE).expect_exit(3);
    assert_eq!(said.matches("NO LAB").count(), 1, "{said}");
    assert_says(
        &said,
        &["sudo sysctl user.max_user_namespaces", "fps-lab doctor"],
    );
}

#[test]
fn what_takes_a_second_uid_is_skipped_and_counted_without_one() {
    const RULE: &str = r#"
[[step]]
do = { rule = { on = "laptop", priority = 100, uid = "1000-1999", table = 7, ip = "v4" } }
"#;
    let place = Place::new();
    let asks = place.write("asks", ASKS);
    let rule = place.write("rule", RULE);
    let says = place.0.path().join("says.toml");
    let text = fs::read_to_string(&asks).expect("it was written");
    let text = text.replace(", uid = 1000", "");
    fs::write(&says, format!("needs = [\"second-uid\"]\n{text}")).expect("our own folder");
    let plain = place.write("plain", REACHED);
    // Root of a namespace with one user has no second one either.
    for user in [ORDINARY, 0] {
        let mut command = place.run(&[&asks, &rule, &says, &plain]);
        in_user_namespace(&mut command, user, nothing);
        let said = Process::start(command).finish(PATIENCE).expect_exit(0);
        let signs = [
            "SKIPPED  needs a second uid (uid 1000, as whom a probe asks): run as root (sudo)",
            "SKIPPED  needs a second uid (uids 1000 to 1999, for whom a rule is): run as root",
            "SKIPPED  needs a second uid (as it says in `needs`): run as root (sudo)",
            "scenarios: 1 passed, 0 failed, 3 SKIPPED",
        ];
        assert_says(&said, &signs);
    }
}

mod second_uid {
    use super::*;

    #[test]
    fn root_plays_what_takes_one() {
        let place = Place::new();
        let command = place.run(&[&place.write("asks", ASKS)]);
        let said = Process::start(command).finish(PATIENCE).expect_exit(0);
        assert_says(&said, &["scenarios: 1 passed, 0 failed;"]);
    }

    /// As in a container. The lab's own programs are those of its process, of which nothing else may be read.
    #[test]
    fn root_without_cap_sys_ptrace_starts_programs_after_it() {
        const SYS_PTRACE: libc::c_ulong = 19;
        const STARTS: &str = r#"
[[step]]
do = { run = { on = "laptop", command = ["fps-route", "--version"] } }
"#;
        let place = Place::new();
        let steps = [ASKS, STARTS].concat();
        let mut command = place.run(&[&place.write("starts", &steps)]);
        // SAFETY: the closure makes a system call only.
        unsafe { command.pre_exec(|| without(SYS_PTRACE)) };
        let said = Process::start(command).finish(PATIENCE).expect_exit(0);
        assert_says(&said, &["scenarios: 1 passed, 0 failed;"]);
    }
}
