//! What must hold of a host's state, and of what its programs do and say: `kernel`, `unchanged`,
//! `changes`, `prints`, `counter`, `log`, `status`.

mod changes;
mod counter;
mod line;
mod log;
mod prints;
mod status;
mod sysctl;
mod unchanged;
mod words;

pub(crate) use changes::changes;
pub(crate) use counter::counter;
pub(crate) use log::log;
pub(crate) use prints::prints;
pub(crate) use status::status;
pub(crate) use unchanged::unchanged;

use super::expect::{name, when};
use super::{Lab, Names, Verb};
use crate::scenario::model::{Check, Expectation, Kernel, KernelLine, ObjectKind};
use crate::scenario::syntax::{Node, Table};

/// The keys that hold lines, and what the lines are about.
const KINDS: [(&str, ObjectKind); 5] = [
    ("rules", ObjectKind::Rule),
    ("routes", ObjectKind::Route),
    ("addresses", ObjectKind::Address),
    ("links", ObjectKind::Link),
    ("sysctls", ObjectKind::Sysctl),
];

/// Reads `kernel`.
pub(crate) fn kernel(verb: Verb<'_>, lab: &Lab, names: &mut Names) -> Option<Expectation> {
    let kinds = KINDS.map(|(key, _)| key);
    let keys = [&["name", "on", "absent", "within", "for"], &kinds[..]].concat();
    let table = verb.node.table("`kernel`", &keys)?;
    let on_word = table.need("on", "\"laptop\"").and_then(Node::word);
    let canonical = on_word.map(|on| format!("kernel of {}", on.text));
    let name = name(&table, "name", verb, canonical, names);
    let when = when(&table);
    let present = lines(&table);
    let absent = match table.get("absent") {
        None => Some(Vec::new()),
        Some(node) => node
            .table("`absent`", &kinds)
            .and_then(|table| lines(&table)),
    };
    let on = lab.host(on_word?)?;
    let (present, absent) = (present?, absent?);
    if present.is_empty() && absent.is_empty() {
        let wrong = table.wrong("`kernel` expects nothing");
        let help = "add lines, such as `routes = [\"default dev fpsc0 table 51820\"]`";
        return table.refuse(wrong.help(help));
    }
    Some(Expectation {
        name: name?,
        check: Check::Kernel(Kernel {
            on,
            present,
            absent,
            when: when?,
        }),
    })
}

/// The lines of all kinds; none where one is wrong.
fn lines(table: &Table<'_>) -> Option<Vec<KernelLine>> {
    let mut found = Vec::new();
    for (key, kind) in KINDS {
        let nodes = table.get(key).map(Node::one_or_many).unwrap_or_default();
        // All of them, so that each mistake is told.
        found.extend(nodes.into_iter().map(|node| line::wanted(node, kind)));
    }
    found.into_iter().collect()
}
