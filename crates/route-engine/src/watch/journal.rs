//! What happened, one line of JSON each.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, channel, sync_channel};
use std::thread;
use std::time::{Duration, SystemTime};

use fps_netlink::LinkName;
use humantime::format_rfc3339_micros;
use serde_json::{Map, Value, json};

/// How many lines may wait for whoever reads them.
const WAITING: usize = 1024;
/// How long the last lines may take at the end.
const FAREWELL: Duration = Duration::from_secs(1);

/// Writes lines to standard output, from a thread of its own: who reads them may stop reading, and
/// the routes are to be kept all the same. What he does not take in time is counted.
#[derive(Debug)]
pub(super) struct Journal {
    tun: LinkName,
    lines: SyncSender<String>,
    /// How many lines nobody has taken since that was told last.
    lost: Arc<AtomicU64>,
    written: Receiver<()>,
}

impl Journal {
    pub(super) fn of(tun: LinkName) -> Self {
        let (lines, waiting) = sync_channel::<String>(WAITING);
        let (tell, written) = channel::<()>();
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        thread::spawn(move || {
            write_lines(tun, &waiting, &counted);
            // That it is dropped tells as much.
            drop(tell);
        });
        Self {
            tun,
            lines,
            lost,
            written,
        }
    }

    /// One line: the time, what happened, for which device, and more of it; and how many lines there
    /// would have been before it that nobody took.
    pub(super) fn write(&self, event: &str, more: Value) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if self
            .lines
            .try_send(line(self.tun, event, lost, more))
            .is_err()
        {
            self.lost.fetch_add(lost + 1, Ordering::Relaxed);
        }
    }

    /// Waits until all is written, or until nobody seems to read any more.
    pub(super) fn close(self) {
        drop(self.lines);
        // It is either the end of the thread or the end of our patience.
        let _ = self.written.recv_timeout(FAREWELL);
    }
}

/// Writes lines until there will be no more. Once all that waited are written it tells of those that were
/// lost, since nothing may happen for long that would.
fn write_lines(tun: LinkName, waiting: &Receiver<String>, lost: &AtomicU64) {
    let next = || match waiting.try_recv() {
        Err(TryRecvError::Empty) => match lost.swap(0, Ordering::Relaxed) {
            0 => waiting.recv().ok(),
            lost => Some(line(tun, "dropped", lost, Value::Null)),
        },
        line => line.ok(),
    };
    while let Some(line) = next() {
        let mut out = io::stdout().lock();
        // Whoever has closed the other end does not want to hear about it.
        let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    }
}

fn line(tun: LinkName, event: &str, lost: u64, more: Value) -> String {
    let mut line = Map::new();
    let now = format_rfc3339_micros(SystemTime::now()).to_string();
    line.insert("time".to_owned(), json!(now));
    line.insert("event".to_owned(), json!(event));
    line.insert("tun".to_owned(), json!(tun.as_str()));
    if lost > 0 {
        line.insert("dropped".to_owned(), json!(lost));
    }
    if let Value::Object(more) = more {
        line.extend(more);
    }
    Value::Object(line).to_string() + "\n"
}
