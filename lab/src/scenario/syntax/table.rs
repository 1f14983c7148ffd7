//! A table of the file, whose keys are known.

use toml::de::DeTable;

use super::{Node, Word};
use crate::scenario::diagnostic::{Diagnostic, Problems, Span};

/// Keys of the whole file that stand above its first table, and are easily written below the last. `origin` is
/// one of `[tunnel]`, too.
const OF_THE_FILE: [&str; 5] = ["title", "needs", "alone", "why", "sabotage"];

/// A table, with its place and its name in messages.
#[derive(Clone, Debug)]
pub(crate) struct Table<'a> {
    pub(crate) what: String,
    pub(crate) span: Span,
    pub(crate) problems: &'a Problems,
    entries: &'a DeTable<'a>,
}

impl<'a> Table<'a> {
    /// Looks at a table and reports every key that is not among `keys`.
    pub(crate) fn new(
        entries: &'a DeTable<'a>,
        node: Node<'a>,
        what: String,
        keys: &[&str],
    ) -> Self {
        let table = Self {
            what,
            span: node.span,
            problems: node.problems,
            entries,
        };
        table.refuse_others(keys, &OF_THE_FILE);
        table
    }

    /// The whole file's table, which has no place of its own.
    pub(crate) fn root(
        what: &str,
        entries: &'a DeTable<'a>,
        keys: &[&str],
        problems: &'a Problems,
    ) -> Self {
        let span = Self::start(entries);
        let table = Self {
            what: what.to_owned(),
            span,
            problems,
            entries,
        };
        table.refuse_others(keys, &[]);
        table
    }

    /// Where a file begins: its first key stands for the whole of it.
    pub(crate) fn start(entries: &DeTable<'_>) -> Span {
        let spans = entries.keys().map(|key| Span::from(key.span()));
        spans
            .min_by_key(|span| span.start)
            .unwrap_or(Span { start: 0, end: 0 })
    }

    fn refuse_others(&self, keys: &[&str], of_the_file: &[&str]) {
        #[cfg(test)]
        super::known::note(self.span, super::known::Kind::Keys, &self.what, keys);
        for (key, _) in self.iter().filter(|(key, _)| !keys.contains(&key.text)) {
            let title = format!("{} has no key `{}`", self.what, key.text);
            let wrong = key.wrong(title);
            let wrong = wrong.meant(key.text, "keys", keys.iter().copied());
            let is_above = of_the_file.contains(&key.text);
            let above = format!(
                "`{}` is a key of the whole file: write it above the first `[…]`",
                key.text
            );
            key.add(wrong.help_if(is_above.then_some(above)));
        }
    }

    /// The value of an optional key.
    pub(crate) fn get(&self, key: &str) -> Option<Node<'a>> {
        self.entries
            .get(key)
            .map(|value| Node::new(value, self.problems))
    }

    /// The value of a required key. `example` is what a person could type.
    pub(crate) fn need(&self, key: &str, example: &str) -> Option<Node<'a>> {
        let node = self.get(key);
        if node.is_none() {
            let wrong = Diagnostic::new(self.span, format!("{} lacks `{key}`", self.what));
            self.problems
                .add(wrong.help(format!("add it, such as `{key} = {example}`")));
        }
        node
    }

    /// The value of a required section. `example` is a header that a person could type.
    pub(crate) fn need_section(&self, key: &str, example: &str) -> Option<Node<'a>> {
        let node = self.get(key);
        if node.is_none() {
            let wrong = Diagnostic::new(self.span, format!("{} has no {key}", self.what));
            self.problems
                .add(wrong.help(format!("add one, such as {example}")));
        }
        node
    }

    /// The place of a key.
    pub(crate) fn key(&self, key: &str) -> Option<Word<'a>> {
        self.iter()
            .map(|(word, _)| word)
            .find(|word| word.text == key)
    }

    /// Keys and values, in the file's order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Word<'a>, Node<'a>)> {
        Self::entries(self.entries, self.problems)
    }

    /// Keys and values of any table, in the file's order.
    pub(crate) fn entries(
        entries: &'a DeTable<'a>,
        problems: &'a Problems,
    ) -> impl Iterator<Item = (Word<'a>, Node<'a>)> {
        entries.iter().map(move |(key, value)| {
            let word = Word {
                text: key.get_ref(),
                span: key.span().into(),
                problems,
            };
            (word, Node::new(value, problems))
        })
    }

    /// A mistake of the table as a whole, yet to be added.
    pub(crate) fn wrong(&self, title: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.span, title)
    }

    /// Records a mistake that makes the table useless.
    pub(crate) fn refuse<T>(&self, diagnostic: Diagnostic) -> Option<T> {
        self.problems.add(diagnostic);
        None
    }
}
