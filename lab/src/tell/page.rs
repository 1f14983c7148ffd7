//! The whole of it, wrapped.

use textwrap::{Options, fill};

use super::{Part, Story};

/// As text for a terminal of this width.
pub fn text(story: &Story, width: usize) -> String {
    let wrap = |text: &str, first: &str, next: &str| {
        let options = Options::new(width).break_words(false);
        fill(text, options.initial_indent(first).subsequent_indent(next))
    };
    let mut lines = vec![wrap(&story.title, "", "")];
    for part in &story.parts {
        lines.push(String::new());
        let heading = part.heading.iter();
        lines.extend(heading.map(|it| wrap(it, "", "")));
        lines.extend(part.paragraph().map(|it| wrap(&it, "  ", "  ")));
        lines.extend(part.items.iter().map(|it| wrap(it, "  - ", "    ")));
        if let Some((introduction, then)) = &part.then {
            lines.push(wrap(introduction, "  ", "  "));
            lines.extend(then.iter().map(|it| wrap(it, "  - ", "    ")));
        }
    }
    lines.join("\n") + "\n"
}

/// As Markdown, a line for each paragraph and item.
pub fn markdown(story: &Story) -> String {
    let list = |items: &[String]| {
        let items = items.iter().map(|it| format!("- {it}"));
        items.collect::<Vec<_>>().join("\n")
    };
    let mut blocks = vec![format!("# {}", story.title)];
    for part in &story.parts {
        blocks.extend(part.heading.iter().map(|it| format!("## {it}")));
        blocks.extend(part.paragraph());
        blocks.push(list(&part.items));
        if let Some((introduction, then)) = &part.then {
            blocks.push(introduction.clone());
            blocks.push(list(then));
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks.join("\n\n") + "\n"
}

impl Part {
    fn paragraph(&self) -> Option<String> {
        (!self.text.is_empty()).then(|| self.text.join(" "))
    }
}
