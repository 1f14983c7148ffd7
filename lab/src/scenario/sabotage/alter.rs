//! `alter`: merges a table into an act.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::change::table_of;
use super::step_ref;
use crate::scenario::diagnostic::{Diagnostic, Span, suggest};
use crate::scenario::read::{Document, is_act};
use crate::scenario::syntax::Node;

/// Merges `do` into the acts of a step.
pub(crate) fn alter<'a>(node: Node<'a>, document: &mut Document<'a>) -> Option<()> {
    let table = node.table("`alter`", &["step", "do"])?;
    let step = table
        .need("step", "1")
        .and_then(|node| step_ref::find(node, document));
    let patch = table.need("do", "{ routes = { route = [] } }");
    let (step, patch) = (&mut document.steps[step?], patch?);
    let name = step.name().to_owned();
    let span = Span::from(step.value.span());
    let Some(acts) = table_of(&mut step.value).and_then(|table| table.get_mut("do")) else {
        let wrong = patch.wrong(format!("`{name}` has no `do` to alter"));
        let wrong = wrong.other(span, "this step");
        return patch.refuse(wrong.help("use `add` to do something before or after it"));
    };
    let span = Span::from(acts.span());
    let acts: Vec<&mut Spanned<DeValue<'a>>> = match acts.get_mut() {
        DeValue::Array(items) => items.iter_mut().collect(),
        _ => vec![acts],
    };
    if patch.value.as_array().is_some() {
        each(patch, acts, span)
    } else {
        single(patch, acts, span)
    }
}

/// A list: one table for each act, `{}` for one that stays.
fn each<'a>(patch: Node<'a>, acts: Vec<&mut Spanned<DeValue<'a>>>, span: Span) -> Option<()> {
    let patches = patch.list()?;
    if patches.len() != acts.len() {
        let title = format!(
            "a list of {} for a step of {} acts",
            patches.len(),
            acts.len()
        );
        let wrong = patch.wrong(title).other(span, "the acts");
        return patch.refuse(wrong.help("give one table for each act; `{}` leaves one as it is"));
    }
    for (patch, act) in patches.into_iter().zip(acts) {
        if patch.value.as_table().is_some_and(DeTable::is_empty) {
            continue;
        }
        merge_act(patch, act)?;
    }
    Some(())
}

/// A table: for the only act with its verb.
fn single<'a>(patch: Node<'a>, mut acts: Vec<&mut Spanned<DeValue<'a>>>, span: Span) -> Option<()> {
    let (verb, _) = verb_of(patch)?;
    if let [act] = acts.as_mut_slice() {
        return merge_act(patch, act);
    }
    let has_verb = |act: &&mut Spanned<DeValue<'a>>| act.get_ref().get(verb).is_some();
    let count = acts.iter().filter(|act| has_verb(act)).count();
    if count == 1 {
        let act = acts.into_iter().find(has_verb)?;
        return merge_act(patch, act);
    }
    let number = if count == 0 {
        "none".to_owned()
    } else {
        count.to_string()
    };
    let title = format!("{number} of the step's {} acts is `{verb}`", acts.len());
    let title = if count > 1 {
        title.replace(" is ", " are ")
    } else {
        title
    };
    let wrong = patch.wrong(title).other(span, "the acts");
    patch.refuse(wrong.help("give a list with one table for each act; `{}` leaves one as it is"))
}

/// The verb of a patch, which must be its only key.
fn verb_of<'a>(patch: Node<'a>) -> Option<(&'a str, Span)> {
    if patch.value.as_table().is_none() {
        return patch.mismatch("a table with one verb, or a list of them");
    }
    match patch.entries().as_slice() {
        [(word, _)] => Some((word.text, word.span)),
        entries => {
            let title = format!("an alteration has one verb, and here are {}", entries.len());
            patch.refuse(patch.wrong(title))
        }
    }
}

fn merge_act<'a>(patch: Node<'a>, act: &mut Spanned<DeValue<'a>>) -> Option<()> {
    let (verb, span) = verb_of(patch)?;
    let place = Span::from(act.span());
    // A broken act is reported where the whole scenario is read.
    let act = table_of(act)?;
    if !act.keys().any(|key| is_act(key.get_ref())) {
        return None;
    }
    if !act.contains_key(verb) {
        let found = suggest::quoted(act.keys().map(|key| key.get_ref().as_ref()));
        let wrong = Diagnostic::new(span, format!("this act is {found}, not `{verb}`"));
        return patch.refuse(
            wrong
                .label("it alters another verb")
                .other(place, "the act"),
        );
    }
    merge(act, patch.value.as_table()?);
    Some(())
}

/// Tables are merged key by key; all else is replaced whole.
fn merge<'a>(into: &mut DeTable<'a>, patch: &DeTable<'a>) {
    for (key, patch) in patch.iter() {
        match (
            into.get_mut(key.get_ref().as_ref()).map(Spanned::get_mut),
            patch.get_ref(),
        ) {
            (Some(DeValue::Table(into)), DeValue::Table(patch)) => merge(into, patch),
            (Some(_), _) => {
                into.remove(key.get_ref().as_ref());
                into.insert(key.clone(), patch.clone());
            }
            (None, _) => {
                into.insert(key.clone(), patch.clone());
            }
        }
    }
}
