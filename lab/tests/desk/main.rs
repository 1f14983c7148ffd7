//! A held lab from outside: up, exec, ps, ip netns, down; `capture` and `ps` in files of their own.

#[path = "../common/cable.rs"]
mod cable;
#[path = "../common/copy.rs"]
mod copy;
#[path = "../common/desk.rs"]
mod desk;
#[path = "../common/ended.rs"]
mod ended;
#[path = "../common/exec.rs"]
mod exec;
#[path = "../common/files.rs"]
mod files;
#[path = "../common/process.rs"]
mod process;
#[path = "../common/reached.rs"]
mod reached;
#[path = "../common/talk.rs"]
mod talk;
#[path = "../common/texts.rs"]
mod texts;
#[path = "../common/wait.rs"]
mod wait;
#[path = "../common/web_host.rs"]
mod web_host;

mod capture;
mod ps;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use self::cable::CABLE_OUT;
use self::copy::copy_program;
use self::desk::{Desk, PATIENCE};
use self::ended::assert_says;
use self::process::Process;
use self::reached::REACHED;
use self::wait::await_that;
use self::web_host::{SERVES, ask_web};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use serde_json::Value;

const FAILS: &str = r#"
[[step]]
name = "nobody there"
expect = { reach = { name = "nobody answers", from = "laptop", to = "192.168.188.99", within = "300ms" } }
[[step]]
name = "unplug"
do = { link = { on = "laptop", link = "eth0", state = "unplugged" } }
"#;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn pid(value: &Value) -> Pid {
    let number = value.as_i64().and_then(|number| number.try_into().ok());
    Pid::from_raw(number.expect("a pid"))
}

/// Whether a process runs: one that is dead has no command line, though it may not be reaped yet.
fn runs(process: Pid) -> bool {
    fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|line| !line.is_empty())
}

#[test]
fn a_lab_is_held_until_it_is_told_to_end() {
    let desk = Desk::new();
    let said = desk.up(&desk.pair("pair", ""), &[]);
    assert_says(
        &said,
        &[
            "held     before the first step",
            "laptop   eth0  home  192.168.188.112/24",
            "fps-lab shell laptop --lab pair",
            "fps-lab capture laptop eth0 --lab pair | wireshark -k -i -",
            "fps-lab down pair",
        ],
    );
    assert_eq!(desk.sockets(), ["pair.sock"]);
    let labs = desk.ps();
    let [lab] = &labs[..] else {
        panic!("one lab: {labs:?}")
    };
    assert_eq!(lab["lab"], "pair");
    assert_eq!(lab["state"], "held");
    assert_eq!(lab["tunnel"], Value::Null);
    assert_eq!(lab["hosts"][1]["name"], "printer");
    let holder = pid(&lab["pid"]);
    assert!(runs(holder), "the control: the holder is seen");
    assert_says(&desk.expect(0, &["down"]), &["pair  down"]);
    assert!(!runs(holder), "`down` waits for the holder's end");
    assert_eq!(desk.sockets(), [""; 0]);
    assert_says(&desk.expect(0, &["ps"]), &["no lab is up"]);
    let log = fs::read_to_string(desk.path().join("fps-lab-out/pair.log")).expect("its log");
    assert_says(
        &log,
        &["held     before the first step", "nothing of it is left"],
    );
}

#[test]
fn a_command_in_a_host_is_as_one_here() {
    let desk = Desk::new();
    desk.up(&desk.pair("pair", ""), &[]);
    let exec = |command: &[&str]| desk.exec("laptop", b"", command);
    let name = exec(&[
        "sh",
        "-c",
        "uname -n; echo $FPS_LAB_HOST $FPS_LAB; echo oops >&2; exit 7",
    ]);
    assert_eq!(text(&name.stdout), "laptop\nlaptop pair\n");
    assert_eq!(text(&name.stderr), "oops\n");
    assert_eq!(name.status.code(), Some(7));
    assert_eq!(exec(&["sh", "-c", "kill -9 $$"]).status.code(), Some(137));
    let missing = exec(&["no-such-program"]);
    assert_eq!(missing.status.code(), Some(127), "{missing:?}");
    let path = exec(&["sh", "-c", "command -v fps_client; pwd"]);
    let folder = desk.path().display().to_string();
    assert_eq!(
        text(&path.stdout),
        format!("/run/fps-lab/bin/fps_client\n{folder}\n")
    );
    // More than any pipe holds, and every byte.
    let bytes: Vec<u8> = (0..3_000_000_u32)
        .map(|it| (it.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let same = desk.exec("laptop", &bytes, &["cat"]);
    assert!(
        same.stdout == bytes,
        "{} bytes came back",
        same.stdout.len()
    );
}

#[test]
fn a_reader_sees_the_end_of_what_a_command_writes() {
    let desk = Desk::new();
    desk.up(&desk.pair("pair", ""), &[]);
    // It closes its stdout, and goes on until its stdin ends.
    let script = "echo said; exec >&-; cat >/dev/null; exit 3";
    let mut command = desk.lab(&["exec", "laptop", "--", "sh", "-c", script]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut said = String::new();
    let mut out = child.stdout.take().expect("piped");
    out.read_to_string(&mut said).expect("it can be read");
    assert_eq!(said, "said\n");
    drop(child.stdin.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(3));
}

#[test]
fn a_signal_reaches_the_command_and_so_does_the_loss_of_its_client() {
    let desk = Desk::new();
    desk.up(&desk.pair("pair", ""), &[]);
    let start = || {
        let script = "trap 'exit 9' INT; echo ready; while :; do sleep 0.05; done";
        let mut child = desk
            .lab(&["exec", "laptop", "--", "sh", "-c", script])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("piped");
        BufReader::new(out)
            .read_line(&mut line)
            .expect("it can be read");
        assert_eq!(line, "ready\n");
        child
    };
    let mut caught = start();
    kill(Pid::from_raw(caught.id().cast_signed()), Signal::SIGINT).expect("it runs");
    assert_eq!(caught.wait().expect("it ends").code(), Some(9));
    let mut killed = start();
    let running = || desk.ps()[0]["programs"].as_array().expect("a list").len();
    assert!(running() > 0, "the control: it is seen while it runs");
    killed.kill().expect("it runs");
    killed.wait().expect("it ends");
    await_that(PATIENCE, "the command ends with its client", || {
        running() == 0
    });
}

#[test]
fn every_host_finds_the_others_by_ip_netns() {
    let desk = Desk::new();
    desk.up(&desk.pair("pair", ""), &[]);
    let list = desk.exec("laptop", b"", &["ip", "netns", "list"]);
    let list = text(&list.stdout);
    let mut names: Vec<&str> = list
        .lines()
        .filter_map(|it| it.split_whitespace().next())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["laptop", "printer"]);
    let command = [
        "ip", "netns", "exec", "printer", "ip", "-4", "addr", "show", "dev", "eth0",
    ];
    let there = desk.exec("laptop", b"", &command);
    assert_says(&text(&there.stdout), &["192.168.188.20/24"]);
    let here = desk.exec("laptop", b"", &command[4..]);
    assert_says(&text(&here.stdout), &["192.168.188.112/24"]);
    // Nothing of it is on the machine.
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("our mounts");
    assert!(!mounts.contains("/run/netns/printer"), "{mounts}");
}

#[test]
fn a_lab_goes_on_while_it_is_held() {
    let desk = Desk::new();
    desk.up(&desk.pair("pair", SERVES), &[]);
    // The web's services are tasks of the holder.
    ask_web(&desk);
}

/// Has the web's echo service answer the laptop.
#[test]
fn steps_are_played_before_and_failures_are_told() {
    let desk = Desk::new();
    let file = desk.pair("fails", FAILS);
    let said = desk.up(&file, &["--to", "unplug"]);
    assert_says(
        &said,
        &[
            "FAILED nobody answers",
            "did    on laptop: eth0 unplugged",
            "held     after step `unplug`",
            "(down)",
        ],
    );
    desk.expect(0, &["down"]);
    let said = desk.up(&file, &["--to", "1"]);
    assert_says(&said, &["held     after step `nobody there`"]);
    assert!(!said.contains("unplugged"), "{said}");
}

#[test]
fn an_act_that_fails_is_told_and_the_lab_held() {
    let desk = Desk::new();
    let act =
        "[[step]]\nname = \"bad\"\ndo = { run = { on = \"laptop\", command = [\"false\"] } }\n";
    let said = desk.up(&desk.pair("bad", act), &["--to", "bad"]);
    assert_says(&said, &["held     in `bad`:", "fps-lab shell laptop"]);
    assert_eq!(desk.ps()[0]["state"], "held");
}

#[test]
fn the_lab_of_a_sabotage_can_be_held() {
    let desk = Desk::new();
    let text = [texts::PAIR, REACHED, CABLE_OUT].concat();
    let file = files::write(desk.path(), "pair", &text);
    let said = desk.up(&file, &["--sabotage", "the cable is out", "--to", "1"]);
    assert_says(
        &said,
        &[
            "sabotage: the cable is out",
            "(down)",
            "bit    reach laptop -> printer",
        ],
    );
    let file = file.to_str().expect("UTF-8");
    let said = desk.expect(2, &["up", file, "--sabotage", "the cabel is out"]);
    assert_says(&said, &["did you mean `the cable is out`?"]);
}

#[test]
fn two_labs_are_told_apart() {
    let desk = Desk::new();
    let file = desk.pair("pair", "");
    desk.up(&file, &[]);
    let path = file.to_str().expect("UTF-8");
    let said = desk.expect(3, &["up", "-d", path]);
    assert_says(&said, &["a lab called pair", "--name"]);
    desk.up(&file, &["--name", "second"]);
    let which = desk.expect(125, &["exec", "laptop", "--", "true"]);
    assert_says(&which, &["2 labs are up", "--lab LAB", "pair, second"]);
    let named = [
        "exec",
        "laptop",
        "--lab",
        "second",
        "--",
        "sh",
        "-c",
        "echo $FPS_LAB",
    ];
    assert_eq!(desk.expect(0, &named), "second\n");
    let wrong = desk.expect(125, &["exec", "laptop", "--lab", "secnod", "--", "true"]);
    assert_says(&wrong, &["did you mean `second`?", "up: pair, second"]);
    let which = desk.expect(3, &["down"]);
    assert_says(&which, &["2 labs are up"]);
    desk.expect(0, &["down", "second"]);
    assert_eq!(desk.sockets(), ["pair.sock"]);
    assert_eq!(
        desk.expect(0, &["exec", "laptop", "--", "sh", "-c", "echo $FPS_LAB"]),
        "pair\n"
    );
}

/// A process that stands still, until this is dropped.
struct Stopped(Pid);

impl Stopped {
    fn new(process: Pid) -> Self {
        kill(process, Signal::SIGSTOP).expect("it runs");
        Self(process)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        // It may have ended.
        let _ = kill(self.0, Signal::SIGCONT);
    }
}

#[test]
fn a_lab_that_does_not_answer_holds_nobody_up() {
    let desk = Desk::new();
    let file = desk.pair("pair", "");
    desk.up(&file, &[]);
    desk.up(&file, &["--name", "second"]);
    let labs = desk.ps();
    let of_pair = labs.iter().find(|it| it["lab"] == "pair");
    let stopped = Stopped::new(pid(&of_pair.expect("it is up")["pid"]));
    let said = desk.expect(3, &["ps"]);
    assert_says(&said, &["second  held", "pair: the lab does not answer"]);
    // Nobody reads what it writes: its output is on the way to the lab already, which closes it no sooner.
    let mut waiting = desk.lab(&["exec", "laptop", "--lab", "pair", "--", "true"]);
    let mut waiting = waiting.stdout(Stdio::null()).spawn().expect("it starts");
    let process = Pid::from_raw(waiting.id().cast_signed());
    await_that(PATIENCE, "it keeps signals for the command", || {
        let status = fs::read_to_string(format!("/proc/{process}/status"));
        let blocked = status.unwrap_or_default();
        let mut blocked = blocked.lines().filter_map(|it| it.strip_prefix("SigBlk:"));
        let blocked = blocked
            .next()
            .and_then(|it| u64::from_str_radix(it.trim(), 16).ok());
        blocked.is_some_and(|it| it & 1 << (Signal::SIGINT as u32 - 1) != 0)
    });
    kill(process, Signal::SIGINT).expect("it runs");
    assert_eq!(waiting.wait().expect("it ends").code(), Some(130));
    drop(stopped);
    desk.expect(0, &["exec", "laptop", "--lab", "pair", "--", "true"]);
}

#[test]
fn wrong_names_are_told_with_those_that_are_right() {
    let desk = Desk::new();
    let file = desk.pair("pair", FAILS);
    let none = desk.expect(125, &["exec", "laptop", "--", "true"]);
    assert_says(&none, &["no lab is up: `fps-lab up FILE`"]);
    desk.up(&file, &[]);
    let said = desk.expect(125, &["shell", "latpop"]);
    assert_says(
        &said,
        &["the lab pair has no host `latpop`; did you mean `laptop`?"],
    );
    let said = desk.expect(125, &["exec", "web", "--", "true"]);
    assert_says(&said, &["there are `laptop`, `printer`"]);
    let said = desk.expect(3, &["capture", "laptop", "eht0"]);
    assert_says(&said, &["laptop has no link `eht0`; did you mean `eth0`?"]);
    let said = desk.expect(3, &["resume"]);
    assert_says(&said, &["has not stopped at a failure"]);
    let path = file.to_str().expect("UTF-8");
    let said = desk.expect(2, &["up", path, "--name", "b", "--to", "unplgu"]);
    assert_says(
        &said,
        &["there is no step `unplgu`; did you mean `unplug`?"],
    );
    let said = desk.expect(2, &["up", path, "--name", "a/b"]);
    assert_says(&said, &["cannot be a lab's name"]);
}

#[test]
fn another_user_is_refused() {
    const OTHER: u32 = 65534;
    let desk = Desk::new();
    desk.up(&desk.pair("pair", ""), &[]);
    let socket = desk.runtime_folder().join("pair.sock");
    assert_eq!(mode(&desk.runtime_folder()), 0o700);
    assert_eq!(mode(&socket), 0o600);
    assert_eq!(desk.ps()[0]["lab"], "pair");
    if !geteuid().is_root() {
        // An ordinary user cannot become another.
        return;
    }
    let program = desk.path().join("fps-lab");
    copy_program(env!("CARGO_BIN_EXE_fps-lab").as_ref(), &program);
    let as_other = |folder: &Path| {
        let mut command = Command::new(&program);
        command.arg("ps").env("FPS_LAB_RUNTIME_DIR", folder);
        command.uid(OTHER).gid(OTHER).current_dir("/");
        Process::start(command).finish(PATIENCE).expect_exit(3)
    };
    // The folder and the mode of the socket keep others out; if they did not, the lab would.
    let labs = desk.runtime_folder();
    set_mode(desk.path(), 0o755);
    assert_says(&as_other(&labs), &["Permission denied"]);
    set_mode(&labs, 0o755);
    assert_says(&as_other(&labs), &["connect to", "Permission denied"]);
    set_mode(&socket, 0o666);
    assert_says(&as_other(&labs), &["the lab belongs to another user"]);
    assert_eq!(desk.ps()[0]["lab"], "pair", "its owner is not refused");
    let strange = desk.path().join("strange");
    fs::create_dir(&strange).expect("make it");
    chown(&strange, Some(1), None).expect("give it away");
    assert_says(
        &as_other(&strange),
        &["belongs to user 1", "FPS_LAB_RUNTIME_DIR"],
    );
}

#[test]
fn a_folder_that_others_may_write_to_is_refused() {
    let desk = Desk::new();
    desk.up(&desk.pair("pair", ""), &[]);
    set_mode(&desk.runtime_folder(), 0o777);
    let said = desk.expect(3, &["ps"]);
    assert_says(&said, &["can be written to by others (mode 0777)"]);
    set_mode(&desk.runtime_folder(), 0o700);
    assert_eq!(desk.ps()[0]["lab"], "pair");
}

fn mode(path: &Path) -> u32 {
    let about = fs::symlink_metadata(path).expect("it is there");
    about.permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("change the mode");
}

#[test]
fn a_lab_in_the_foreground_ends_with_ctrl_c() {
    let desk = Desk::new();
    let file = desk.pair("pair", "");
    let mut up = Process::start(desk.lab(&["up", file.to_str().expect("UTF-8")]));
    up.await_line("fps-lab down pair", PATIENCE);
    assert_eq!(desk.ps()[0]["pid"], up.pid.as_raw());
    kill(up.pid, Signal::SIGINT).expect("it runs");
    let said = up.finish(PATIENCE).expect_exit(130);
    assert_says(&said, &["nothing of it is left"]);
    assert_eq!(desk.sockets(), [""; 0]);
}
