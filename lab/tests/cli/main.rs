//! The command from outside: what it prints, how it ends, and what it leaves alone.

#[path = "../common"]
mod common {
    pub(crate) mod cable;
    pub(crate) mod copy;
    pub(crate) mod ended;
    pub(crate) mod files;
    pub(crate) mod proc_table;
    pub(crate) mod process;
    pub(crate) mod reached;
    mod talk;
    pub(crate) mod texts;
    pub(crate) mod wait;
}
mod limits;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::cable::CABLE_OUT;
use common::copy::copy_program;
use common::ended::assert_says;
use common::proc_table::ProcessTable;
use common::process::Process;
use common::reached::REACHED;
use common::{files, texts};
use nix::sys::signal::{Signal, kill};
use tempfile::TempDir;

/// More than any command here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Nobody has the address.
const OUT_OF_REACH: &str = r#"
[[step]]
expect = [ { reach = { name = "nobody answers", from = "laptop", to = "192.168.188.99", within = "300ms" } } ]
"#;

/// Waits until somebody stops it.
const WAITS: &str = r#"
[[step]]
do = { run = { on = "laptop", command = ["sleep", "60"], within = "60s" } }
"#;

/// A test's folder, with the run's folder in it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn out(&self) -> PathBuf {
        self.path().join("out")
    }

    /// Writes two hosts on a net, and these steps.
    fn pair(&self, name: &str, steps: &str) -> PathBuf {
        files::pair(self.path(), name, steps)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        files::write(self.path(), name, text)
    }

    /// `fps-lab run` with this place's run folder.
    fn run(&self, files: &[&Path]) -> Command {
        let mut command = lab();
        command.arg("run").args(files).arg("--out").arg(self.out());
        command
    }
}

fn lab() -> Command {
    Command::new(env!("CARGO_BIN_EXE_fps-lab"))
}

/// Runs a command to its end, which is to be this exit code; gives what it wrote.
#[track_caller]
fn expect(code: i32, command: Command) -> String {
    Process::start(command).finish(PATIENCE).expect_exit(code)
}

#[test]
fn a_scenario_that_holds_ends_with_0() {
    let place = Place::new();
    let text = [texts::PAIR, REACHED, CABLE_OUT].concat();
    let file = place.write("good", &text);
    let said = expect(0, place.run(&[&file]));
    assert_says(
        &said,
        &["scenarios: 1 passed, 0 failed; sabotages: 1 bit, 0 did not"],
    );
    for report in ["good/play/report.json", "good/sabotage-1/report.json"] {
        assert!(place.out().join(report).is_file(), "no {report}\n{said}");
    }
}

#[test]
fn an_expectation_that_fails_ends_with_1_and_shows_where_the_packet_went() {
    let place = Place::new();
    let web = r#"
[net.internet]
v4 = "203.0.113.0/24"
[host.router]
forward = true
link.lan = { net = "home", ip = "192.168.188.1" }
link.wan = { net = "internet", ip = "203.0.113.1" }
[host.web]
link.eth0 = { net = "internet", ip = "203.0.113.80" }
[[step]]
do = { route = { on = "laptop", to = "0.0.0.0/0", via = "192.168.188.1" } }
expect = [ { reach = { name = "the web", from = "laptop", to = "web", within = "300ms" } } ]
"#;
    // The web has no way back to the laptop.
    let file = place.pair("bad", web);
    let said = expect(1, place.run(&[&file]));
    let hops = ["laptop:eth0", "router:lan", "router:wan", "web:eth0"];
    assert_says(&said, &hops);
    assert_says(
        &said,
        &[
            "FAILED the web",
            "0 were answered, they left by eth0",
            "192.168.188.112 > 203.0.113.80 icmp echo request",
            "scenarios: 0 passed, 1 failed",
        ],
    );
}

#[test]
fn a_sabotage_that_does_not_bite_ends_with_1() {
    let place = Place::new();
    let harmless = r#"
[[sabotage]]
name = "forwarding on a host with one link"
change = { seed = { sysctl = { on = "laptop", key = "net.ipv4.ip_forward", value = 1 } } }
must-fail = ["reach laptop -> printer"]
"#;
    let text = [texts::PAIR, REACHED, harmless].concat();
    let said = expect(1, place.run(&[&place.write("tame", &text)]));
    assert_says(
        &said,
        &[
            "scenarios: 1 passed, 0 failed; sabotages: 0 bit, 1 did not",
            "NO BITE  tame: forwarding on a host with one link: \
             `reach laptop -> printer` held all the same",
        ],
    );
}

#[test]
fn an_act_that_fails_ends_with_1_and_shows_what_it_printed() {
    let place = Place::new();
    let act = r#"
[[step]]
do = { run = { on = "laptop", command = ["sh", "-c", "echo no such thing; exit 7"] } }
"#;
    let said = expect(1, place.run(&[&place.pair("act", act)]));
    assert_says(&said, &["exit code 7", "no such thing"]);
}

/// It would be a folder above the run's, or a file that the run leaves.
#[test]
fn a_file_whose_name_can_be_no_folders_ends_with_2() {
    let place = Place::new();
    let good = place.pair("good", REACHED);
    for name in ["..", ".hidden", "outcome.json"] {
        let file = good.with_file_name(format!("{name}.toml"));
        fs::copy(&good, &file).expect("copied");
        let said = expect(2, place.run(&[&file]));
        let told = format!("a scenario cannot be called `{name}`");
        assert_says(&said, &[told.as_str(), "rename the file"]);
    }
}

#[test]
fn one_invalid_file_ends_with_2_before_anything_is_played() {
    let place = Place::new();
    let good = place.pair("good", REACHED);
    let bad = place.write("bad", "title = \"No hosts\"\n");
    let said = expect(2, place.run(&[&good, &bad]));
    assert_says(
        &said,
        &["bad.toml:1:1", "1 of 2 scenarios cannot be played"],
    );
    assert!(!said.contains("good  "), "something was played\n{said}");
    assert!(!place.out().exists(), "a run folder was made\n{said}");
}

#[test]
fn a_file_that_cannot_be_read_ends_with_2_and_says_why() {
    let place = Place::new();
    let said = expect(2, place.run(&[&place.path().join("nowhere.toml")]));
    assert_says(&said, &["nowhere.toml", "No such file or directory"]);
    assert!(!place.out().exists(), "a run folder was made\n{said}");
}

#[test]
fn a_folder_without_scenarios_ends_with_2() {
    let place = Place::new();
    let said = expect(2, place.run(&[place.path()]));
    assert_says(&said, &["there is no scenario (*.toml) below"]);
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let wrong: [(&[&str], &str); 5] = [
        (&[], "Usage: fps-lab <COMMAND>"),
        (&["run"], "<FILE|DIR>..."),
        (&["play", "x.toml"], "unrecognized subcommand 'play'"),
        (&["run", "x.toml", "--jobs", "0"], "'--jobs <N>'"),
        (&["run", "x.toml", "--fast"], "unexpected argument '--fast'"),
    ];
    for (arguments, sign) in wrong {
        let mut command = lab();
        command.args(arguments);
        assert_says(&expect(2, command), &[sign]);
    }
}

#[test]
fn a_program_that_is_missing_ends_with_3_and_says_what_to_install() {
    let place = Place::new();
    let needs = "needs = [\"no-such-program\"]\n";
    let text = [texts::NO_SABOTAGE, needs, texts::PAIR, REACHED].concat();
    let said = expect(3, place.run(&[&place.write("needy", &text)]));
    assert_says(&said, &["no `no-such-program`", "install the package"]);
}

#[test]
fn a_program_that_may_be_missing_skips_its_scenario_and_never_passes_it() {
    let place = Place::new();
    let needs = "needs = [\"no-such-program\"]\n";
    let needy = [texts::NO_SABOTAGE, needs, texts::PAIR, REACHED].concat();
    let (needy, good) = (place.write("needy", &needy), place.pair("good", REACHED));
    let mut both = place.run(&[&needy, &good]);
    both.args(["--may-lack", "no-such-program"]);
    let said = expect(0, both);
    let skipped = "SKIPPED  this machine has no `no-such-program`";
    assert_says(&said, &[skipped, "1 passed, 0 failed, 1 SKIPPED"]);
    let mut alone = place.run(&[&needy]);
    alone.args(["--may-lack", "no-such-program"]);
    assert_says(&expect(3, alone), &[skipped, "nothing was played"]);
    // Another program's absence is as bad as ever.
    let mut other = place.run(&[&needy]);
    other.args(["--may-lack", "another-program"]);
    assert_says(
        &expect(3, other),
        &["no `no-such-program`", "install the package"],
    );
}

#[test]
fn a_second_run_into_the_same_folder_ends_with_3_and_says_what_to_do() {
    let place = Place::new();
    let waits = place.pair("waits", WAITS);
    let mut first = Process::start(place.run(&[&waits]));
    first.await_line("step     step 1", PATIENCE);
    let said = expect(3, place.run(&[&place.pair("good", REACHED)]));
    assert_says(&said, &["another run writes to", "--out"]);
    signal(&first, Signal::SIGTERM);
    first.finish(PATIENCE).expect_exit(130);
    // The folder is free again.
    expect(0, place.run(&[&place.pair("good", REACHED)]));
}

#[test]
fn ctrl_c_ends_with_130_and_leaves_no_process() {
    let place = Place::new();
    // Known by its path, whatever else runs on this machine.
    let program = place.path().join("fps-lab-under-test");
    copy_program(env!("CARGO_BIN_EXE_fps-lab").as_ref(), &program);
    let shell = place.path().join("shell-under-test");
    copy_program("/bin/bash".as_ref(), &shell);
    let command = format!("{shell:?}, \"-c\", \"sleep 60 & wait\"");
    let file = place.pair("waits", &WAITS.replace("\"sleep\", \"60\"", &command));
    let mut command = Command::new(&program);
    command.arg("run").arg(file).arg("--out").arg(place.out());
    let mut run = Process::start(command);
    run.await_line("step     step 1", PATIENCE);
    let of_this_test = || ProcessTable::read().with_program_below(place.path());
    let runs = || {
        of_this_test()
            .iter()
            .any(|it| it.contains("shell-under-test"))
    };
    common::wait::await_that(PATIENCE, "the shell runs", runs);
    signal(&run, Signal::SIGINT);
    let said = run.finish(PATIENCE).expect_exit(130);
    assert_says(&said, &["interrupted: every lab is torn down"]);
    assert_eq!(of_this_test(), Vec::<String>::new(), "left behind\n{said}");
}

#[test]
fn a_client_that_is_none_fails_the_play_with_its_last_words() {
    let place = Place::new();
    let tunnel = "[tunnel]\nclient = \"laptop\"\nserver = \"printer\"\n";
    let file = place.pair("foreign", &[tunnel, REACHED].concat());
    let mut command = place.run(&[&file]);
    command.args(["--client-bin", "/bin/bash"]);
    let said = expect(1, command);
    assert_says(
        &said,
        &[
            "client on laptop ended before it was ready: exit code 2",
            "| Shell options:",
        ],
    );
    // With our own the same file passes, so that it was the client's doing.
    expect(0, place.run(&[&file]));
}

#[test]
fn a_client_that_is_not_there_ends_with_3_and_is_named() {
    let place = Place::new();
    let mut command = place.run(&[&place.pair("good", REACHED)]);
    command.args(["--client-bin", "/no/such/client"]);
    assert_says(&expect(3, command), &["/no/such/client", "No such file"]);
}

#[test]
fn check_validates_and_plays_nothing() {
    let place = Place::new();
    let (good, bad) = (
        place.pair("good", OUT_OF_REACH),
        place.write("bad", "title = 1\n"),
    );
    let check = |file: &Path| {
        let mut command = lab();
        command.arg("check").arg(file).current_dir(place.path());
        command
    };
    let said = expect(0, check(&good));
    assert_says(&said, &["good.toml: valid; steps: 1, sabotages: 0"]);
    let said = expect(2, check(&bad));
    assert_says(
        &said,
        &["bad.toml:1:9", "1 of 1 scenarios cannot be played"],
    );
    let left: Vec<_> = fs::read_dir(place.path())
        .expect("the place is there")
        .collect();
    assert_eq!(left.len(), 2, "more than the two files: {left:?}");
}

#[test]
fn under_another_name_it_is_that_program() {
    let place = Place::new();
    let called = |name: &str, arguments: &[&str]| {
        let link = place.path().join(name);
        symlink(env!("CARGO_BIN_EXE_fps-lab"), &link).expect("a symbolic link");
        let mut command = Command::new(link);
        command.args(arguments);
        command
    };
    let plan = [
        "plan",
        "--tun",
        "fpsc0",
        "--tun-address",
        "10.66.0.2/30",
        "--route",
        "10.66.1.0/24",
        "--no-dns",
    ];
    let said = expect(0, called("fps-route", &plan));
    assert_says(&said, &["fpsc0", "10.66.0.2/30", "10.66.1.0/24"]);
    for program in ["fps_client", "fps_server", "fps_carrier"] {
        let said = expect(0, called(program, &["--help"]));
        assert_says(&said, &["Usage:", program]);
        assert!(!said.contains("Usage: fps-lab"), "{said}");
    }
    let said = expect(2, called("fps-lab-sandbox", &[]));
    assert_says(&said, &["is started by fps-lab, not by hand"]);
}

/// Sends a signal to a program that has not been waited for.
fn signal(process: &Process, signal: Signal) {
    kill(process.pid, signal).expect("it runs");
}

/// A scenario that holds, with a sabotage that bites and one that does not.
const SABOTAGED: &str = r#"
[[step]]
name = "listen"
do = { run = { on = "laptop", command = ["true"] } }
expect = [ { reach = { from = "laptop", to = "printer", within = "200ms" } } ]

[[sabotage]]
name = "the printer is off"
change = { seed = { link = { on = "printer", link = "eth0", state = "down" } } }
must-fail = ["reach laptop -> printer"]

[[sabotage]]
name = "a wish"
change = { alter = { step = "listen", do = { run = { command = ["false"], exit = 1 } } } }
must-fail = ["reach laptop -> printer"]
"#;

#[test]
fn tells_which_expectation_caught_each_sabotage() {
    let place = Place::new();
    let file = place.write("sabotaged", &[texts::PAIR, SABOTAGED].concat());
    let only = |more: &[&str]| {
        let mut command = place.run(&[&file]);
        command.args(["--sabotage", "only"]).args(more);
        expect(1, command)
    };
    assert_says(
        &only(&[]),
        &[
            "sabotaged: the printer is off",
            "caught by reach laptop -> printer: expected answers",
            "sabotaged: a wish",
            "NO BITE `reach laptop -> printer` held all the same",
        ],
    );
    let said = only(&["--json"]);
    let data: serde_json::Value = serde_json::from_str(&said).expect("JSON and nothing else");
    let caught = &data[0]["caught-by"][0];
    assert_eq!(caught["expectation"], "reach laptop -> printer");
    assert_eq!(data[0]["no-bite"], serde_json::Value::Null);
    assert_eq!(data[1]["caught-by"], serde_json::json!([]));
}

#[test]
fn stops_at_the_first_failure_where_it_is_told_to() {
    let place = Place::new();
    let files = [
        place.pair("fails", OUT_OF_REACH),
        place.pair("holds", REACHED),
    ];
    let said = |more: &[&str]| {
        let mut command = place.run(&[&files[0], &files[1]]);
        command.args(["--jobs", "1"]).args(more);
        expect(1, command)
    };
    let held = "ok     reach laptop -> printer";
    assert_says(&said(&[]), &[held]);
    assert!(!said(&["--fail-fast"]).contains(held));
}

#[test]
fn a_closed_pipe_does_not_change_the_exit_code() {
    let place = Place::new();
    let typo = place.pair("typo", &REACHED.replace("expect", "expct"));
    for (file, code) in [(typo, "2"), (place.pair("holds", REACHED), "0")] {
        let mut shell = Command::new("bash");
        shell
            .arg("-c")
            .arg(r#"exec 3> >(:); wait "$!"; "$@" >&3 2>&3; echo "exit $?""#);
        shell
            .arg("bash")
            .arg(env!("CARGO_BIN_EXE_fps-lab"))
            .arg("run")
            .arg(file);
        shell.arg("--out").arg(place.out());
        assert_says(&expect(0, shell), &[&format!("exit {code}")]);
    }
}

/// What is there of a text that was cut short would pass for the whole.
#[test]
fn a_text_that_cannot_be_printed_whole_ends_with_3() {
    for command in [
        &["schema"][..],
        &["collect"],
        &["man"],
        &["completions", "bash"],
        &["new"],
    ] {
        let print = |to| {
            let mut print = Command::new(env!("CARGO_BIN_EXE_fps-lab"));
            print.args(command).stdout(to);
            print.output().expect("it starts")
        };
        // The control: it can be printed.
        assert!(print(Stdio::null()).status.success(), "{command:?}");
        let full = fs::OpenOptions::new().write(true).open("/dev/full");
        let output = print(full.expect("it takes nothing").into());
        assert_eq!(output.status.code(), Some(3), "{command:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_says(&said, &["fps-lab: print the ", "No space left on device"]);
    }
}
