//! Whatever kills the runner, and whenever: nothing of it is left.

mod common {
    pub(crate) mod ended;
    pub(crate) mod files;
    pub(crate) mod process;
    pub(crate) mod snapshot;
    mod talk;
    mod texts;
    pub(crate) mod wait;
    pub(crate) mod world;
}

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::ended::assert_says;
use common::files;
use common::process::Process;
use common::snapshot::{NOT_COMPARED, Snapshot};
use common::wait::{await_that, pass};
use common::world::{World, inside};
use fps_netlink::{LinkName, Netlink};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How often the runner is killed.
const KILLS: u32 = 20;
/// How many of them must have met it at work.
const AT_WORK: u32 = 15;
/// How long the kernel may take to clear away after a kill.
const CLEARING: Duration = Duration::from_secs(5);
/// More than any run here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until all that runs has ended; then what there is that was not there before, and the
/// reverse. Empty where nothing leaked.
fn leaked(world: &World, before: &Snapshot, within: Duration) -> String {
    let all_ended = world.await_end_of_all(within);
    let difference = before.difference(&Snapshot::take());
    assert!(
        all_ended || !difference.is_empty(),
        "a process is left that the snapshot does not show"
    );
    difference
}

/// `fps-lab run` of the split tunnel with its sabotages.
fn run(world: &World, file: &Path) -> Command {
    let mut command = Command::new(world.program());
    command.arg("run").arg(file).arg("--out").arg(NOT_COMPARED);
    command.args(["--jobs", "2"]);
    command
}

fn split_tunnel() -> PathBuf {
    let text = include_str!("../../scenarios/split-tunnel.toml");
    files::write(Path::new("/tmp"), "split-tunnel", text)
}

#[test]
fn a_runner_killed_at_any_moment_leaves_nothing() {
    inside("a_runner_killed_at_any_moment_leaves_nothing", |world| {
        let file = split_tunnel();
        let before = Snapshot::take();
        let start = Instant::now();
        let said = Process::start(run(world, &file)).finish(PATIENCE);
        let mut whole = start.elapsed();
        said.expect_exit(0);
        assert_eq!(
            leaked(world, &before, CLEARING),
            "",
            "after a run to its end"
        );

        let mut random = Random::new();
        let mut at_work = 0;
        for number in 1..=KILLS {
            // Every other one while the first labs are built, where most happens.
            let span = if number % 2 == 0 { whole } else { whole / 8 };
            let moment = span.mul_f64(random.fraction());
            let killed = kill_after(moment, run(world, &file));
            at_work += u32::from(killed);
            if !killed {
                // The machine has become faster: it does so when other tests end.
                whole = whole.min(moment);
            }
            let left = leaked(world, &before, CLEARING);
            assert_eq!(
                left, "",
                "left by kill {number} after {moment:?} of {whole:?}"
            );
        }
        assert!(
            at_work >= AT_WORK,
            "only {at_work} of {KILLS} kills met the runner at work, which took {whole:?}"
        );
        // What is left of the run folder hinders nobody.
        let said = Process::start(run(world, &file)).finish(PATIENCE);
        said.expect_exit(0);
    });
}

/// Kills a command some time after its start; whether it was still running.
fn kill_after(moment: Duration, mut command: Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the program starts");
    pass(moment);
    child.kill().expect("it is our child");
    let status = child.wait().expect("it is our child");
    status.signal() == Some(nix::libc::SIGKILL)
}

#[test]
fn a_runner_whose_sandbox_is_killed_says_so_and_ends() {
    inside(
        "a_runner_whose_sandbox_is_killed_says_so_and_ends",
        |world| {
            let waits = "[[step]]\ndo = { run = { on = \"laptop\", command = [\"sleep\", \"60\"], \
                     within = \"60s\" } }\n";
            let file = files::pair(Path::new("/tmp"), "waits", waits);
            let before = Snapshot::take();
            let mut runner = Process::start(run(world, &file));
            runner.await_line("step     step 1", PATIENCE);
            await_that(CLEARING, "sleep(1) runs", || named("sleep").is_some());
            // There is another one, which shows that there can be one.
            let sandbox = parent(named("sleep").expect("it runs"));
            kill(sandbox, Signal::SIGKILL).expect("kill the sandbox");
            let said = runner.finish(CLEARING).expect_exit(1);
            assert_says(&said, &["FAILED   in step 1: the sandbox is gone"]);
            assert_eq!(leaked(world, &before, CLEARING), "");
        },
    );
}

/// Control groups do not go away by themselves: the janitor has to outlive the runner.
#[test]
fn a_killed_runner_leaves_no_control_group() {
    inside("a_killed_runner_leaves_no_control_group", |world| {
        let waits = "[host.server]\ncgroups = [\"apps\"]\n[[step]]\ndo = { run = { on = \"server\", \
                     command = [\"sleep\", \"60\"], within = \"60s\" } }\n";
        let file = files::pair(Path::new("/tmp"), "waits", waits);
        mount_control_groups();
        let before = Snapshot::take();
        let mut runner = Process::start(run(world, &file));
        if !is_root_of_the_machine() {
            let said = runner.finish(PATIENCE).expect_exit(3);
            assert_says(&said, &["make control groups: "]);
            return;
        }
        runner.await_line("step     step 1", PATIENCE);
        await_that(CLEARING, "sleep(1) runs", || named("sleep").is_some());
        let sleep = named("sleep").expect("it runs");
        let group = fs::read_to_string(format!("/proc/{sleep}/cgroup")).expect("it is in one");
        let group = group.lines().find_map(|line| line.strip_prefix("0::"));
        let server = PathBuf::from(format!("{CONTROL_GROUPS}{}", group.expect("version 2")));
        let all = server.parent().expect("the subtree of the sandbox");
        assert!(server.ends_with("server"), "{}", server.display());
        assert!(
            server.join("apps").exists(),
            "the group of the scenario is there"
        );
        assert!(
            all.to_string_lossy().contains("/fps-lab-"),
            "{}",
            all.display()
        );
        let program = world.program().to_str().expect("UTF-8");
        kill(named(program).expect("it runs"), Signal::SIGKILL).expect("kill it");
        drop(runner.finish(CLEARING));
        assert_eq!(leaked(world, &before, CLEARING), "");
        assert!(!all.exists(), "{} is left", all.display());
    });
}

/// A held lab, with a shell in it that ignores all that can be ignored.
#[test]
fn a_killed_holder_leaves_nothing_but_a_socket_that_the_next_removes() {
    let test = "a_killed_holder_leaves_nothing_but_a_socket_that_the_next_removes";
    inside(test, |world| {
        let reached = "[[step]]\nexpect = { reach = { from = \"laptop\", to = \"printer\" } }\n";
        let file = files::pair(Path::new("/tmp"), "pair", reached);
        fs::create_dir(NOT_COMPARED).expect("make the folder for logs");
        let lab = |arguments: &[&str]| {
            let mut command = Command::new(world.program());
            command
                .args(arguments)
                .env("FPS_LAB_RUNTIME_DIR", "/tmp/run-folder/labs");
            command
        };
        let before = Snapshot::take();
        let file = file.to_str().expect("UTF-8");
        let up = ["up", "-d", file, "--out", NOT_COMPARED];
        let up = || Process::start(lab(&up)).finish(PATIENCE).expect_exit(0);
        up();
        let script = "trap '' INT TERM HUP; (sleep 4246); exit 1";
        let exec = Process::start(lab(&["exec", "laptop", "--", "sh", "-c", script]));
        await_that(PATIENCE, "it runs", || named("sleep").is_some());
        let program = world.program().to_str().expect("UTF-8");
        let holder = running(program, "up").expect("it runs");
        kill(holder, Signal::SIGKILL).expect("kill it");
        let said = exec.finish(PATIENCE).expect_exit(125);
        assert_says(&said, &["the lab has ended"]);
        assert_eq!(leaked(world, &before, CLEARING), "", "after the kill");
        let socket = Path::new("/tmp/run-folder/labs/pair.sock");
        assert!(socket.exists(), "nobody was left to remove it");
        let said = Process::start(lab(&["ps"])).finish(PATIENCE).expect_exit(0);
        assert_says(&said, &["no lab is up"]);
        assert!(!socket.exists(), "it was recognised");
        up();
        Process::start(lab(&["down"]))
            .finish(PATIENCE)
            .expect_exit(0);
        assert_eq!(
            leaked(world, &before, CLEARING),
            "",
            "after its end in order"
        );
    });
}

/// Where control groups are mounted.
const CONTROL_GROUPS: &str = "/sys/fs/cgroup";

fn mount_control_groups() {
    let kind = Some("cgroup2");
    let none = None::<&str>;
    // In a user namespace there is nothing to see of them.
    if is_root_of_the_machine() {
        mount(kind, CONTROL_GROUPS, kind, MsFlags::empty(), none).expect("mount cgroup2");
    }
}

/// Whether root here is root everywhere, and not an ordinary user in a user namespace.
fn is_root_of_the_machine() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").expect("a map of users");
    map.split_whitespace().eq(["0", "0", "4294967295"])
}

/// The process of this name, by the first word of its command line.
fn named(name: &str) -> Option<Pid> {
    with_words(|words| words.next() == Some(name.as_bytes()))
}

/// The process that has started a process.
fn parent(process: Pid) -> Pid {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let number = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    Pid::from_raw(
        number
            .expect("it has one")
            .trim()
            .parse()
            .expect("a number"),
    )
}

/// The process of this program that does this.
fn running(program: &str, what: &str) -> Option<Pid> {
    let wanted = [program.as_bytes(), what.as_bytes()];
    with_words(|words| words.take(2).eq(wanted))
}

/// The process whose command line is so.
fn with_words(is_so: impl Fn(&mut dyn Iterator<Item = &[u8]>) -> bool) -> Option<Pid> {
    let listing = fs::read_dir("/proc").expect("/proc is mounted");
    listing
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .find(|pid: &i32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            is_so(&mut line.split(|byte| *byte == 0))
        })
        .map(Pid::from_raw)
}

/// Moments by chance; the seed is printed and can be given again.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let seed = match std::env::var("FPS_LAB_TEST_SEED") {
            Ok(seed) => seed.parse().expect("FPS_LAB_TEST_SEED is a number"),
            Err(_) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH);
                u64::from(now.expect("after 1970").subsec_nanos())
            }
        };
        println!("FPS_LAB_TEST_SEED={seed}");
        Self(seed)
    }

    /// From 0 to 1 (SplitMix64).
    fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let top = u32::try_from((mixed ^ (mixed >> 31)) >> 32).expect("32 bits");
        f64::from(top) / f64::from(u32::MAX)
    }
}

/// The control: what is left on purpose shows in the same comparison.
fn shows(test: &str, sign: &str, leak: impl FnOnce()) {
    inside(test, |world| {
        let before = Snapshot::take();
        let nothing = leaked(world, &before, CLEARING);
        assert_eq!(nothing, "", "there is a difference before anything leaked");
        leak();
        let left = leaked(world, &before, Duration::from_millis(200));
        assert_says(&left, &[sign]);
        assert!(!left.contains("\n- "), "something is gone\n{left}");
    });
}

#[test]
fn a_process_that_is_left_shows() {
    shows("a_process_that_is_left_shows", "sleep 60", || {
        // Left by its parent, as a runner's would be.
        let script = "sleep 60 & exit 0";
        let status = Command::new("sh").args(["-c", script]).status();
        assert!(status.expect("sh(1) starts").success());
    });
}

#[test]
fn a_namespace_that_is_held_shows() {
    shows(
        "a_namespace_that_is_held_shows",
        "+ namespace net:[",
        || {
            let held = thread::spawn(|| {
                unshare(CloneFlags::CLONE_NEWNET).expect("make a namespace");
                File::open("/proc/thread-self/ns/net").expect("hold the namespace")
            });
            std::mem::forget(held.join().expect("the thread ends"));
        },
    );
}

#[test]
fn a_namespace_that_is_mounted_shows() {
    shows("a_namespace_that_is_mounted_shows", " nsfs nsfs ", || {
        let made = thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("make a namespace");
            fs::write("/tmp/name", "").expect("a file to mount on");
            let none = None::<&str>;
            let namespace = Some("/proc/thread-self/ns/net");
            mount(namespace, "/tmp/name", none, MsFlags::MS_BIND, none).expect("mount it");
        });
        made.join().expect("the thread ends");
    });
}

#[test]
fn a_mount_that_reaches_the_machine_shows() {
    let test = "a_mount_that_reaches_the_machine_shows";
    shows(test, "- tmpfs left-behind ", || {
        // From another mount namespace, as the sandbox's would.
        let made = thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNS).expect("make a namespace");
            let (name, none) = (Some("left-behind"), None::<&str>);
            let tmpfs = Some("tmpfs");
            mount(name, "/dev/shm", tmpfs, MsFlags::empty(), none).expect("mount it");
        });
        made.join().expect("the thread ends");
    });
}

#[test]
fn a_link_that_is_left_shows() {
    shows("a_link_that_is_left_shows", "+ link left0", || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let name = LinkName::new("left0").expect("short enough");
            let netlink = Netlink::open().expect("a netlink socket");
            netlink.create_bridge(&name).await.expect("make a bridge");
        });
    });
}

#[test]
fn a_file_that_is_left_shows() {
    let file = "/run/netns/left";
    shows(
        "a_file_that_is_left_shows",
        "+ file /run/netns/left",
        || {
            fs::create_dir("/run/netns").expect("make its folder");
            fs::write(file, "").expect("write a file");
        },
    );
}
