//! The whole of a scenario.

use std::rc::Rc;

use super::{Document, Lab, Names, act, host, net, program, step, tunnel};
use crate::scenario::diagnostic::{Diagnostic, Problems};
use crate::scenario::model::Scenario;
use crate::scenario::syntax::{Node, Table};

const KEYS: &[&str] = &[
    "title", "origin", "needs", "alone", "why", "net", "host", "program", "tunnel", "step",
    "sabotage",
];

/// Reads a scenario. There is none if anything is wrong; the names are there all the same.
pub(crate) fn scenario(document: &Document<'_>, problems: &Problems) -> (Option<Scenario>, Names) {
    let table = Table::root("a scenario", &document.root, KEYS, problems);
    let title = table
        .need("title", "\"The printer stays in reach\"")
        .and_then(Node::text);
    let origin = table.get("origin").and_then(Node::text);
    let alone = table.get("alone").and_then(Node::flag).unwrap_or_default();
    if has_doubled_brackets(&table) {
        let mut names = Names::default();
        names.incomplete = true;
        return (None, names);
    }
    let mut lab = Lab::new(Rc::clone(&document.sources));
    lab.needs = table.get("needs").and_then(needs).unwrap_or_default();
    if let Some(node) = table.get("net") {
        net::nets(node, &mut lab);
    }
    if let Some(node) = table.need_section("host", "[host.laptop]") {
        host::hosts(node, &mut lab);
    }
    // TUN devices first: a program's commands name none, but steps do.
    if let Some(node) = table.get("tunnel") {
        tunnel::tunnel(node, &mut lab);
    }
    program::resolvers(&mut lab);
    if let Some(node) = table.get("program") {
        program::programs(node, &mut lab);
    }
    let seed = document
        .seed
        .iter()
        .filter_map(|value| {
            let node = Node::new(value, problems);
            node.told(act::seed(node, &mut lab))
        })
        .flatten()
        .collect();
    let mut names = Names::default();
    check_steps(document, &table);
    let steps = step::steps(&document.steps, &mut lab, &mut names, problems);
    let mut needs: Vec<String> = Vec::new();
    for program in lab.needs {
        if !needs.contains(&program) {
            needs.push(program);
        }
    }
    let scenario = title
        .filter(|_| problems.count() == 0)
        .map(|title| Scenario {
            title,
            origin,
            needs,
            alone,
            nets: lab.nets,
            hosts: lab.hosts,
            programs: lab.programs,
            tunnel: lab.tunnel,
            seed,
            steps,
        });
    (scenario, names)
}

/// Refuses a list of what each has a name of its own. All that is said of it below would be untrue.
fn has_doubled_brackets(table: &Table<'_>) -> bool {
    let sections = [
        ("net", "[net.home]"),
        ("host", "[host.laptop]"),
        ("program", "[program.dns]"),
        ("tunnel", "[tunnel]"),
    ];
    let doubled = sections.into_iter().filter_map(|(key, example)| {
        let node = table.get(key)?;
        node.value.is_array().then_some((key, example, node))
    });
    let told = doubled.map(|(key, example, node)| {
        let wrong = node.wrong(format!("`{key}` is no list"));
        let wrong = wrong.label(format!("write `{example}`, in single brackets"));
        node.problems.add(wrong);
    });
    told.count() > 0
}

/// Reads the programs that must be on the machine.
pub(super) fn needs(node: Node<'_>) -> Option<Vec<String>> {
    let mut needs = Vec::new();
    for word in node.list()?.into_iter().filter_map(Node::word) {
        if word.text.trim().is_empty() {
            word.add(word.wrong("a program's name is empty"));
        } else if let Some((_, program)) = word.text.rsplit_once('/') {
            let wrong = word.wrong(format!("`{}` is a path", word.text));
            let wrong = wrong.label(format!("write `{program}`"));
            word.add(wrong.note("`needs` names programs, which are looked up in PATH"));
        } else {
            needs.push(word.text.to_owned());
        }
    }
    Some(needs)
}

fn check_steps(document: &Document<'_>, table: &Table<'_>) {
    let lists_steps = table
        .get("step")
        .is_none_or(|node| node.value.as_array().is_some());
    if document.steps.is_empty() && lists_steps {
        let span = table.get("step").map_or(table.span, |node| node.span);
        let wrong = Diagnostic::new(span, "there is nothing to play");
        table
            .problems
            .add(wrong.help("add a [[step]] with `do`, `expect` or both"));
    }
}
