//! A program at a terminal, and who sits in front of it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;
use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::termios::{LocalFlags, tcgetattr};
use nix::unistd::setsid;

/// A terminal with a program at it.
pub(crate) struct Terminal {
    pub(super) keys: File,
    program_end: OwnedFd,
    shown: Receiver<Vec<u8>>,
    screen: String,
    pub(crate) child: Child,
}

impl Terminal {
    /// Starts a program that leads a session of this terminal, of 24 lines and 80 columns.
    pub(crate) fn start(mut command: Command) -> Self {
        let OpenptyResult { master, slave } = openpty(Some(&size(24, 80)), None).expect("a pty");
        let end = || Stdio::from(slave.try_clone().expect("copy it"));
        command.stdin(end()).stdout(end()).stderr(end());
        let lead = || {
            setsid()?;
            // SAFETY: stdin is the terminal.
            Errno::result(unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) })?;
            Ok(())
        };
        // SAFETY: the closure makes system calls only.
        unsafe { command.pre_exec(lead) };
        let child = command.spawn().expect("it starts");
        let keys = File::from(master);
        let mut reader = keys.try_clone().expect("copy it");
        let (tell, shown) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                if tell.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            keys,
            program_end: slave,
            shown,
            screen: String::new(),
            child,
        }
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keys
            .write_all(keys.as_bytes())
            .expect("the terminal is there");
    }

    /// Waits until it shows a text, and forgets all up to there.
    #[track_caller]
    pub(crate) fn await_text(&mut self, sign: &str, within: Duration) {
        assert!(
            self.shows(sign, within),
            "no {sign:?} within {within:?} on\n{}",
            self.screen
        );
    }

    /// Whether it shows a text in that time; if so, forgets all up to there.
    pub(crate) fn shows(&mut self, sign: &str, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        loop {
            if let Some(place) = self.screen.find(sign) {
                self.screen.drain(..place + sign.len());
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(bytes) = self.shown.recv_timeout(left) else {
                return false;
            };
            self.screen += &String::from_utf8_lossy(&bytes);
        }
    }

    /// Whether it handles lines, as a terminal does that no program draws on.
    pub(crate) fn handles_lines(&self) -> bool {
        let how = tcgetattr(&self.program_end).expect("it is a terminal");
        how.local_flags
            .contains(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG)
    }
}

impl Drop for Terminal {
    /// Nothing that a failed test has started outlives it.
    fn drop(&mut self) {
        // It may have ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(super) fn size(rows: u16, columns: u16) -> Winsize {
    Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}
