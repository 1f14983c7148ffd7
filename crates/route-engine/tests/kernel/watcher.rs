//! `fps-route watch`, running.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::host::{BUS, Host, NO_BUS, own_resolvers};

/// The longest that something may take on a busy machine.
const DEADLINE: Duration = Duration::from_secs(20);

/// One that runs, and ends with this.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Its standard output, of which nothing is read yet.
    pub(crate) fn output(&self) -> &ChildStdout {
        self.0.stdout.as_ref().unwrap()
    }
}

pub(crate) struct Watcher {
    child: Running,
    lines: Receiver<String>,
}

impl Watcher {
    /// Starts it, and waits until it is ready.
    pub(crate) fn start(host: &Host, line: &str) -> Self {
        Self::start_with(host, line, |command| command)
    }

    /// The same with something more about the command.
    pub(crate) fn start_with(
        host: &Host,
        line: &str,
        more: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Self {
        let watcher = Self::read(Self::spawn(host, line, more));
        watcher.wait_for("ready");
        watcher
    }

    /// Starts it, and reads nothing of what it says.
    pub(crate) fn spawn(
        host: &Host,
        line: &str,
        more: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fps-route"));
        command.arg("watch").args(line.split(' '));
        command.env("FPS_ROUTE_STATE_DIR", host.records.path());
        command.env(BUS, NO_BUS);
        own_resolvers(&mut command, host.records.path());
        command.stdout(Stdio::piped());
        more(&mut command);
        let child = host.namespace.within(|| command.spawn()).unwrap();
        Running(child.expect("run fps-route"))
    }

    /// Reads what one says that was started.
    pub(crate) fn read(mut child: Running) -> Self {
        let output = BufReader::new(child.0.stdout.take().unwrap());
        let (tell, lines) = channel();
        // Ends with the output.
        std::thread::spawn(move || {
            for line in output.lines() {
                let told = line.is_ok_and(|line| tell.send(line).is_ok());
                if !told {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    /// Waits for an event of this name, and returns what it says.
    pub(crate) fn wait_for(&self, event: &str) -> Value {
        self.wait_for_one(event, |said| said["event"] == event)
    }

    /// Waits for an event that is of a kind.
    pub(crate) fn wait_for_one(&self, kind: &str, is: impl Fn(&Value) -> bool) -> Value {
        let mut seen = Vec::new();
        loop {
            let line = self.lines.recv_timeout(DEADLINE);
            let line = line.unwrap_or_else(|_| panic!("no {kind} among {seen:#?}"));
            let value: Value = serde_json::from_str(&line).expect(&line);
            assert!(
                value["time"].is_string() && value["tun"].is_string(),
                "{line}"
            );
            if is(&value) {
                return value;
            }
            seen.push(line);
        }
    }

    /// Waits until something holds. Each change is told once it is made, so that it is enough to look
    /// after each line.
    pub(crate) async fn until(&self, mut holds: impl AsyncFnMut() -> bool) {
        let mut seen = Vec::new();
        while !holds().await {
            let line = self.lines.recv_timeout(DEADLINE);
            seen.push(line.unwrap_or_else(|_| panic!("it does not come true: {seen:#?}")));
        }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.0.id()).unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Ends it, and returns how.
    pub(crate) fn end(&mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.child.0.wait().unwrap()
    }
}

/// What an event carried out.
pub(crate) fn commands(event: &Value) -> Vec<&str> {
    let commands = event["commands"].as_array().unwrap();
    commands
        .iter()
        .map(|command| command.as_str().unwrap())
        .collect()
}
