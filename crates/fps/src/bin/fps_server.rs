//! The server's end of the tunnel: see `fps::server`.

fn main() -> std::process::ExitCode {
    fps::server::main(std::env::args_os())
}
