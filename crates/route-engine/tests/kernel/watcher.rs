//! `fps-route watch`, running.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::host::Host;

/// The longest that something may take on a busy machine.
const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct Watcher {
    child: Child,
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
        let mut command = Command::new(env!("CARGO_BIN_EXE_fps-route"));
        command.arg("watch").args(line.split(' '));
        command.env("FPS_ROUTE_STATE_DIR", host.records.path());
        command.stdout(Stdio::piped());
        more(&mut command);
        let child = host.namespace.within(|| command.spawn()).unwrap();
        let mut child = child.expect("run fps-route");
        let output = BufReader::new(child.stdout.take().unwrap());
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
        let watcher = Self { child, lines };
        watcher.wait_for("ready");
        watcher
    }

    /// Waits for an event of this name, and returns what it says.
    pub(crate) fn wait_for(&self, event: &str) -> Value {
        let mut seen = Vec::new();
        loop {
            let line = self.lines.recv_timeout(DEADLINE);
            let line = line.unwrap_or_else(|_| panic!("no {event} among {seen:#?}"));
            let value: Value = serde_json::from_str(&line).expect(&line);
            assert!(
                value["time"].is_string() && value["tun"].is_string(),
                "{line}"
            );
            if value["event"] == event {
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
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Ends it, and returns how.
    pub(crate) fn end(&mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.child.wait().unwrap()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
