//! The command, run to its end.

use std::process::{Command, Output};

pub(crate) fn fps_route(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fps-route"))
        .args(arguments)
        .output()
        .expect("run fps-route")
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// Splits a command line at its spaces.
pub(crate) fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}
