//! What a probe carries: `size`, `dont-fragment` and `bulk`.

use crate::scenario::model::{Bulk, Load, ProbeProtocol};
use crate::scenario::syntax::{Node, Table, optional};

/// What a question needs for itself: the mark and the nonce.
const LEAST: i64 = 24;
/// The largest payload of an IPv4 datagram with an ICMP or UDP header (RFC 791, RFC 768).
const MOST: i64 = 65_507;
/// The largest transfer: a lab is no place for longer ones.
const LARGEST: u64 = 1 << 30;

/// Reads what a probe carries.
pub(super) fn read(table: &Table<'_>, protocol: Option<&ProbeProtocol>) -> Option<Load> {
    let size = optional(table.get("size"), |node| {
        let size = node.integer("size of a payload", LEAST..=MOST)?;
        usize::try_from(size).ok()
    });
    let whole = optional(table.get("dont-fragment"), Node::flag);
    let bulk = optional(table.get("bulk"), |node| bulk(node, table, protocol));
    let whole = whole?.unwrap_or(false);
    if whole
        && matches!(
            protocol,
            Some(ProbeProtocol::Tcp(_) | ProbeProtocol::Web(_))
        )
    {
        let key = table.key("dont-fragment")?;
        let wrong = key.wrong("tcp cuts its data to what the path takes by itself");
        return key.refuse(wrong.help("remove `dont-fragment`, or write `with = \"udp\"`"));
    }
    if let (Some(ProbeProtocol::Web(_)), Some(key)) = (protocol, table.key("size")) {
        let wrong = key.wrong("a GET carries nothing");
        return key.refuse(wrong.help("remove `size`, or write `with = \"tcp\"`"));
    }
    Some(Load {
        size: size?,
        whole,
        bulk: bulk?,
    })
}

/// `"1MB"`, both ways, or `{ up = "1MB", down = "64kB" }`.
fn bulk(node: Node<'_>, table: &Table<'_>, protocol: Option<&ProbeProtocol>) -> Option<Bulk> {
    let bulk = if node.value.is_table() {
        let ways = node.table("`bulk`", &["up", "down"])?;
        if ways.get("up").is_none() && ways.get("down").is_none() {
            let wrong = ways.wrong("`bulk` goes one way at least");
            return ways.refuse(wrong.help("add `up = \"1MB\"`, `down = \"1MB\"` or both"));
        }
        let up = optional(ways.get("up"), bytes);
        let down = optional(ways.get("down"), bytes);
        Bulk {
            up: up?.unwrap_or(0),
            down: down?.unwrap_or(0),
        }
    } else {
        let both = bytes(node)?;
        Bulk {
            up: both,
            down: both,
        }
    };
    if let Some(size) = table.get("size") {
        let wrong = size.wrong("`size` and `bulk` exclude each other");
        let wrong = wrong.other(node.span, "a transfer has a size of its own");
        return size.refuse(wrong.help("remove one of them"));
    }
    match protocol {
        Some(ProbeProtocol::Icmp | ProbeProtocol::Udp(_)) => {
            let key = table.key("bulk")?;
            let wrong = key.wrong("a transfer needs a connection");
            key.refuse(wrong.help("add `with = \"tcp\"`"))
        }
        Some(ProbeProtocol::Web(_)) => {
            let key = table.key("bulk")?;
            let wrong = key.wrong("a transfer is no page");
            key.refuse(
                wrong.help("write `with = \"tcp\"`, and a port that `serve` has below `tcp`"),
            )
        }
        _ => Some(bulk),
    }
}

/// A number of bytes with a unit: `"500kB"`, `"1MB"`.
fn bytes(node: Node<'_>) -> Option<u64> {
    const HELP: &str = "write a whole number with B, kB or MB, such as \"1MB\"";
    let word = node.word()?;
    let end = word.text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = word.text.split_at(end.unwrap_or(word.text.len()));
    let factor = match unit {
        "B" => Some(1),
        "kB" => Some(1_000),
        "MB" => Some(1_000_000),
        _ => None,
    };
    let bytes = factor.and_then(|factor| number.parse::<u64>().ok()?.checked_mul(factor));
    match bytes {
        Some(bytes) if (1..=LARGEST).contains(&bytes) => Some(bytes),
        Some(_) => {
            let wrong = word.wrong(format!("`{}` is no size of a transfer", word.text));
            word.refuse(wrong.label("from 1B to 1073MB"))
        }
        None => {
            let wrong = word.wrong(format!("`{}` is no number of bytes", word.text));
            word.refuse(wrong.help(HELP))
        }
    }
}
