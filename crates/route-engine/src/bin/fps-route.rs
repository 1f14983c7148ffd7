//! `fps-route`, the route engine's command.

use std::process::ExitCode;

fn main() -> ExitCode {
    fps_route::cli::main(std::env::args_os())
}
