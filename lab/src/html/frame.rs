//! What is around the content: head, style, script, header and footer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use ring::digest::{SHA256, digest};

use crate::draw::RULES;

/// The style of the page.
const STYLE: &str = include_str!("page.css");

/// The script of the page.
const SCRIPT: &str = include_str!("page.js");

pub(super) fn frame(title: &str, content: &Markup) -> String {
    let style = format!("{STYLE}{RULES}");
    // Content Security Policy, level 3: nothing is loaded, and only what has these hashes counts.
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash(&style),
        hash(SCRIPT)
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(style)) }
            }
            body {
                header.top {
                    a.brand href="#top" { (mark()) span { "FPS Lab" } }
                    button #theme .plain type="button" hidden aria-label="Light or dark" title="Light or dark" { "◐" }
                }
                main #top { (content) }
                footer { "Made by fps-lab of outcome.json and the files beside it. Links lead to files of the run's folder." }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// The source of a policy that allows one text alone.
fn hash(text: &str) -> String {
    let digest = digest(&SHA256, text.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(digest))
}

/// The sign of the lab: two hosts and the tunnel between them.
fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 32 32" width="26" height="26" aria-hidden="true" {
            path d="M7 12v6a4 4 0 0 0 4 4h10a4 4 0 0 0 4-4v-6" {}
            circle cx="7" cy="9" r="4" {}
            circle cx="25" cy="9" r="4" {}
        }
    }
}
