//! `[[sabotage]]`: a change of the file's tree, which is then read like any scenario.
//!
//! - `change`: the verbs; `alter`: merging into an act; `step_ref`: which step is meant

mod alter;
mod change;
mod step_ref;

use super::diagnostic::{Diagnostic, Problems};
use super::model::{Sabotage, Scenario};
use super::read::{self, Document, Names};
use super::syntax::{Node, Table, Word};

/// A file's scenario as it is played unharmed, with what was wrong with it.
pub(crate) struct Original<'a> {
    pub(crate) document: &'a Document<'a>,
    pub(crate) scenario: Option<&'a Scenario>,
    /// The mistakes that every sabotage repeats.
    pub(crate) problems: &'a Problems,
}

/// Reads all sabotages of a file.
pub(crate) fn sabotages(original: &Original<'_>) -> Vec<Sabotage> {
    let root = &original.document.root;
    let problems = original.problems;
    let Some(value) = root.get("sabotage") else {
        missing(original);
        return Vec::new();
    };
    let node = Node::new(value, problems);
    let why = root.get("why").map(|value| Node::new(value, problems));
    let Some(array) = value.get_ref().as_array() else {
        let wrong = node.wrong("sabotages are a list of tables");
        problems.add(wrong.label("write `[[sabotage]]`, with two brackets"));
        return Vec::new();
    };
    match why {
        None if array.is_empty() => {
            let wrong = node.wrong("a scenario without a sabotage says why");
            problems.add(wrong.help("add `why = \"…\"`, or a [[sabotage]]"));
        }
        Some(why) if !array.is_empty() => {
            let wrong = why.wrong("`why` explains a lack of sabotages, and there are some");
            problems.add(
                wrong
                    .label("remove it")
                    .other(node.span, "the first sabotage"),
            );
        }
        Some(why) => {
            why.text();
        }
        None => {}
    }
    let mut names = Vec::new();
    array
        .iter()
        .filter_map(|value| sabotage(Node::new(value, problems), original, &mut names))
        .collect()
}

fn missing(original: &Original<'_>) {
    // `sabotage = []` below the last [[step]] is a key of that, which was said there.
    let mut steps = original.document.steps.iter();
    if steps.any(|step| step.value.get_ref().get("sabotage").is_some()) {
        return;
    }
    let start = Table::start(&original.document.root);
    let wrong = Diagnostic::new(start, "a scenario that cannot fail proves nothing");
    let wrong = wrong.label("this one has no sabotage");
    original.problems.add(wrong.help(
        "add a [[sabotage]] with `name`, `change` and `must-fail`, or say `sabotage = []` and `why = \"…\"` above the first `[…]`",
    ));
}

fn sabotage<'a>(
    node: Node<'a>,
    original: &Original<'a>,
    names: &mut Vec<Word<'a>>,
) -> Option<Sabotage> {
    let table = node.table("a sabotage", &["name", "change", "must-fail", "may-fail"])?;
    let name = table
        .need("name", "\"the route is missing\"")
        .and_then(|node| {
            node.text()?;
            node.word()
        });
    if let Some(word) = name {
        if let Some(other) = names.iter().find(|other| other.text == word.text) {
            let wrong = word.wrong(format!("two sabotages are named `{}`", word.text));
            word.add(wrong.label("the second").other(other.span, "the first"));
        }
        names.push(word);
    }
    let must_fail = table
        .need("must-fail", "[\"reach laptop -> web\"]")
        .and_then(must_fail);
    let may_fail = match table.get("may-fail") {
        Some(node) => node.list()?.into_iter().filter_map(Node::word).collect(),
        None => Vec::new(),
    };
    let change_node = table.need("change", "{ drop = 1 }")?;
    let mut document = original.document.clone();
    change::apply(change_node, original, &mut document)?;
    let (scenario, expectations) = read_changed(&document, original, name);
    let mut named = must_fail.clone().unwrap_or_default();
    named.extend(&may_fail);
    // An expectation without a name is called by what it says: where that is a mistake, so is its name.
    if original.scenario.is_some() {
        check_named(&named, &expectations);
    }
    let scenario = scenario?;
    if original.scenario == Some(&scenario) {
        let wrong = change_node.wrong("this change leaves the scenario as it is");
        let wrong = wrong.label("nothing is broken by it");
        return change_node.refuse(wrong.help("change something that an expectation depends on"));
    }
    let must_fail = must_fail?.iter().map(|word| word.text.to_owned()).collect();
    Some(Sabotage {
        name: name?.text.to_owned(),
        scenario,
        must_fail,
        may_fail: may_fail.iter().map(|word| word.text.to_owned()).collect(),
    })
}

/// Reads a changed scenario and reports what is wrong with it beyond the original's mistakes.
fn read_changed(
    document: &Document<'_>,
    original: &Original<'_>,
    name: Option<Word<'_>>,
) -> (Option<Scenario>, Names) {
    let problems = Problems::default();
    let (scenario, expectations) = read::scenario(document, &problems);
    let name = name.map_or("?", |word| word.text);
    for diagnostic in problems.into_sorted() {
        // A mistake of the original is known already, and is not added again.
        original
            .problems
            .add(diagnostic.note(format!("it comes with the sabotage `{name}`")));
    }
    (scenario, expectations)
}

fn must_fail<'a>(node: Node<'a>) -> Option<Vec<Word<'a>>> {
    if let Some(text) = node.value.as_str() {
        let wrong = node.wrong("`must-fail` is a list of names");
        return node.refuse(wrong.label(format!("write `[\"{text}\"]`")));
    }
    let words: Vec<Word<'a>> = node.list()?.into_iter().filter_map(Node::word).collect();
    if words.is_empty() {
        let wrong = node.wrong("a sabotage that fails nothing proves nothing");
        return node.refuse(wrong.label("name the expectations that must fail"));
    }
    Some(words)
}

fn check_named(words: &[Word<'_>], expectations: &Names) {
    if expectations.incomplete {
        return;
    }
    let names: Vec<&str> = expectations.played().collect();
    for (index, word) in words.iter().enumerate() {
        if let Some(first) = words[..index].iter().find(|first| first.text == word.text) {
            let wrong = word.wrong(format!("`{}` is named twice", word.text));
            word.add(
                wrong
                    .label("the second time")
                    .other(first.span, "the first"),
            );
        } else if expectations.is_dropped(word.text) {
            let wrong = word.wrong(format!("`{}` is dropped with its step", word.text));
            let wrong = wrong.label("it is not checked, so it cannot fail");
            word.add(wrong.help("use `alter` to keep it, or give it a step of its own"));
        } else if !names.contains(&word.text) {
            word.add(unknown_expectation(*word, &names));
        }
    }
}

fn unknown_expectation(word: Word<'_>, names: &[&str]) -> Diagnostic {
    let mut wrong = word.wrong(format!("there is no expectation `{}`", word.text));
    if let Some(nearest) = super::diagnostic::suggest::nearest(word.text, names) {
        wrong = wrong.label(format!("did you mean `{nearest}`?"));
    }
    if names.is_empty() {
        return wrong.note("the scenario with this change in it expects nothing");
    }
    wrong.note(format!(
        "expectations with this change in the scenario are:\n- {}",
        names.join("\n- ")
    ))
}
