//! What happened, one line of JSON each.

use std::io::{self, Write};
use std::time::SystemTime;

use fps_netlink::LinkName;
use humantime::format_rfc3339_micros;
use serde_json::{Map, Value, json};

/// Writes lines to standard output.
#[derive(Clone, Copy, Debug)]
pub(super) struct Journal {
    pub(super) tun: LinkName,
}

impl Journal {
    /// One line: the time, what happened, for which device, and more of it.
    pub(super) fn write(&self, event: &str, more: Value) {
        let mut line = Map::new();
        let now = format_rfc3339_micros(SystemTime::now()).to_string();
        line.insert("time".to_owned(), json!(now));
        line.insert("event".to_owned(), json!(event));
        line.insert("tun".to_owned(), json!(self.tun.as_str()));
        if let Value::Object(more) = more {
            line.extend(more);
        }
        let mut text = Value::Object(line).to_string();
        text.push('\n');
        // One write a line; and whoever has closed the other end does not want to hear about it,
        // while the routes are still to be kept.
        let mut out = io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}
