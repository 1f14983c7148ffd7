//! `throughput`: one way against another.

use std::time::Duration;

use super::expect::name;
use super::probe::Question;
use super::{Lab, Names, Verb};
use crate::scenario::model::{Check, Expectation, Throughput};
use crate::scenario::syntax::Node;

/// The keys of either way.
const WAY: [&str; 8] = [
    "from", "to", "port", "ip", "source", "mark", "uid", "cgroup",
];
/// For how long each way is measured where the file does not say.
const DEFAULT_HOLD: Duration = Duration::from_millis(300);

/// Reads an expectation of a throughput.
pub(super) fn throughput(verb: Verb<'_>, lab: &Lab, names: &mut Names) -> Option<Expectation> {
    let keys = [&["name"], &WAY[..], &["of", "at-least", "for"]].concat();
    let table = verb.node.table("`throughput`", &keys)?;
    let question = Question::read_tcp(&table, lab);
    let example = "{ from = \"laptop\", to = \"web\" }";
    let of = table.need("of", example);
    let of = of.and_then(|node| node.table("`of`", &WAY));
    let of = of.and_then(|table| Question::read_tcp(&table, lab));
    let text = question.as_ref().and_then(Question::text);
    let text = text.zip(of.as_ref().and_then(Question::text));
    let text = text.map(|(one, other)| format!("throughput {one} of {other}"));
    let name = name(&table, "name", verb, text, names);
    let at_least = table.need("at-least", "0.2").and_then(part);
    let hold = table.get("for").map_or(Some(DEFAULT_HOLD), Node::duration);
    let probe = question.and_then(|question| question.probe(lab));
    let of = of.and_then(|question| question.probe(lab));
    let throughput = Throughput {
        probe: probe?,
        of: of?,
        at_least: at_least?,
        hold: hold?,
    };
    Some(Expectation {
        name: name?,
        check: Check::Throughput(throughput),
    })
}

/// A part of something, in thousandths.
fn part(node: Node<'_>) -> Option<u32> {
    let number = match (node.value.as_float(), node.value.as_integer()) {
        (Some(float), _) => float.as_str().parse::<f64>().ok(),
        (None, Some(integer)) => integer.as_str().parse::<f64>().ok(),
        (None, None) => return node.mismatch("a number, such as 0.2"),
    };
    match number {
        Some(number) if (0.001..=1000.0).contains(&number) => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "at most a million"
            )]
            let thousandths = (number * 1000.0).round() as u32;
            Some(thousandths)
        }
        _ => node.refuse(
            node.wrong("no part of a throughput")
                .label("from 0.001 to 1000"),
        ),
    }
}
