//! `fps-dns`, the forwarder by domains.

use std::process::ExitCode;

fn main() -> ExitCode {
    fps_dns::cli::main(std::env::args_os())
}
