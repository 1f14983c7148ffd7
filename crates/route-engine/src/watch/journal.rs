//! What happened, one line of JSON each.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, channel, sync_channel};
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
    dropped: AtomicU64,
    written: Receiver<()>,
}

impl Journal {
    pub(super) fn of(tun: LinkName) -> Self {
        let (lines, waiting) = sync_channel::<String>(WAITING);
        let (tell, written) = channel::<()>();
        thread::spawn(move || {
            for line in waiting {
                let mut out = io::stdout().lock();
                // Whoever has closed the other end does not want to hear about it.
                let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
            }
            // That it is dropped tells as much.
            drop(tell);
        });
        Self {
            tun,
            lines,
            dropped: AtomicU64::new(0),
            written,
        }
    }

    /// One line: the time, what happened, for which device, and more of it; and how many lines there
    /// would have been before it that nobody took.
    pub(super) fn write(&self, event: &str, more: Value) {
        let mut line = Map::new();
        let now = format_rfc3339_micros(SystemTime::now()).to_string();
        line.insert("time".to_owned(), json!(now));
        line.insert("event".to_owned(), json!(event));
        line.insert("tun".to_owned(), json!(self.tun.as_str()));
        let dropped = self.dropped.load(Ordering::Relaxed);
        if dropped > 0 {
            line.insert("dropped".to_owned(), json!(dropped));
        }
        if let Value::Object(more) = more {
            line.extend(more);
        }
        let mut text = Value::Object(line).to_string();
        text.push('\n');
        let dropped = match self.lines.try_send(text) {
            Ok(()) => 0,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => dropped + 1,
        };
        self.dropped.store(dropped, Ordering::Relaxed);
    }

    /// Waits until all is written, or until nobody seems to read any more.
    pub(super) fn close(self) {
        drop(self.lines);
        // It is either the end of the thread or the end of our patience.
        let _ = self.written.recv_timeout(FAREWELL);
    }
}
