//! What `ps` tells of a held lab.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::desk::{Desk, PATIENCE};
use super::ended::assert_says;
use super::process::Process;
use super::text;
use super::wait::await_that;

#[test]
fn ps_tells_each_program_with_its_host_and_numbers() {
    let desk = Desk::new();
    desk.up(&desk.pair("pair", ""), &[]);
    let sleep = Process::start(desk.lab(&["exec", "printer", "--", "sleep", "4242"]));
    let programs = || desk.ps()[0]["programs"].as_array().expect("a list").clone();
    let of_sleep = |it: &&Value| it["command"] == "sleep 4242";
    await_that(PATIENCE, "sleep(1) is told", || {
        programs().iter().any(|it| of_sleep(&it))
    });
    let programs = programs();
    let program = programs.iter().find(of_sleep).expect("it was there");
    assert_eq!(program["host"], "printer");
    let outside = program["outer_pid"].as_i64().expect("a number");
    let line = fs::read(format!("/proc/{outside}/cmdline")).expect("it is a process here");
    assert_eq!(text(&line), "sleep\x004242\0");
    let inside = program["pid"].to_string();
    assert_says(
        &desk.expect(0, &["ps"]),
        &["printer", "sleep 4242", "PROGRAM"],
    );
    // The number inside is the one that programs of the lab know it by.
    desk.expect(0, &["exec", "laptop", "--", "kill", "-TERM", &inside]);
    sleep.finish(PATIENCE).expect_exit(143);
}

#[test]
fn ps_tells_a_lab_whose_sandbox_was_killed() {
    let desk = Desk::new();
    desk.up(&desk.pair("pair", ""), &[]);
    let _sleep = Process::start(desk.lab(&["exec", "printer", "--", "sleep", "4242"]));
    let outside = || desk.ps()[0]["programs"][0]["outer_pid"].as_i64();
    await_that(PATIENCE, "sleep(1) is told", || outside().is_some());
    assert_eq!(desk.ps()[0]["state"], "held", "the control");
    let status = format!("/proc/{}/status", outside().expect("it runs"));
    let status = fs::read_to_string(status).expect("it is a process here");
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    let helper = parent.expect("it has one").trim().parse().expect("a pid");
    kill(Pid::from_raw(helper), Signal::SIGKILL).expect("it runs");
    await_that(PATIENCE, "the lab is told to be lost", || {
        desk.ps()[0]["state"] == "lost"
    });
    assert_says(
        &desk.expect(0, &["ps"]),
        &["pair  LOST: its sandbox was killed, since"],
    );
    assert_says(
        &desk.expect(125, &["exec", "laptop", "--", "true"]),
        &["the sandbox of pair was killed: `fps-lab down pair` ends"],
    );
    assert_says(&desk.expect(0, &["down"]), &["pair  down"]);
    assert_eq!(desk.sockets(), [""; 0]);
}
