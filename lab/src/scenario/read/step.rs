//! `[[step]]`

use super::lab::EarlierStep;
use super::{Lab, Names, StepNode, act, expect};
use crate::scenario::diagnostic::Problems;
use crate::scenario::model::Step;
use crate::scenario::syntax::{Node, Word};

/// Reads all steps in order; each finds the addresses as the ones before it left them.
pub(crate) fn steps(
    nodes: &[StepNode<'_>],
    lab: &mut Lab,
    names: &mut Names,
    problems: &Problems,
) -> Vec<Step> {
    check_names(nodes, problems);
    let mut steps = Vec::new();
    for node in nodes {
        names.dropped = node.dropped;
        if node.dropped {
            let (plugs, cables) = (lab.plugs.clone(), lab.cables.clone());
            problems.muted(|| step(node, lab, names, problems));
            (lab.plugs, lab.cables) = (plugs, cables);
        } else {
            steps.extend(step(node, lab, names, problems));
        }
        lab.earlier.push(EarlierStep {
            name: node.name().to_owned(),
            number: node.index.map(|index| index + 1),
            dropped: node.dropped,
        });
    }
    steps
}

fn step(
    node: &StepNode<'_>,
    lab: &mut Lab,
    names: &mut Names,
    problems: &Problems,
) -> Option<Step> {
    let table = node
        .node(problems)
        .table("a step", &["name", "do", "expect"])?;
    if table.get("do").is_none() && table.get("expect").is_none() {
        let wrong = table.wrong("a step does or expects something");
        table
            .problems
            .add(wrong.help("add `do = { … }` or `expect = [ … ]`"));
    }
    let acts = table.get("do").map(Node::one_or_many).unwrap_or_default();
    let acts = acts
        .into_iter()
        .filter_map(|node| node.told(act::act(node, lab)))
        .flatten()
        .collect();
    let expectations = table
        .get("expect")
        .map(Node::one_or_many)
        .unwrap_or_default();
    let expect = expectations
        .into_iter()
        .filter_map(|node| node.told(expect::expectation(node, lab, names)))
        .collect();
    Some(Step {
        name: node.name().to_owned(),
        acts,
        expect,
    })
}

fn check_names(nodes: &[StepNode<'_>], problems: &Problems) {
    let mut explicit: Vec<Word<'_>> = Vec::new();
    for node in nodes {
        let Some(name) = node.node(problems).value.get("name") else {
            continue;
        };
        let Some(word) = Node::new(name, problems).word() else {
            continue;
        };
        check_name(word);
        let default = nodes
            .iter()
            .find(|other| other.own_name().is_none() && other.default_name == word.text);
        let earlier = explicit.iter().find(|other| other.text == word.text);
        let wrong = word.wrong(format!("two steps are named `{}`", word.text));
        if let Some(other) = earlier {
            word.add(wrong.label("the second").other(other.span, "the first"));
        } else if let Some(other) = default {
            let wrong = wrong.label("choose another name");
            word.add(wrong.other(other.value.span().into(), "this step's name by its number"));
        }
        explicit.push(word);
    }
}

fn check_name(word: Word<'_>) {
    let number = !word.text.is_empty() && word.text.bytes().all(|c| c.is_ascii_digit());
    if word.text.trim().is_empty() {
        word.add(word.wrong("a step's name is empty"));
    } else if number {
        let wrong = word.wrong(format!("`{}` looks like a step's number", word.text));
        word.add(wrong.label("choose a word"));
    }
}
