//! The client's end of the tunnel: see `fps::client`.

fn main() -> std::process::ExitCode {
    fps::client::main(std::env::args_os())
}
