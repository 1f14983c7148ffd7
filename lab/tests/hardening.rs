//! What a program in a host must not get at, and what must not keep a run from ending.

mod common {
    pub(crate) mod ended;
    pub(crate) mod live;
    pub(crate) mod process;
    mod talk;
    pub(crate) mod wait;
}

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use common::ended::assert_says;
use common::live::{build, host, shell};
use common::process::{Ended, Process};
use common::wait::await_that;
use fps_lab::sandbox::SocketKind;
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::{Mode, umask};
use nix::unistd::Pid;
use tempfile::TempDir;

/// More than any command here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

const PAIR: &str = r#"
title    = "Two hosts on one net"
sabotage = []
why      = "a test of the lab itself"

[net.home]
v4 = "192.168.188.0/24"

[host.laptop]
link.eth0 = { net = "home", ip = "192.168.188.112" }
routes = [ { to = "10.0.0.0/8", via = "192.168.188.20" } ]

[host.printer]
link.eth0 = { net = "home", ip = "192.168.188.20" }
"#;

/// A test's folder, with the run's folder in it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn out(&self) -> PathBuf {
        self.0.path().join("out")
    }

    /// `fps-lab run` of two hosts on a net and these steps, with this place's run folder.
    fn run(&self, steps: &str) -> Command {
        let file = self.0.path().join("pair.toml");
        fs::write(&file, format!("{PAIR}{steps}")).expect("write a scenario");
        let mut command = Command::new(env!("CARGO_BIN_EXE_fps-lab"));
        command.arg("run").arg(file).arg("--out").arg(self.out());
        command
    }

    /// All that is in the logs of a play.
    fn logs(&self) -> String {
        let folder = fs::read_dir(self.out().join("pair/play")).expect("the play's folder");
        let text = |file: fs::DirEntry| fs::read_to_string(file.path()).expect("text");
        folder.map(|file| text(file.expect("an entry"))).collect()
    }
}

fn finish(command: Command) -> Ended {
    Process::start(command).finish(PATIENCE)
}

/// A step in which sh(1) runs this script on the laptop; it must succeed.
fn script(text: &str) -> String {
    format!(
        "[[step]]\ndo = {{ run = {{ on = \"laptop\", command = [\"sh\", \"-euc\", '''{text}'''] }} }}\n"
    )
}

/// Fails where a program in a host ends in another way than with success.
#[track_caller]
fn succeeds_in_a_host(text: &str) {
    finish(Place::new().run(&script(text))).expect_exit(0);
}

#[test]
fn a_program_has_its_own_three_descriptors_and_no_other() {
    // The fourth is that of the folder that ls(1) lists.
    succeeds_in_a_host("ls -l /proc/self/fd\ntest \"$(ls /proc/self/fd | wc -l)\" = 4");
}

#[test]
fn the_umask_of_who_calls_does_not_reach_the_hosts() {
    let modes = "umask\nstat -c '%a %n' /etc/hosts /run /run/fps-lab/bin\n\
                 test \"$(umask) $(stat -c %a /etc/hosts /run/fps-lab/bin | xargs)\" = '0022 644 755'";
    let place = Place::new();
    let mut command = place.run(&script(modes));
    let strict = || {
        umask(Mode::from_bits_truncate(0o077));
        Ok(())
    };
    // SAFETY: the closure makes one system call.
    unsafe { command.pre_exec(strict) };
    finish(command).expect_exit(0);
}

#[tokio::test]
async fn the_sandbox_keeps_a_copy_of_each_packet_socket() {
    let text = format!(
        "{PAIR}[[step]]\nexpect = [ {{ reach = {{ from = \"laptop\", to = \"printer\" }} }} ]"
    );
    let lab = build(Path::new(env!("CARGO_BIN_EXE_fps-lab")), &text).await;
    // A title, and a line for each socket that somebody has open.
    let count = "tail -n +2 /proc/net/packet | wc -l";
    assert_eq!(shell(&lab, "laptop", count).await, "0\n");
    let laptop = host(&lab, "laptop").id();
    let ours = lab.sandbox().socket(laptop, SocketKind::Packet);
    drop(ours.expect("a packet socket"));
    assert_eq!(shell(&lab, "laptop", count).await, "1\n");
}

/// Waits until somebody stops it, or until its time is over.
const WAITS: &str = r#"
[[step]]
do = { run = { on = "laptop", command = ["sh", "-c", "echo wa''its; exec sleep 60"], within = "1s" } }
"#;

/// Starts a run that waits (its command is in the timeline, too, so what it prints is another text), and stops its sandbox, which then answers nothing.
fn run_with_a_stopped_sandbox(place: &Place, steps: &str) -> (Process, Instant) {
    let mut run = Process::start(place.run(steps));
    run.await_line("step     step 1", PATIENCE);
    // The first shows that there can be one, before anything is played. The play's came after it.
    let helpers = children(run.pid);
    let pids = helpers
        .split_whitespace()
        .map(|pid| pid.parse().expect("a pid"));
    let helper = Pid::from_raw(pids.max().expect("a sandbox"));
    // The runner has read it, so that no request is under way.
    await_that(PATIENCE, "sleep runs", || place.logs().contains("waits"));
    kill(helper, Signal::SIGSTOP).expect("it runs");
    (run, Instant::now())
}

/// The pids of what a process has started, whichever thread did.
fn children(process: Pid) -> String {
    let threads = fs::read_dir(format!("/proc/{process}/task")).expect("it runs");
    let children = |thread: std::io::Result<fs::DirEntry>| {
        let thread = thread.expect("its threads can be listed").path();
        // The thread may have ended meanwhile.
        fs::read_to_string(thread.join("children")).unwrap_or_default()
    };
    threads.map(children).collect()
}

#[test]
fn a_sandbox_that_does_not_answer_ends_the_run() {
    let place = Place::new();
    let (run, begin) = run_with_a_stopped_sandbox(&place, WAITS);
    let said = run.finish(PATIENCE).expect_exit(1);
    assert!(begin.elapsed() < Duration::from_secs(15), "{said}");
}

#[test]
fn a_sandbox_that_does_not_end_is_killed_and_told_of() {
    let place = Place::new();
    let steps = WAITS.replace("1s", "60s");
    let (run, begin) = run_with_a_stopped_sandbox(&place, &steps);
    kill(run.pid, Signal::SIGTERM).expect("it runs");
    let said = run.finish(PATIENCE).expect_exit(130);
    assert_says(&said, &["a sandbox has not ended", "it is killed"]);
    assert!(begin.elapsed() < Duration::from_secs(10), "{said}");
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let place = Place::new();
    let steps = WAITS.replace("1s", "60s");
    let (mut run, begin) = run_with_a_stopped_sandbox(&place, &steps);
    kill(run.pid, Signal::SIGINT).expect("it runs");
    run.await_line("once more ends it at once", PATIENCE);
    kill(run.pid, Signal::SIGINT).expect("it runs");
    let said = run.finish(PATIENCE).expect_exit(130);
    // To be told once takes as long as the sandbox is waited for.
    assert!(begin.elapsed() < Duration::from_secs(4), "{said}");
}

#[test]
fn only_the_sysctls_of_a_hosts_own_network_can_be_written() {
    let write = |key: &str| format!("cat /proc/sys/{key} > /proc/sys/{key}");
    succeeds_in_a_host(&format!(
        "{}\necho 1 > /proc/sys/net/ipv4/ip_forward\ntest $(cat /proc/sys/net/ipv4/ip_forward) = 1",
        write("net/ipv6/conf/all/forwarding"),
    ));
    for key in ["vm/swappiness", "kernel/panic", "fs/file-max"] {
        let said = finish(Place::new().run(&script(&write(key)))).expect_exit(1);
        assert_says(&said, &["Read-only file system"]);
    }
}

#[test]
fn what_was_played_before_a_stop_is_reported() {
    let place = Place::new();
    let first = "[[step]]\nname = \"before the stop\"\n\
                 do = { run = { on = \"laptop\", command = [\"true\"] } }\n\
                 expect = [ { reach = { from = \"laptop\", to = \"printer\" } } ]\n";
    let steps = [first, &WAITS.replace("1s", "60s")].concat();
    let mut run = Process::start(place.run(&steps));
    run.await_line("step     step 2", PATIENCE);
    kill(run.pid, Signal::SIGINT).expect("it runs");
    run.finish(PATIENCE).expect_exit(130);
    let report = fs::read_to_string(place.out().join("pair/play/report.json"));
    let report = report.expect("a report");
    let signs = [
        "before the stop",
        "on laptop: true",
        "reach laptop -> printer",
        "held",
    ];
    assert_says(&report, &signs);
    assert_says(&report, &["\"kind\": \"interrupted\""]);
}

#[test]
fn a_link_that_is_up_may_be_set_up_again() {
    let up = "[[step]]\ndo = { link = { on = \"laptop\", link = \"eth0\", state = \"up\" } }\n";
    finish(Place::new().run(up)).expect_exit(0);
}

#[test]
fn a_link_does_not_come_up_over_somebody_elses_route() {
    let steps = "[[step]]\ndo = [\n\
        { route = { on = \"laptop\", action = \"delete\", to = \"10.0.0.0/8\", via = \"192.168.188.20\" } },\n\
        { route = { on = \"laptop\", to = \"10.0.0.0/8\", via = \"192.168.188.30\" } },\n\
        { link = { on = \"laptop\", link = \"eth0\", state = \"up\" } } ]\n";
    let said = finish(Place::new().run(steps)).expect_exit(1);
    assert_says(
        &said,
        &["ip route add 10.0.0.0/8 via 192.168.188.20", "exists"],
    );
}
