//! A table that is one verb and its object: `{ roam = { … } }`.

use crate::scenario::diagnostic::suggest;
#[cfg(test)]
use crate::scenario::syntax::known;
use crate::scenario::syntax::{Node, Word};

/// A verb and what it says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verb<'a> {
    pub(crate) word: Word<'a>,
    pub(crate) node: Node<'a>,
}

impl<'a> Verb<'a> {
    /// Reads a table with exactly one of `verbs`. `what` is `an act`, for messages.
    pub(crate) fn read(node: Node<'a>, what: &str, verbs: &[&str]) -> Option<Self> {
        Self::read_or(node, what, verbs, |_| None)
    }

    /// The same. `instead` says what is to be written in place of a word that is no verb.
    pub(crate) fn read_or(
        node: Node<'a>,
        what: &str,
        verbs: &[&str],
        instead: fn(&str) -> Option<String>,
    ) -> Option<Self> {
        #[cfg(test)]
        known::note(node.span, known::Kind::Keys, what, verbs);
        if node.value.as_table().is_none() {
            return node.mismatch(&format!("{what}, a table with one verb"));
        }
        let entries = node.entries();
        let Some((word, object)) = entries.first().copied() else {
            let wrong = node.wrong(format!("{what} needs a verb"));
            return node.refuse(wrong.note(format!("verbs are: {}", verbs.join(", "))));
        };
        for (word, _) in entries
            .iter()
            .filter(|(word, _)| !verbs.contains(&word.text))
        {
            let wrong = word.wrong(format!("{what} has no verb `{}`", word.text));
            let wrong = wrong.meant(word.text, "verbs", verbs.iter().copied());
            word.add(wrong.help_if(instead(word.text)));
        }
        if let Some((second, _)) = entries.get(1) {
            let found = suggest::quoted(entries.iter().map(|(word, _)| word.text));
            let wrong = second.wrong(format!("{what} has one verb, and here are {found}"));
            let wrong = wrong.label("the second").other(word.span, "the first");
            return node.refuse(wrong.help("give each a table of its own, in a list"));
        }
        verbs
            .contains(&word.text)
            .then_some(Self { word, node: object })
    }
}
