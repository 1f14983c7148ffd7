//! `ready` of a program

use std::time::Duration;

use fps_netlink::LinkName;

use crate::scenario::model::{Ready, ReadyWhen, TunState};
use crate::scenario::syntax::{Node, Table};

/// How long a program or a command may take where the file does not say.
pub(crate) const DEFAULT_WITHIN: Duration = Duration::from_secs(10);

/// A program that is ready as soon as it runs.
pub(super) fn started() -> Ready {
    Ready {
        when: ReadyWhen::Started,
        within: DEFAULT_WITHIN,
    }
}

/// Reads what shows that a program is ready. `tun` is the device that it makes.
pub(super) fn ready(node: Node<'_>, tun: Option<LinkName>) -> Option<Ready> {
    let table = node.table("`ready`", &["output", "tun", "within"])?;
    let within = match table.get("within") {
        Some(node) => node.duration(),
        None => Some(DEFAULT_WITHIN),
    };
    let when = when(&table, tun);
    Some(Ready {
        when: when?,
        within: within?,
    })
}

fn when(table: &Table<'_>, tun: Option<LinkName>) -> Option<ReadyWhen> {
    match (table.get("output"), table.get("tun")) {
        (None, None) => Some(ReadyWhen::Started),
        (Some(node), None) => node.text().map(ReadyWhen::Output),
        (None, Some(node)) => {
            let states = [("exists", TunState::Exists), ("up", TunState::Up)];
            let state = node.choice("tun", &states)?;
            match tun {
                Some(tun) => Some(ReadyWhen::Tun(tun, state)),
                None => {
                    let wrong = node.wrong("which TUN device is meant?");
                    node.refuse(wrong.help("give the program `tun = \"tun0\"`, beside `ready`"))
                }
            }
        }
        (Some(_), Some(node)) => {
            let wrong = node.wrong("a program is ready by one sign");
            node.refuse(wrong.label("`output` is another"))
        }
    }
}
