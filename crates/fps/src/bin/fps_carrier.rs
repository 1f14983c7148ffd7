//! The application whose connections carry the tunnel: see `fps::carrier`.

fn main() -> std::process::ExitCode {
    fps::carrier::main(std::env::args_os())
}
