//! The systemd unit calls the command as it is.

#[path = "support/command.rs"]
mod command;

use std::process::{Command, Output};

use command::{fps_route, text, words};
use fps_netns::testing::with_namespaces;

const UNIT: &str = include_str!("../systemd/fps-route@.service");

/// No device of this machine.
const TUN: &str = "fps-no-device";

/// What the unit says of a setting.
fn setting(name: &str) -> &'static str {
    let line = UNIT.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("the unit has no {name}"))
}

/// The command line of a setting, without its path, for our device and with these options.
fn call(name: &str, options: &str) -> String {
    let line = setting(name);
    let (path, arguments) = line.split_once(' ').expect("it has arguments");
    assert!(path.ends_with("/fps-route"), "{path}");
    arguments
        .replace("%i", TUN)
        .replace("$FPS_ROUTE_OPTIONS", options)
}

#[test]
fn the_watch_is_one_that_fps_route_understands() {
    with_namespaces("the_watch_is_one_that_fps_route_understands", async || {
        let folder = tempfile::tempdir().expect("a folder");
        let options = format!(
            "--tun-address 10.66.0.2/30 --no-dns --state-dir {}",
            folder.path().display()
        );
        let output = fps_route(&words(&call("ExecStart=", &options)));
        // It gets as far as to look for the device.
        let sign = format!("there is no interface `{TUN}` in this network namespace");
        let said = text(&output.stderr);
        assert!(said.contains(&sign), "{said}");
    });
}

/// What systemd runs after the watch has ended, with another program in the place of `fps-route`.
fn stop_post(result: &str, program: &str) -> Output {
    let line = setting("ExecStopPost=-");
    let line = line.replace("$$", "$").replace("%i", TUN);
    let line = line.replace("/usr/local/bin/fps-route cleanup", program);
    let mut shell = Command::new("sh");
    shell.args(["-c", &line]);
    shell.env("SERVICE_RESULT", result);
    shell.output().expect("there is a shell")
}

/// What a killed watch leaves keeps the tunnel closed until systemd has started it again
/// (systemd.exec(5), $SERVICE_RESULT).
#[test]
fn only_what_nobody_takes_over_is_cleaned_up() {
    for (result, cleans) in [
        ("success", true),
        ("timeout", true),
        ("exit-code", true),
        ("signal", false),
        ("core-dump", false),
        ("oom-kill", false),
        ("watchdog", false),
    ] {
        let output = stop_post(result, "echo cleans up");
        let wanted = if cleans {
            format!("cleans up --tun {TUN}\n")
        } else {
            String::new()
        };
        assert_eq!(text(&output.stdout), wanted, "{result}");
        assert_eq!(output.status.code(), Some(0), "{result}");
    }
}

#[test]
fn the_cleanup_is_one_that_fps_route_understands() {
    let program = format!("{} cleanup --dry-run", env!("CARGO_BIN_EXE_fps-route"));
    let output = stop_post("success", &program);
    let header = format!("# fps_linux_route action=cleanup tun={TUN} execute=false\n");
    let said = text(&output.stdout);
    assert!(said.starts_with(&header), "{said}{}", text(&output.stderr));
    assert_eq!(output.status.code(), Some(0));
}
