//! The systemd units call the programs as they are, and the programs tell systemd how they are.

use std::os::unix::net::UnixDatagram;
use std::process::Command;

use nix::sys::signal::Signal;

use crate::programs::{Files, Program, UUID, client_config, server_config};

#[test]
fn the_units_call_what_there_is_and_the_programs_say_when_they_are_ready() {
    for (unit, program, config) in [
        (
            include_str!("../../systemd/fps-client@.service"),
            env!("CARGO_BIN_EXE_fps_client"),
            client_config("127.0.0.1:9", UUID, None),
        ),
        (
            include_str!("../../systemd/fps-server@.service"),
            env!("CARGO_BIN_EXE_fps_server"),
            server_config("127.0.0.1:9", None),
        ),
    ] {
        let line = unit
            .lines()
            .find_map(|line| line.strip_prefix("ExecStart="));
        let (path, arguments) = line
            .and_then(|line| line.split_once(' '))
            .expect("a command");
        assert!(
            program.ends_with(path.rsplit('/').next().expect("a name")),
            "{path}"
        );
        let files = Files::new();
        files.write("config.json", &config);
        let folder = files.path(".").display().to_string();
        let arguments = arguments.replace("${CREDENTIALS_DIRECTORY}", &folder);
        let socket = UnixDatagram::bind(files.path("notify")).expect("the folder is ours");
        let mut command = Command::new(program);
        command.args(arguments.split(' '));
        command.env("NOTIFY_SOCKET", files.path("notify"));
        let mut program = Program::start("fps", &mut command);
        let told = || {
            let mut buffer = [0; 256];
            let length = socket.recv(&mut buffer).expect("told");
            String::from_utf8_lossy(&buffer[..length]).trim().to_owned()
        };
        assert_eq!(told(), "READY=1");
        program.signal(Signal::SIGHUP);
        program.wait_for(&["event=reset"]);
        program.signal(Signal::SIGTERM);
        assert_eq!(told(), "STOPPING=1");
        assert_eq!(program.wait().code(), Some(0), "{}", program.said());
    }
}
