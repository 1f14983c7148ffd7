//! `prints`

use crate::scenario::model::{Check, Expectation, Prints};
use crate::scenario::read::expect::name;
use crate::scenario::read::ready::DEFAULT_WITHIN;
use crate::scenario::read::{Lab, Names, Verb};
use crate::scenario::syntax::Node;

/// Reads `prints`.
pub(crate) fn prints(verb: Verb<'_>, lab: &Lab, names: &mut Names) -> Option<Expectation> {
    let keys = ["name", "on", "command", "exit", "text", "within"];
    let table = verb.node.table("`prints`", &keys)?;
    let on_word = table.need("on", "\"laptop\"").and_then(Node::word);
    let command = table
        .need("command", "[\"ip\", \"route\"]")
        .and_then(Node::command);
    let canonical = on_word
        .zip(command.as_ref())
        .map(|(on, command)| format!("{} prints by {}", on.text, command.join(" ")));
    let name = name(&table, "name", verb, canonical, names);
    let text = table.need("text", "\"pong\\n\"").and_then(Node::text);
    let exit = table
        .get("exit")
        .map_or(Some(0), |node| node.integer("exit code", 0..=255));
    let within = table
        .get("within")
        .map_or(Some(DEFAULT_WITHIN), Node::duration);
    let on = lab.host(on_word?)?;
    let exit = i32::try_from(exit?).ok()?;
    Some(Expectation {
        name: name?,
        check: Check::Prints(Prints {
            on,
            command: command?,
            exit,
            text: text?,
            within: within?,
        }),
    })
}
