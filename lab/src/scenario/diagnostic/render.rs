//! A diagnostic as text.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::{Diagnostic, Footer};

/// The text of a diagnostic, without a newline at its end.
pub(crate) fn render(
    diagnostic: &Diagnostic,
    path: &str,
    source: &str,
    renderer: &Renderer,
) -> String {
    let mut primary = AnnotationKind::Primary.span(diagnostic.span.start..diagnostic.span.end);
    if let Some(label) = &diagnostic.label {
        primary = primary.label(label.as_str());
    }
    let others = diagnostic.others.iter().map(|(span, label)| {
        AnnotationKind::Context
            .span(span.start..span.end)
            .label(label)
    });
    let snippet = Snippet::source(source)
        .path(path)
        .annotation(primary)
        .annotations(others);
    let footers = diagnostic.footers.iter().map(|footer| match footer {
        Footer::Note(text) => Level::NOTE.message(text),
        Footer::Help(text) => Level::HELP.message(text),
    });
    let group = Level::ERROR
        .primary_title(&diagnostic.title)
        .element(snippet)
        .elements(footers);
    renderer.render(&[group])
}
