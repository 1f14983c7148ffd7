//! The file's tree, which a sabotage changes before it is read.

use std::rc::Rc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::scenario::diagnostic::{Diagnostic, Problems, Sources};
use crate::scenario::syntax::Node;

/// A scenario's tree. Every value keeps the place that it came from.
#[derive(Clone, Debug)]
pub(crate) struct Document<'a> {
    /// The file's table.
    pub(crate) root: DeTable<'a>,
    /// The steps, the dropped ones too.
    pub(crate) steps: Vec<StepNode<'a>>,
    /// Acts before any program starts.
    pub(crate) seed: Vec<Spanned<DeValue<'a>>>,
    /// Its text, and those of the footprints in it.
    pub(crate) sources: Rc<Sources>,
}

/// A step's tree.
#[derive(Clone, Debug)]
pub(crate) struct StepNode<'a> {
    /// The table.
    pub(crate) value: Spanned<DeValue<'a>>,
    /// The name that it has where its table gives none.
    pub(crate) default_name: String,
    /// Which of the file's steps it is, from 0; none for a step that a sabotage adds.
    pub(crate) index: Option<usize>,
    /// Read for its names, never played: so a name means the same with and without it.
    pub(crate) dropped: bool,
}

impl<'a> Document<'a> {
    /// Takes the steps out of a file's table.
    pub(crate) fn new(root: DeTable<'a>, sources: Rc<Sources>, problems: &Problems) -> Self {
        let steps = match root.get("step") {
            None => Vec::new(),
            Some(step) => match step.get_ref().as_array() {
                Some(array) => array
                    .iter()
                    .cloned()
                    .enumerate()
                    .map(StepNode::new)
                    .collect(),
                None => {
                    let wrong = Diagnostic::new(step.span().into(), "steps are a list of tables");
                    problems.add(wrong.label("write `[[step]]`, with two brackets"));
                    Vec::new()
                }
            },
        };
        Self {
            root,
            steps,
            seed: Vec::new(),
            sources,
        }
    }
}

impl<'a> StepNode<'a> {
    fn new((index, value): (usize, Spanned<DeValue<'a>>)) -> Self {
        let default_name = format!("step {}", index + 1);
        Self {
            value,
            default_name,
            index: Some(index),
            dropped: false,
        }
    }

    /// The name that its table gives it.
    pub(crate) fn own_name(&self) -> Option<&str> {
        self.value
            .get_ref()
            .as_table()?
            .get("name")?
            .get_ref()
            .as_str()
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.own_name().unwrap_or(&self.default_name)
    }

    /// Its table as a value to read.
    pub(crate) fn node<'n>(&'n self, problems: &'n Problems) -> Node<'n> {
        Node::new(&self.value, problems)
    }
}
