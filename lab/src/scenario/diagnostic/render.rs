//! A diagnostic as text.

use annotate_snippets::{Annotation, AnnotationKind, Level, Renderer, Snippet};

use super::{Diagnostic, Footer, Source};

/// The text of a diagnostic, without a newline at its end. Where it involves several texts, the one with
/// the token to change comes first.
pub(crate) fn render(diagnostic: &Diagnostic, sources: &[Source], renderer: &Renderer) -> String {
    let footers = diagnostic.footers.iter().map(|footer| match footer {
        Footer::Note(text) => Level::NOTE.message(text),
        Footer::Help(text) => Level::HELP.message(text),
    });
    let of_primary = |source: &&Source| source.holds(diagnostic.span);
    let first = sources.iter().find(of_primary);
    let others = sources.iter().filter(|source| !of_primary(source));
    let snippets = first.into_iter().chain(others).filter_map(|source| {
        let marks = marks(diagnostic, source);
        let snippet = Snippet::source(&source.text).path(source.path.display().to_string());
        (!marks.is_empty()).then(|| snippet.annotations(marks))
    });
    let group = Level::ERROR
        .primary_title(&diagnostic.title)
        .elements(snippets)
        .elements(footers);
    renderer.render(&[group])
}

/// What a diagnostic says of places in one text.
fn marks<'a>(diagnostic: &'a Diagnostic, source: &Source) -> Vec<Annotation<'a>> {
    let mut marks = Vec::new();
    if source.holds(diagnostic.span) {
        let primary = AnnotationKind::Primary.span(source.own(diagnostic.span));
        marks.push(match &diagnostic.label {
            Some(label) => primary.label(label.as_str()),
            None => primary,
        });
    }
    for (span, label) in &diagnostic.others {
        if source.holds(*span) {
            let other = AnnotationKind::Context.span(source.own(*span));
            marks.push(other.label(label));
        }
    }
    marks
}
