//! Which step a change means: its number in the file, or its name.

use crate::scenario::read::Document;
use crate::scenario::syntax::Node;

/// The place of a step in `document.steps`. Numbers are those of the file, whatever other
/// changes did.
pub(crate) fn find(node: Node<'_>, document: &Document<'_>) -> Option<usize> {
    let file_steps = document
        .steps
        .iter()
        .filter(|step| step.index.is_some())
        .count();
    if node.value.as_integer().is_some() {
        let number = node.integer("step number", i64::MIN..=i64::MAX)?;
        let index = number
            .checked_sub(1)
            .and_then(|index| usize::try_from(index).ok());
        let place = document
            .steps
            .iter()
            .position(|step| step.index.is_some() && step.index == index);
        return match place {
            Some(place) => present(place, node, document),
            None => {
                let steps = if file_steps == 1 {
                    "1 step"
                } else {
                    &format!("{file_steps} steps")
                };
                let wrong = node.wrong(format!("there is no step {number}"));
                node.refuse(wrong.label(format!("the scenario has {steps}, counted from 1")))
            }
        };
    }
    let Some(text) = node.value.as_str() else {
        return node.mismatch("a step's number or name");
    };
    let named = |step: &&crate::scenario::read::StepNode<'_>| step.index.is_some();
    let place = document
        .steps
        .iter()
        .position(|step| step.index.is_some() && step.name() == text);
    match place {
        Some(place) => present(place, node, document),
        None => {
            let names = document.steps.iter().filter(named).map(|step| step.name());
            let wrong = node.wrong(format!("there is no step `{text}`"));
            node.refuse(wrong.meant(text, "steps", names))
        }
    }
}

fn present(place: usize, node: Node<'_>, document: &Document<'_>) -> Option<usize> {
    let step = &document.steps[place];
    if step.dropped {
        let wrong = node.wrong(format!("this sabotage drops `{}`", step.name()));
        return node.refuse(wrong.label("nothing of it is left to change"));
    }
    Some(place)
}
