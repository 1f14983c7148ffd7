//! The programs as children of a test, and what they say.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// No test waits longer for anything.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);
pub(crate) const UUID: &str = "3f2b8c1d-9a4e-4f6b-8c2d-1e5f7a9b3c4d";
pub(crate) const STRANGER: &str = "aaaaaaaa-9a4e-4f6b-8c2d-1e5f7a9b3c4d";

/// A server's keys, which open nothing but these tests.
pub(crate) const PRIVATE_KEY: &str = "iGa3FJg63dWRIzBWsrUS5tuT7I4982Ge1RpBiiNxtGE=";
pub(crate) const PUBLIC_KEY: &str = "5ZR1mDPjV25ZTk14oyjJD+ybvVW1MunST9OHzB2nkkM=";

/// A running program; killed by its own pid when dropped.
pub(crate) struct Program {
    name: &'static str,
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Program {
    pub(crate) fn start(name: &'static str, command: &mut Command) -> Self {
        let command = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (sender, lines) = mpsc::channel();
        let stdout: Box<dyn Read + Send> = Box::new(child.stdout.take().expect("piped"));
        let stderr: Box<dyn Read + Send> = Box::new(child.stderr.take().expect("piped"));
        for stream in [stdout, stderr] {
            let sender = sender.clone();
            thread::spawn(move || {
                let lines = BufReader::new(stream).lines().map_while(Result::ok);
                lines.for_each(|line| drop(sender.send(line)));
            });
        }
        Self {
            name,
            child,
            lines,
            seen: Vec::new(),
        }
    }

    /// Waits for a line that holds all of these.
    pub(crate) fn wait_for(&mut self, parts: &[&str]) -> String {
        self.wait_longer_for(parts, DEADLINE)
    }

    /// The same, for what takes its time.
    pub(crate) fn wait_longer_for(&mut self, parts: &[&str], time: Duration) -> String {
        let deadline = Instant::now() + time;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!(
                    "{}: no line with {parts:?}; it said:\n{}",
                    self.name,
                    self.seen.join("\n")
                );
            };
            self.seen.push(line.clone());
            if parts.iter().all(|part| line.contains(part)) {
                return line;
            }
        }
    }

    /// Everything that it has said up to now.
    pub(crate) fn said(&mut self) -> String {
        self.seen.extend(self.lines.try_iter());
        self.seen.join("\n")
    }

    /// Checks that it has said all of these.
    pub(crate) fn said_all(&mut self, parts: &[&str]) {
        let said = self.said();
        for part in parts {
            assert!(said.contains(part), "{}: no {part} in:\n{said}", self.name);
        }
    }

    /// Listens to it for so long.
    pub(crate) fn watch(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Ok(line) = self
            .lines
            .recv_timeout(end.saturating_duration_since(Instant::now()))
        {
            self.seen.push(line);
        }
    }

    /// Its number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How much memory it has, in KiB (proc_pid_status(5)).
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("our own child");
        let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
        let number = line.and_then(|it| it.split_whitespace().next());
        let number = number.unwrap_or_else(|| panic!("{} has ended", self.name));
        number.parse().expect("a number")
    }

    /// How many files and sockets it has open.
    pub(crate) fn open_files(&self) -> usize {
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.child.id()));
        files.expect("our own child").count()
    }

    /// How much CPU time it has had, in ticks of 10 ms (proc_pid_stat(5), fields 14 and 15).
    pub(crate) fn cpu_ticks(&self) -> u64 {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(path).expect("our own child");
        let (_, fields) = stat.rsplit_once(") ").expect("the name stands in brackets");
        let numbers = fields.split(' ').skip(11).take(2);
        numbers
            .map(|number| number.parse::<u64>().expect("a number"))
            .sum()
    }

    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = i32::try_from(self.child.id()).expect("a pid");
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal).expect("our own child");
    }

    /// Waits for its end; both its streams end with it.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.seen.push(line),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    panic!(
                        "{} does not end; it said:\n{}",
                        self.name,
                        self.seen.join("\n")
                    )
                }
            }
        }
        self.child.wait().expect("our own child")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a line says that the program listens.
pub(crate) fn address(line: &str) -> String {
    let (_, rest) = line
        .split_once("addr=")
        .unwrap_or_else(|| panic!("no addr= in {line}"));
    rest.split(' ').next().unwrap_or(rest).to_owned()
}

/// A folder with the files of one test.
pub(crate) struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder in the temporary directory"),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("the folder is ours");
        // A configuration with an identity in it has to be its owner's alone.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, mode).expect("the file is ours");
        path
    }
}

/// `tun` is the name of a TUN to open, if there shall be one.
pub(crate) fn server_config(origin: &str, tun: Option<&str>) -> String {
    format!(
        r#"{{"network": {{"listen": "127.0.0.1:0", "origin": "{origin}"}},
        "security": {{"zero_rtt": {{"enabled": true, "profile_id": "test",
            "server_private_key_base64": "{PRIVATE_KEY}",
            "server_public_key_base64": "{PUBLIC_KEY}",
            "allowed_client_uuids": ["{UUID}"]}}}}, {} "ops": {{"status_socket": "server.status"}},
        "logging": {{"level": "debug"}}}}"#,
        tun_config(tun)
    )
}

pub(crate) fn client_config(server: &str, uuid: &str, tun: Option<&str>) -> String {
    format!(
        r#"{{"network": {{"listen": "127.0.0.1:0", "server": "{server}"}},
        "security": {{"zero_rtt": {{"enabled": true, "profile_id": "test",
            "server_public_key_base64": "{PUBLIC_KEY}",
            "client_uuid": "{uuid}", "client_upgrade_delay_ms": 0}}}},
        {} "ops": {{"status_socket": "client.status"}}, "logging": {{"level": "debug"}}}}"#,
        tun_config(tun)
    )
}

fn tun_config(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| {
        format!(r#""tun": {{"enabled": true, "name": "{name}"}},"#)
    })
}

pub(crate) fn start_server(config: &Path) -> (Program, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fps_server"));
    let mut server = Program::start("fps_server", command.arg("--config").arg(config));
    let address = address(&server.wait_for(&["event=listening"]));
    (server, address)
}

pub(crate) fn start_client(config: &Path) -> (Program, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fps_client"));
    let mut client = Program::start("fps_client", command.arg("--config").arg(config));
    let address = address(&client.wait_for(&["event=listening"]));
    (client, address)
}

pub(crate) fn start_origin(files: &Files) -> (Program, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fps_carrier"));
    command.args([
        "origin",
        "--listen",
        "127.0.0.1:0",
        "--self-signed",
        "--cert-out",
    ]);
    let mut origin = Program::start("origin", command.arg(files.path("ca.pem")));
    let ready = origin.wait_for(&["READY origin "]);
    let address = ready.trim_start_matches("READY origin ").to_owned();
    (origin, address)
}

pub(crate) fn start_carrier(files: &Files, connect: &str) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fps_carrier"));
    command.args(["client", "--url", "wss://carrier.example.net/fps-carrier"]);
    command.args([
        "--connect",
        connect,
        "--frames-per-second",
        "50",
        "--reconnect-min-ms",
        "0",
    ]);
    Program::start(
        "carrier",
        command.arg("--ca-file").arg(files.path("ca.pem")),
    )
}

/// All four programs on loopback.
pub(crate) struct Chain {
    pub(crate) files: Files,
    pub(crate) origin: Program,
    pub(crate) server: Program,
    pub(crate) client: Program,
    pub(crate) carrier: Program,
    pub(crate) server_address: String,
    pub(crate) client_address: String,
}

impl Chain {
    pub(crate) fn start(uuid: &str, tuns: Option<(&str, &str)>) -> Self {
        let files = Files::new();
        let (origin, origin_address) = start_origin(&files);
        let server_config = server_config(&origin_address, tuns.map(|(_, server)| server));
        let (server, server_address) = start_server(&files.write("server.json", &server_config));
        let client_config = client_config(&server_address, uuid, tuns.map(|(client, _)| client));
        let (client, client_address) = start_client(&files.write("client.json", &client_config));
        let carrier = start_carrier(&files, &client_address);
        Self {
            files,
            origin,
            server,
            client,
            carrier,
            server_address,
            client_address,
        }
    }

    pub(crate) fn wait_registered(&mut self) {
        self.client.wait_for(&["event=carrier_registered"]);
        self.server.wait_for(&["event=carrier_registered"]);
    }
}
