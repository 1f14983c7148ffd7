//! One file that is several programs: `fps-lab`, called under another name, is that program.
//!
//! This is the only place that knows the programs as code. The lab starts them by name and talks
//! to them only through their command lines, files and sockets, so that a foreign build can take
//! their place.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use crate::{cli, sandbox};

/// The names under which an `fps-lab` program is another, beside the sandbox's helper and janitor.
pub const PROGRAMS: [&str; 5] = [
    "fps_client",
    "fps_server",
    "fps_carrier",
    "fps-route",
    "fps-dns",
];

/// The command lines of `fps-lab` and of all these programs.
pub fn commands() -> Vec<clap::Command> {
    vec![
        cli::command(),
        fps::client::command(),
        fps::server::command(),
        fps::carrier::command(),
        fps_route::cli::command(),
        fps_dns::cli::command(),
    ]
}

/// Does what the name in `arguments[0]` says; `fps-lab` under any other.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let name = arguments
        .first()
        .map(|path| Path::new(path).file_name().unwrap_or_default());
    match name.and_then(|name| name.to_str()) {
        Some(sandbox::helper::HELPER_NAME) => sandbox::helper::main(),
        Some(sandbox::janitor::JANITOR_NAME) => sandbox::janitor::main(),
        Some("fps_client") => fps::client::main(arguments),
        Some("fps_server") => fps::server::main(arguments),
        Some("fps_carrier") => fps::carrier::main(arguments),
        Some("fps-route") => fps_route::cli::main(arguments),
        Some("fps-dns") => fps_dns::cli::main(arguments),
        _ => cli::main(arguments),
    }
}
