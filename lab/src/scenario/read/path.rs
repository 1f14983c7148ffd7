//! `path`: the links that a probe passes.

use super::expect::{DEFAULT_WITHIN, name};
use super::probe::{self, Question};
use super::target::{Aim, aim};
use super::{Lab, Names, Verb};
use crate::scenario::model::{Check, Expectation, HostName, Trace, TraceHop};
use crate::scenario::syntax::{Node, Word};

/// Reads an expectation of a path.
pub(super) fn path(verb: Verb<'_>, lab: &Lab, names: &mut Names) -> Option<Expectation> {
    let keys = [&probe::KEYS[..], &["hops", "within"]].concat();
    let table = verb.node.table("`path`", &keys)?;
    let question = Question::read(&table, lab);
    let text = question.as_ref().and_then(Question::text);
    let text = text.map(|text| format!("path {text}"));
    let name = name(&table, "name", verb, text, names);
    let within = table
        .get("within")
        .map_or(Some(DEFAULT_WITHIN), Node::duration);
    let example = "[\"laptop:wlan0\", \"printer:eth0\"]";
    let hops_node = table.need("hops", example);
    let hops = hops_node.and_then(|node| hops(node, lab));
    let probe = question?.probe(lab)?;
    let hops = hops?;
    let (first, last) = (hops.first()?, hops.last()?);
    ends(first, "begins at its sender", Some(&probe.from))?;
    ends(last, "ends at its target", probe.to.as_ref())?;
    let trace = Trace {
        probe,
        hops: hops.into_iter().map(|(hop, _)| hop).collect(),
        within: within?,
    };
    Some(Expectation {
        name: name?,
        check: Check::Path(trace),
    })
}

fn hops<'a>(node: Node<'a>, lab: &Lab) -> Option<Vec<(TraceHop, Word<'a>)>> {
    let nodes = node.list()?;
    if nodes.len() < 2 {
        let wrong = node.wrong("a path has two hops at least");
        return node.refuse(wrong.label("the sender's link, and the target's"));
    }
    // All of them, so that every mistake is told.
    let hops: Vec<_> = nodes.into_iter().map(|node| hop(node, lab)).collect();
    hops.into_iter().collect()
}

fn hop<'a>(node: Node<'a>, lab: &Lab) -> Option<(TraceHop, Word<'a>)> {
    let word = node.word()?;
    match aim(word, lab)? {
        Aim::Host(host, Some(link), _) => Some((TraceHop { host, link }, word)),
        Aim::Host(host, None, _) => {
            let wrong = word.wrong(format!("`{host}` is no link"));
            word.refuse(wrong.help(format!("write `{host}:LINK`")))
        }
        Aim::Address(..) => {
            let wrong = word.wrong("a hop is a link of a host, not an address");
            word.refuse(wrong.help("write `HOST:LINK`"))
        }
    }
}

fn ends((hop, word): &(TraceHop, Word<'_>), what: &str, host: Option<&HostName>) -> Option<()> {
    let Some(host) = host.filter(|host| **host != hop.host) else {
        return Some(());
    };
    let wrong = word.wrong(format!("a path {what}"));
    word.refuse(wrong.label(format!("that is `{host}`")))
}
