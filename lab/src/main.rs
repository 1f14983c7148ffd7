//! `fps-lab`, and every program that it brings along.

use std::process::ExitCode;

fn main() -> ExitCode {
    fps_lab::multicall::main(std::env::args_os())
}
