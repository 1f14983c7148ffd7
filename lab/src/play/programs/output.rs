//! What a program prints.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::libc;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::diary::Diary;

/// How long it may take to read what is in a pipe, and how often it is looked whether that is done.
const PATIENCE: Duration = Duration::from_secs(5);
const DRAINED: Duration = Duration::from_millis(1);
/// How many of its last lines an error shows.
const LAST_LINES: usize = 12;

/// What a program prints: into its log, and by lines for those who wait for one.
#[derive(Debug)]
pub(super) struct Output {
    read: Arc<Mutex<Read>>,
    /// Counts the lines, and closes with the output.
    count: watch::Receiver<usize>,
    pump: JoinHandle<()>,
    /// The pipe once more, to ask how much is left in it.
    pipe: Option<OwnedFd>,
}

/// What was read.
#[derive(Debug, Default)]
struct Read {
    lines: Vec<String>,
    /// What has come of a line that has no end yet.
    rest: Vec<u8>,
}

impl Read {
    fn take(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(line.trim_ascii_end());
            self.lines.push(line.into_owned());
        }
    }
}

impl Output {
    pub(super) fn new(pipe: pipe::Receiver, log: File, diary: Diary) -> Self {
        let read = Arc::default();
        let (told, count) = watch::channel(0);
        let copy = pipe.as_fd().try_clone_to_owned().ok();
        let pump = tokio::spawn(pump(pipe, (log, diary), Arc::clone(&read), told));
        Self {
            read,
            count,
            pump,
            pipe: copy,
        }
    }

    /// Waits for a line; false where the output ended without it.
    pub(super) async fn wait_for(&self, sign: &str) -> bool {
        self.line(sign).await.is_some()
    }

    /// Waits for a line, and gives it; none where the output ended without it.
    pub(super) async fn line(&self, sign: &str) -> Option<String> {
        let mut count = self.count.clone();
        loop {
            // Before the look, so that a line which comes meanwhile is a change.
            count.borrow_and_update();
            if let Some(line) = self.find(sign) {
                return Some(line);
            }
            if count.changed().await.is_err() {
                return self.find(sign);
            }
        }
    }

    /// Waits until all has been read; not for a child that keeps the pipe open.
    pub(super) async fn finish(&mut self) {
        let deadline = Instant::now() + Duration::from_millis(200);
        let ended = timeout_at(deadline, async {
            while self.count.changed().await.is_ok() {}
        });
        if ended.await.is_ok() {
            return;
        }
        // What a program wrote before its end is in the pipe by now.
        while !self.is_drained() && Instant::now() < deadline + PATIENCE {
            sleep_until(Instant::now() + DRAINED).await;
        }
    }

    /// The first line that holds a text.
    pub(super) fn find(&self, sign: &str) -> Option<String> {
        let read = self.locked();
        read.lines.iter().find(|line| line.contains(sign)).cloned()
    }

    /// All that was read, the last line even where it is not whole.
    pub(super) fn text(&self) -> String {
        let read = self.locked();
        let lines = read.lines.iter().map(|line| format!("{line}\n"));
        let mut text: String = lines.collect();
        text.push_str(&String::from_utf8_lossy(&read.rest));
        text
    }

    /// All lines from one on.
    pub(super) fn lines_from(&self, first: usize) -> Vec<String> {
        self.locked().lines.iter().skip(first).cloned().collect()
    }

    /// How many lines there are.
    pub(super) fn count(&self) -> usize {
        self.locked().lines.len()
    }

    /// Whether it was read to its end.
    pub(super) fn has_ended(&self) -> bool {
        self.pump.is_finished()
    }

    /// Whether all that has been written so far was read: the pipe is empty (FIONREAD in
    /// ioctl_tty(2), which is for pipes as well), and who reads it has come to wait again.
    pub(super) fn is_drained(&self) -> bool {
        if self.has_ended() {
            return true;
        }
        let Some(pipe) = &self.pipe else {
            return false;
        };
        let mut left: libc::c_int = 0;
        // SAFETY: the descriptor is open, and FIONREAD writes one int.
        let asked = unsafe { libc::ioctl(pipe.as_raw_fd(), libc::FIONREAD, &raw mut left) };
        // The reader takes bytes and their lines in one turn of the runtime, of which there is one
        // thread: so an empty pipe is one whose lines are here.
        asked == 0 && left == 0
    }

    pub(super) fn last_lines(&self) -> Vec<String> {
        let lines = &self.locked().lines;
        lines[lines.len().saturating_sub(LAST_LINES)..].to_vec()
    }

    fn locked(&self) -> MutexGuard<'_, Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

async fn pump(
    mut pipe: pipe::Receiver,
    (mut log, diary): (File, Diary),
    read: Arc<Mutex<Read>>,
    told: watch::Sender<usize>,
) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(length @ 1..) = pipe.read(&mut buffer).await {
        // A full disk costs the log, not the play.
        drop(log.write_all(&buffer[..length]));
        let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
        let before = read.lines.len();
        read.take(&buffer[..length]);
        read.lines[before..]
            .iter()
            .for_each(|line| diary.says(line));
        told.send_replace(read.lines.len());
    }
}
