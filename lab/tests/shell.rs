//! A shell in a host of a held lab, at a terminal.

mod common {
    pub(crate) mod desk;
    pub(crate) mod ended;
    mod files;
    pub(crate) mod process;
    mod reached;
    pub(crate) mod terminal;
    mod texts;
    pub(crate) mod wait;
    mod window;
}

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use common::desk::{Desk, PATIENCE};
use common::ended::assert_says;
use common::terminal::Terminal;
use common::wait::await_that;

/// How long one answer of a shell may take, where it is asked again.
const ONE_ANSWER: Duration = Duration::from_secs(2);

/// A lab, and bash(1) in its laptop, with no files of its own.
fn shell(desk: &Desk) -> Terminal {
    let said = desk.up(&desk.pair("pair", ""), &[]);
    assert_says(&said, &["fps-lab shell laptop --lab pair"]);
    assert_eq!(desk.sockets(), ["pair.sock"]);
    let mut command = desk.lab(&["shell", "laptop"]);
    command.env("SHELL", "/bin/bash").env("HOME", desk.path());
    command.env("TERM", "dumb").env_remove("PROMPT_COMMAND");
    let mut terminal = Terminal::start(command);
    terminal.await_text("laptop:", PATIENCE);
    terminal
}

/// Waits until a command runs in the lab.
fn await_command(desk: &Desk, command: &str) {
    await_that(PATIENCE, command, || runs(desk, command));
}

fn runs(desk: &Desk, command: &str) -> bool {
    number(desk, command).is_some()
}

/// The number that a command of the lab has on this machine; none where it does not run.
fn number(desk: &Desk, command: &str) -> Option<i64> {
    let labs = desk.ps();
    let mut programs = labs[0]["programs"].as_array().expect("a list").iter();
    programs.find(|it| it["command"] == command)?["outer_pid"].as_i64()
}

/// Whether a command's process group is the one in front of its terminal (`pgrp` and `tpgid` in
/// proc_pid_stat(5)).
fn is_in_front(desk: &Desk, command: &str) -> bool {
    let number = number(desk, command).expect("it runs");
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).expect("it runs");
    let (_, fields) = stat.rsplit_once(')').expect("a name");
    let fields: Vec<&str> = fields.split_whitespace().collect();
    fields[2] == fields[5]
}

#[test]
fn a_shell_has_a_terminal_with_job_control() {
    let desk = Desk::new();
    let mut at = shell(&desk);
    assert!(!at.handles_lines(), "each key goes to the shell");
    at.press("echo at:$FPS_LAB_HOST:$(uname -n):$(command -v fps_client)\n");
    at.await_text("at:laptop:laptop:/run/fps-lab/bin/fps_client", PATIENCE);
    at.press("ip -4 -o addr show dev eth0\n");
    at.await_text("192.168.188.112/24", PATIENCE);
    // Ctrl-C ends what is in front, and not the shell.
    at.press("sleep 4243\n");
    await_command(&desk, "sleep 4243");
    at.press("\x03");
    at.press("echo aft''er:$?\n");
    at.await_text("after:130", PATIENCE);
    assert!(!runs(&desk, "sleep 4243"));
    // Ctrl-Z stops it.
    at.press("sleep 4244\n");
    await_command(&desk, "sleep 4244");
    at.press("\x1a");
    at.await_text("Stopped", PATIENCE);
    assert!(!is_in_front(&desk, "sleep 4244"), "the control");
    at.press("fg\n");
    await_that(PATIENCE, "it goes on", || is_in_front(&desk, "sleep 4244"));
    at.press("\x03");
    at.press("echo aft''er:$?\n");
    at.await_text("after:130", PATIENCE);
    at.press("exit 5\n");
    assert_eq!(at.child.wait().expect("it ends").code(), Some(5));
    assert!(at.handles_lines(), "the terminal is as it was before");
}

#[test]
fn a_shell_sees_the_size_of_the_window_and_its_change() {
    let desk = Desk::new();
    let mut at = shell(&desk);
    at.press("stty size\n");
    at.await_text("24 80", PATIENCE);
    at.press("trap 'echo size: $(stty size)' WINCH\n");
    at.press("echo rea''dy\n");
    at.await_text("ready", PATIENCE);
    at.resize(40, 100);
    // The shell looks at its traps when it has read a line.
    await_that(PATIENCE, "it sees the change", || {
        at.press("\n");
        at.shows("size: 40 100", ONE_ANSWER)
    });
}

#[test]
fn a_shell_ends_with_its_terminal_and_with_its_lab() {
    let desk = Desk::new();
    let mut at = shell(&desk);
    at.press("sleep 4245\n");
    await_command(&desk, "sleep 4245");
    at.child.kill().expect("it runs");
    await_that(PATIENCE, "it ends", || {
        !runs(&desk, "sleep 4245") && !runs(&desk, "/bin/bash")
    });
    let mut command = desk.lab(&["shell", "printer"]);
    command.env("SHELL", "/bin/sh");
    let mut at = Terminal::start(command);
    at.await_text("printer# ", PATIENCE);
    desk.expect(0, &["down"]);
    at.await_text("fps-lab: the lab has ended", PATIENCE);
    assert_eq!(at.child.wait().expect("it ends").code(), Some(125));
    assert!(at.handles_lines(), "the terminal is as it was before");
}

#[test]
fn a_command_has_a_terminal_if_it_is_asked_for() {
    let desk = Desk::new();
    desk.up(&desk.pair("pair", ""), &[]);
    let script = "test -t 0 && tty; stty size; exit 4";
    let with = desk.lab(&["exec", "-t", "laptop", "--", "sh", "-c", script]);
    let mut with = Terminal::start(with);
    with.await_text("/dev/pts/", PATIENCE);
    with.await_text("24 80", PATIENCE);
    assert_eq!(with.child.wait().expect("it ends").code(), Some(4));
    // Without one to copy there is none to be had.
    let mut without = desk.lab(&["exec", "-t", "laptop", "--", "true"]);
    let output = without.stdin(Stdio::null()).output().expect("it starts");
    assert_eq!(output.status.code(), Some(125), "{output:?}");
}

#[test]
fn a_shell_without_a_terminal_reads_its_commands() {
    let desk = Desk::new();
    desk.up(&desk.pair("pair", ""), &[]);
    let mut shell = desk.lab(&["shell", "laptop"]);
    shell.env("SHELL", "/no/such/shell").stdin(Stdio::piped());
    let mut shell = shell.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = shell.stdin.take().expect("piped");
    std::io::Write::write_all(&mut stdin, b"uname -n\nexit 6\n").expect("it reads");
    drop(stdin);
    let output = shell.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "laptop\n");
    assert_eq!(output.status.code(), Some(6));
}
