//! What a sabotage changes.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Original, alter, step_ref};
use crate::scenario::model::TunnelRole;
use crate::scenario::read::{Document, StepNode, Verb};
use crate::scenario::syntax::{Node, Word};

const VERBS: &[&str] = &["drop", "alter", "add", "swap", "seed"];

/// Carries all changes of a sabotage out, in their order.
pub(crate) fn apply<'a>(
    node: Node<'a>,
    original: &Original<'_>,
    document: &mut Document<'a>,
) -> Option<()> {
    let nodes = node.one_or_many();
    if nodes.is_empty() {
        return node.refuse(
            node.wrong("a sabotage changes something")
                .help("add `{ drop = 1 }` or such"),
        );
    }
    let before = original.problems.count();
    for node in nodes {
        let Some(verb) = Verb::read(node, "a change", VERBS) else {
            continue;
        };
        match verb.word.text {
            "drop" => drop_step(verb.node, document),
            "alter" => alter::alter(verb.node, document),
            "add" => add(verb.node, document),
            "swap" => swap(verb.node, document),
            _ => seed(verb.node, document),
        };
    }
    (original.problems.count() == before).then_some(())
}

fn drop_step(node: Node<'_>, document: &mut Document<'_>) -> Option<()> {
    let place = step_ref::find(node, document)?;
    document.steps[place].dropped = true;
    Some(())
}

fn add<'a>(node: Node<'a>, document: &mut Document<'a>) -> Option<()> {
    let table = node.table("`add`", &["before", "after", "do"])?;
    let acts = table.need("do", "{ stop = \"client\" }");
    let (anchor, relation) = match (table.get("before"), table.get("after")) {
        (Some(anchor), None) => (step_ref::find(anchor, document)?, "before"),
        (None, Some(anchor)) => (step_ref::find(anchor, document)?, "after"),
        (None, None) => {
            let wrong = table.wrong("`add` says where");
            return table.refuse(wrong.help("add `before = …` or `after = …` with a step"));
        }
        (Some(_), Some(_)) => {
            let (before, after) = (table.key("before")?, table.key("after")?);
            let wrong = after.wrong("a step is added at one place");
            return after.refuse(wrong.label("the second").other(before.span, "the first"));
        }
    };
    let acts = acts?;
    if acts.one_or_many().is_empty() {
        return acts.refuse(acts.wrong("an added step does something"));
    }
    let name = format!("added {relation} `{}`", document.steps[anchor].name());
    let default_name = unique(&name, document);
    let mut entries = DeTable::new();
    entries.insert(key("do", acts), value(acts));
    let value = Spanned::new(table.span.start..table.span.end, DeValue::Table(entries));
    let step = StepNode {
        value,
        default_name,
        index: None,
        dropped: false,
    };
    // Several additions after the same step stand in the order of the file.
    let behind = document.steps[anchor + 1..].iter();
    let added = behind.take_while(|step| step.index.is_none()).count();
    let place = if relation == "after" {
        anchor + 1 + added
    } else {
        anchor
    };
    document.steps.insert(place, step);
    Some(())
}

fn unique(name: &str, document: &Document<'_>) -> String {
    let taken = |name: &str| document.steps.iter().any(|step| step.name() == name);
    let mut numbered = (2..).map(|number| format!("{name} ({number})"));
    match taken(name) {
        true => numbered.find(|name| !taken(name)).unwrap_or_default(),
        false => name.to_owned(),
    }
}

fn swap<'a>(node: Node<'a>, document: &mut Document<'a>) -> Option<()> {
    let table = node.table("`swap`", &["program", "command"])?;
    let program = table.need("program", "\"client\"").and_then(Node::word);
    let command = table.need("command", "[\"true\"]");
    let (program, command) = (program?, command?);
    let is_role = TunnelRole::ALL
        .iter()
        .any(|role| role.name() == program.text);
    let section = if is_role { "tunnel" } else { "program" };
    let Some(target) = section_of(section, document) else {
        let wrong = program.wrong(format!("there is no program `{}`", program.text));
        return program.refuse(wrong.help(format!("the scenario has no [{section}]")));
    };
    if is_role {
        let empty = || {
            Spanned::new(
                program.span.start..program.span.end,
                DeValue::Table(DeTable::new()),
            )
        };
        let commands = target
            .entry(named("command", program))
            .or_insert_with(empty);
        let commands = table_of(commands)?;
        commands.remove(program.text);
        commands.insert(named(program.text, program), value(command));
        return Some(());
    }
    let names: Vec<String> = target.keys().map(|key| key.get_ref().to_string()).collect();
    let Some(entry) = target.get_mut(program.text).and_then(table_of) else {
        let names = names
            .iter()
            .map(String::as_str)
            .chain(TunnelRole::ALL.map(TunnelRole::name));
        let wrong = program.wrong(format!("there is no program `{}`", program.text));
        return program.refuse(wrong.meant(program.text, "programs", names));
    };
    entry.remove("command");
    entry.insert(named("command", program), value(command));
    Some(())
}

fn section_of<'d, 'a>(name: &str, document: &'d mut Document<'a>) -> Option<&'d mut DeTable<'a>> {
    document.root.get_mut(name).and_then(table_of)
}

fn seed<'a>(node: Node<'a>, document: &mut Document<'a>) -> Option<()> {
    let acts = node.one_or_many();
    if acts.is_empty() {
        return node.refuse(node.wrong("a seed does something"));
    }
    document.seed.extend(acts.into_iter().map(value));
    Some(())
}

/// The table in a value.
pub(crate) fn table_of<'v, 'a>(value: &'v mut Spanned<DeValue<'a>>) -> Option<&'v mut DeTable<'a>> {
    match value.get_mut() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

/// A value as part of a tree.
pub(crate) fn value<'a>(node: Node<'a>) -> Spanned<DeValue<'a>> {
    Spanned::new(node.span.start..node.span.end, node.value.clone())
}

fn key<'a>(name: &'a str, node: Node<'_>) -> Spanned<Cow<'a, str>> {
    Spanned::new(node.span.start..node.span.end, Cow::Borrowed(name))
}

fn named<'a>(name: &'a str, word: Word<'_>) -> Spanned<Cow<'a, str>> {
    Spanned::new(word.span.start..word.span.end, Cow::Borrowed(name))
}
