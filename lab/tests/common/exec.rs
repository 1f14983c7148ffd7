//! Commands in hosts of a held lab.

use std::io::Write;
use std::process::{Output, Stdio};

use super::desk::Desk;

impl Desk {
    /// Runs a command in a host, with something to read; stdout and stderr apart.
    #[track_caller]
    pub(crate) fn exec(&self, host: &str, input: &[u8], command: &[&str]) -> Output {
        let mut exec = self.lab(&[&["exec", host, "--"], command].concat());
        exec.stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = exec.spawn().expect("the program starts");
        let mut stdin = child.stdin.take().expect("piped");
        let input = input.to_vec();
        let writer = std::thread::spawn(move || {
            // A command need not read it all.
            drop(stdin.write_all(&input));
        });
        let output = child.wait_with_output().expect("it ends");
        writer.join().expect("the writer ends");
        output
    }
}
