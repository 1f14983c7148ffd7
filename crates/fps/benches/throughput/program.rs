//! A program, and what it says.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use fps_netns::Namespace;

use crate::hosts::Kill;

/// How long anything is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A program of the tunnel, and what it says.
pub(crate) struct Program {
    _child: Kill,
    lines: Receiver<String>,
}

impl Program {
    pub(crate) fn start(namespace: &Namespace, program: &str, line: &str) -> Self {
        let mut command = Command::new(program);
        command
            .args(line.split(' '))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = namespace.within(|| command.spawn());
        let mut child = child.expect("enter").expect("run a program");
        let (tell, lines) = channel();
        let outputs: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().expect("piped")),
            Box::new(child.stderr.take().expect("piped")),
        ];
        for output in outputs {
            let tell = tell.clone();
            std::thread::spawn(move || {
                let lines = BufReader::new(output).lines().map_while(Result::ok);
                // Nobody may be there to read them any more.
                lines.for_each(|line| drop(tell.send(line)));
            });
        }
        let _child = Kill(child);
        Self { _child, lines }
    }

    pub(crate) fn wait_for(&self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        let mut said = String::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("no {text}, but: {said}");
            };
            if line.contains(text) {
                return;
            }
            said += &line;
            said.push('\n');
        }
    }
}
