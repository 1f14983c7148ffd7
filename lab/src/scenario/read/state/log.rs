//! `log`

use regex::Regex;

use super::counter::{COUNT, count, time};
use crate::scenario::model::{Check, Count, Expectation, Expression, Log, Pattern};
use crate::scenario::read::act::program;
use crate::scenario::read::expect::name;
use crate::scenario::read::{Lab, Names, Verb};
use crate::scenario::syntax::{Node, Table};

/// Reads `log`.
pub(crate) fn log(verb: Verb<'_>, lab: &Lab, names: &mut Names) -> Option<Expectation> {
    let own = ["name", "who", "text", "matches", "since", "within", "for"];
    let table = verb.node.table("`log`", &[&own[..], &COUNT].concat())?;
    let who_node = table.need("who", "\"client\"");
    let pattern = pattern(&table);
    let count = match COUNT.iter().any(|key| table.get(key).is_some()) {
        true => count(&table),
        false => Some(Count::AtLeast(1)),
    };
    let who_word = who_node.and_then(Node::word);
    let parts = who_word.zip(pattern.as_ref()).zip(count);
    let canonical = parts.map(|((who, pattern), count)| match count {
        Count::AtLeast(1) => format!("{} logs {pattern}", who.text),
        count => format!("{} logs {pattern} {count} times", who.text),
    });
    let name = name(&table, "name", verb, canonical, names);
    let time = count.and_then(|count| time(&table, count));
    let since_start = match table.get("since") {
        Some(node) => node.choice("since", &[("step", false), ("start", true)]),
        None => Some(false),
    };
    let who = program::single(who_node?, lab)?;
    Some(Expectation {
        name: name?,
        check: Check::Log(Log {
            who,
            pattern: pattern?,
            count: count?,
            since_start: since_start?,
            time: time?,
        }),
    })
}

/// Which lines count: `text` or `matches`.
fn pattern(table: &Table<'_>) -> Option<Pattern> {
    match (table.get("text"), table.get("matches")) {
        (Some(text), None) => text.text().map(Pattern::Text),
        (None, Some(node)) => expression(node).map(Pattern::Matches),
        (None, None) => {
            let wrong = table.wrong("`log` does not say which lines");
            table.refuse(wrong.help("add `text = \"…\"`, or `matches` with a regular expression"))
        }
        (Some(_), Some(_)) => {
            let word = table.key("matches")?;
            let wrong = word.wrong("`text` and `matches` exclude each other");
            word.refuse(wrong.help("remove one of them"))
        }
    }
}

/// A regular expression.
pub(super) fn expression(node: Node<'_>) -> Option<Expression> {
    let text = node.text()?;
    match Regex::new(&text) {
        Ok(regex) => Some(Expression(regex)),
        Err(error) => {
            let error = error.to_string();
            let reason = error.lines().last().unwrap_or_default();
            let reason = reason.trim_start_matches("error: ").to_owned();
            node.refuse(node.wrong("this is no regular expression").label(reason))
        }
    }
}
