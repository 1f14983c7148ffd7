//! Where the parts of a file stand in it.

use super::diagnostic::{Problems, Span};
use super::model::{Place, Places};
use super::read::{Document, Names};

/// Finds the places of steps, expectations and sabotages. `names` are those of the expectations.
pub(super) fn find(source: &str, document: &Document<'_>, names: &Names) -> Places {
    let place = |span: Span| Place::of(source, span.start);
    let steps = document.steps.iter().map(|step| {
        let span = step.node(&Problems::default()).span;
        (step.name().to_owned(), place(span))
    });
    let expectations = names.places();
    let expectations = expectations.map(|(name, span)| (name.to_owned(), place(span)));
    let sabotages = document.root.get("sabotage");
    let sabotages = sabotages.and_then(|list| list.get_ref().as_array());
    let sabotages = sabotages.into_iter().flatten().filter_map(|sabotage| {
        let name = sabotage.get_ref().as_table()?.get("name")?;
        let text = name.get_ref().as_str()?.to_owned();
        Some((text, place(name.span().into())))
    });
    Places {
        steps: steps.collect(),
        expectations: expectations.collect(),
        sabotages: sabotages.collect(),
    }
}
