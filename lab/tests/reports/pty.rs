//! A terminal that a test looks at.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::process::{Command, Stdio};

use nix::libc::EIO;
use nix::pty::{Winsize, openpty};

/// Runs a command on a terminal of its own; gives all that it wrote there, control sequences included, and
/// its exit code.
pub(crate) fn on_terminal(mut command: Command) -> (String, Option<i32>) {
    let size = Winsize {
        ws_row: 40,
        ws_col: 120,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let pair = openpty(&size, None).expect("a pseudo terminal");
    let slave = |what: &str| -> Stdio { pair.slave.try_clone().expect(what).into() };
    command
        .stdin(Stdio::null())
        .stdout(slave("stdout"))
        .stderr(slave("stderr"));
    let mut child = command.spawn().expect("start it on the terminal");
    // Who holds the other end open would wait for ever.
    drop(command);
    drop(pair.slave);
    let mut master = File::from(pair.master);
    let (mut said, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match master.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => said.extend_from_slice(&buffer[..length]),
            // All have closed it (pty(7)).
            Err(error) if error.raw_os_error() == Some(EIO) => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => panic!("read the terminal: {error}"),
        }
    }
    let status = child.wait().expect("it is our child");
    (String::from_utf8_lossy(&said).into_owned(), status.code())
}
