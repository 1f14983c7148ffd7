//! The systemd unit calls the command as it is.

#[path = "support/command.rs"]
mod command;

use command::{fps_route, text, words};
use fps_netns::testing::with_namespaces;

const UNIT: &str = include_str!("../systemd/fps-route@.service");

/// No device of this machine.
const TUN: &str = "fps-no-device";

/// The command line of a setting, without its path, for our device and with these options.
fn call(setting: &str, options: &str) -> String {
    let line = UNIT.lines().find_map(|line| line.strip_prefix(setting));
    let line = line.unwrap_or_else(|| panic!("the unit has no {setting}"));
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

#[test]
fn the_cleanup_is_one_that_fps_route_understands() {
    let line = format!("{} --dry-run", call("ExecStopPost=-", ""));
    let output = fps_route(&words(&line));
    let header = format!("# fps_linux_route action=cleanup tun={TUN} execute=false\n");
    let said = text(&output.stdout);
    assert!(said.starts_with(&header), "{said}{}", text(&output.stderr));
    assert_eq!(output.status.code(), Some(0));
}
