//! The file of a footprint.

use toml::de::DeTable;

use super::OWN_KEYS;
use super::fill;
use crate::scenario::diagnostic::Problems;
use crate::scenario::read::scenario::needs;
use crate::scenario::syntax::{Node, Table, Word};

const KEYS: &[&str] = &["title", "origin", "needs", "param", "do", "undo"];

/// What another program leaves in a host, and how that goes.
#[derive(Debug)]
pub(super) struct Fragment<'a> {
    /// Programs that its acts run.
    pub(super) needs: Vec<String>,
    /// What a scenario gives it.
    pub(super) parameters: Vec<Parameter<'a>>,
    /// Its acts.
    pub(super) add: Vec<Node<'a>>,
    /// The acts that take them back.
    pub(super) remove: Vec<Node<'a>>,
}

/// A value that acts name as `{NAME}`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameter<'a> {
    /// Its name.
    pub(super) name: Word<'a>,
    /// What it is where the scenario gives none; a scenario must where there is no such.
    pub(super) default: Option<Node<'a>>,
}

impl<'a> Fragment<'a> {
    /// Reads the file.
    pub(super) fn read(root: &'a DeTable<'a>, problems: &'a Problems) -> Option<Self> {
        let table = Table::root("a footprint", root, KEYS, problems);
        table
            .need("title", "\"wg-quick with a default route\"")
            .and_then(Node::text);
        table.get("origin").and_then(Node::text);
        let parameters = table.get("param").map(Node::entries).unwrap_or_default();
        let parameters: Vec<_> = parameters.into_iter().filter_map(parameter).collect();
        let acts = |key, example| {
            let node: Option<Node<'a>> = table.need(key, example);
            node.map(Node::one_or_many).unwrap_or_default()
        };
        let fragment = Self {
            needs: table.get("needs").and_then(needs).unwrap_or_default(),
            add: acts(
                "do",
                "[{ rule = { on = \"{on}\", priority = 5270, table = 52 } }]",
            ),
            remove: acts(
                "undo",
                "[{ rule = { on = \"{on}\", action = \"delete\", … } }]",
            ),
            parameters,
        };
        if problems.count() == 0 {
            fragment.check_names(problems);
        }
        (problems.count() == 0).then_some(fragment)
    }

    /// Every name in an act is a parameter's, and every parameter is in one.
    fn check_names(&self, problems: &Problems) {
        let acts = self.add.iter().chain(&self.remove);
        let named: Vec<Word<'a>> = acts.flat_map(|act| fill::names(*act)).collect();
        let known =
            |text: &str| text == "on" || self.parameters.iter().any(|it| it.name.text == text);
        for word in named.iter().filter(|word| !known(word.text)) {
            let wrong = word.wrong(format!("the footprint has no parameter `{}`", word.text));
            let names = self.parameters.iter().map(|it| it.name.text);
            problems.add(wrong.meant(word.text, "parameters", names.chain(["on"])));
        }
        for parameter in &self.parameters {
            let name = parameter.name;
            if !named.iter().any(|word| word.text == name.text) {
                let wrong = name.wrong(format!("no act names `{{{}}}`", name.text));
                problems.add(wrong.label("it is good for nothing"));
            }
        }
    }
}

fn parameter<'a>((name, node): (Word<'a>, Node<'a>)) -> Option<Parameter<'a>> {
    if OWN_KEYS.contains(&name.text) {
        let wrong = name.wrong(format!("`{}` is a key of every footprint", name.text));
        return name.refuse(wrong.label("choose another name"));
    }
    if !fill::is_name(name.text) {
        let wrong = name.wrong(format!("`{}` is no name for a parameter", name.text));
        return name.refuse(wrong.label("lower-case letters, digits and hyphens"));
    }
    let table = node.table(
        format!("the parameter `{}`", name.text),
        &["what", "default"],
    )?;
    table
        .need("what", "\"the other VPN's device\"")
        .and_then(Node::text);
    let default = table.get("default");
    Some(Parameter { name, default })
}
