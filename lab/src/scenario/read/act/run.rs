//! `run`

use crate::scenario::model::Run;
use crate::scenario::read::Lab;
use crate::scenario::read::ready::DEFAULT_WITHIN;
use crate::scenario::syntax::Node;

/// Reads a command that runs to its end.
pub(crate) fn run(node: Node<'_>, lab: &Lab) -> Option<Run> {
    let table = node.table("`run`", &["on", "command", "exit", "within"])?;
    let on = super::on(&table, lab);
    let command = table
        .need("command", "[\"ip\", \"route\"]")
        .and_then(Node::command);
    let exit = table
        .get("exit")
        .map_or(Some(0), |node| node.integer("exit code", 0..=255));
    let within = table
        .get("within")
        .map_or(Some(DEFAULT_WITHIN), Node::duration);
    let exit = i32::try_from(exit?).ok()?;
    Some(Run {
        on: on?,
        command: command?,
        exit,
        within: within?,
    })
}
