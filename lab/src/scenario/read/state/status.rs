//! `status`

use serde_json::Value;

use super::counter::{COUNT, count};
use super::log::expression;
use crate::scenario::model::{Check, Expectation, Status, StatusValue, TunnelRole, Vpn};
use crate::scenario::read::expect::{DEFAULT_WITHIN, name};
use crate::scenario::read::{Lab, Names, Verb};
use crate::scenario::syntax::{Node, Table, Word};

/// Reads `status`.
pub(crate) fn status(verb: Verb<'_>, lab: &Lab, names: &mut Names) -> Option<Expectation> {
    let own = ["name", "who", "field", "is", "matches", "within"];
    let table = verb.node.table("`status`", &[&own[..], &COUNT].concat())?;
    let who_word = table.need("who", "\"client\"").and_then(Node::word);
    let field = table.need("field", "\"sessions.carriers_current\"");
    let field = field.and_then(Node::word);
    let wanted = wanted(&table);
    let canonical = who_word
        .zip(field)
        .map(|(who, field)| format!("status of {}: {}", who.text, field.text));
    let name = name(&table, "name", verb, canonical, names);
    let within = table
        .get("within")
        .map_or(Some(DEFAULT_WITHIN), Node::duration);
    let who = role(who_word?, lab)?;
    Some(Expectation {
        name: name?,
        check: Check::Status(Status {
            who,
            pointer: pointer(field?)?,
            wanted: wanted?,
            within: within?,
        }),
    })
}

/// Client or server, of FPS: nobody else has such a status.
fn role(word: Word<'_>, lab: &Lab) -> Option<TunnelRole> {
    let roles = [TunnelRole::Client, TunnelRole::Server];
    let Some(role) = roles.into_iter().find(|role| role.name() == word.text) else {
        let wrong = word.wrong(format!("`{}` has no status", word.text));
        return word.refuse(wrong.meant(
            word.text,
            "programs with one",
            roles.map(TunnelRole::name),
        ));
    };
    match &lab.tunnel {
        Some(tunnel) if matches!(tunnel.vpn, Vpn::Fps(_)) => Some(role),
        Some(_) => word.refuse(word.wrong("only the programs of FPS have a status")),
        // A broken [tunnel] has said so already.
        None if lab.has_tunnel => None,
        None => {
            let wrong = word.wrong(format!("`{role}` is the tunnel's, and there is none"));
            word.refuse(wrong.help("add [tunnel] with `client` and `server`"))
        }
    }
}

/// `sessions.carriers_current` as a JSON pointer, in which a slash and a tilde are escaped.
fn pointer(field: Word<'_>) -> Option<String> {
    let dotted = match field.text.strip_prefix('/') {
        Some(_) => return Some(field.text.to_owned()),
        None => field.text,
    };
    if dotted.split('.').any(str::is_empty) {
        let wrong = field.wrong(format!("`{dotted}` is no field"));
        return field.refuse(
            wrong.help("write `sessions.carriers_current`, or `/sessions/carriers_current`"),
        );
    }
    let escaped = dotted.replace('~', "~0").replace('/', "~1");
    Some(format!("/{}", escaped.replace('.', "/")))
}

/// What the field must be: one key of five.
fn wanted(table: &Table<'_>) -> Option<StatusValue> {
    let more = ["is", "matches"].map(|key| (key, table.get(key)));
    let given: Vec<_> = more
        .into_iter()
        .filter_map(|(key, node)| Some((key, node?)))
        .collect();
    let counts = COUNT.iter().any(|key| table.get(key).is_some());
    match given.as_slice() {
        [] if counts => count(table).map(StatusValue::Counts),
        [] => {
            let wrong = table.wrong("`status` does not say what the field is");
            table.refuse(wrong.help("add `is`, `at-least`, `at-most`, `exactly` or `matches`"))
        }
        [("is", node)] if !counts => value(*node).map(StatusValue::Is),
        [(_, node)] if !counts => expression(*node).map(StatusValue::Matches),
        [.., (key, _)] => {
            let word = table.key(key)?;
            let wrong = word.wrong(format!("`{key}` is not all that is said of the field"));
            word.refuse(wrong.help("say it in one way"))
        }
    }
}

fn value(node: Node<'_>) -> Option<Value> {
    if let Some(text) = node.value.as_str() {
        return Some(text.into());
    }
    if let Some(flag) = node.value.as_bool() {
        return Some(flag.into());
    }
    if node.value.as_integer().is_some() {
        return node.integer("value", i64::MIN..=i64::MAX).map(Value::from);
    }
    node.mismatch("a string, an integer, `true` or `false`")
}
