//! How a host decided: its rules one by one, and its routes, with what decided marked.

use indexmap::IndexMap;
use maud::{Markup, html};

use super::play::Setting;
use crate::report::{Decision, Step, Walk};
use crate::snapshot::{Entry, Snapshot};

/// How many routes of a table are shown; the one that decided always is.
const ROUTES: usize = 60;

pub(super) fn walk(walk: &Walk, step: &Step, with_tables: bool, setting: &Setting<'_>) -> Markup {
    html! {
        h5 { (walk.host) " decides about " code { (walk.packet) } }
        div.scroll tabindex="0" role="group" aria-label="Rules, one by one" {
            table.rules {
                thead { tr { th.number { "rule" } th { "what it says" } th { "what came of it" } } }
                tbody {
                    @for rule in &walk.rules {
                        tr.decides[rule.decides].passed[!rule.chosen] {
                            td.number { (rule.priority) }
                            td { code { (rule.rule) } }
                            td { @if rule.decides { b.sign { "decides" } " " } code { (rule.finding) } }
                        }
                    }
                    @if walk.decision.is_none() { tr.decides { td {} td {} td { b.sign { "so" } " " (walk.end) } } }
                }
            }
        }
        @if let Some(kernel) = &walk.kernel { p.hint { "But the kernel says: " code { (kernel) } } }
        @if with_tables { (routes(walk, step, setting)) }
    }
}

/// The tables of the host that the rules lead to, the deciding one first.
fn routes(walk: &Walk, step: &Step, setting: &Setting<'_>) -> Markup {
    let snapshots = step.snapshots.iter().find(|it| it.host == walk.host);
    let Some(file) = snapshots.and_then(|it| it.after.as_ref()) else {
        return html! {};
    };
    let snapshot: Snapshot = match setting.beside.json(file) {
        Ok(snapshot) => snapshot,
        Err(why) => {
            return html! { p.hint { "The routes of " (walk.host) " are not shown: " (why) } };
        }
    };
    let family = |it: &&Entry| it.get("to").is_some_and(|to| to.contains(':')) == is_v6(walk);
    let mut tables: IndexMap<&str, Vec<&Entry>> = IndexMap::new();
    for route in snapshot.routes.iter().filter(family) {
        tables
            .entry(route.get("table").unwrap_or_default())
            .or_default()
            .push(route);
    }
    let deciding = walk
        .decision
        .as_ref()
        .and_then(|it| it.table)
        .map(table_name);
    let decides = |name: &str| Some(name) == deciding.as_deref();
    let asked = |name: &str| {
        let says = format!("lookup {name}");
        walk.rules
            .iter()
            .any(|rule| rule.chosen && rule.rule.ends_with(&says))
    };
    tables.sort_by_cached_key(|name, _| (!decides(name), !asked(name), (*name).to_owned()));
    html! {
        h5 { "The routes of " (walk.host) " after the step" }
        @for (name, routes) in &tables {
            details.table open[decides(name)] {
                summary { "table " b { (name) } span.took { (routes.len()) } }
                (table(routes, walk.decision.as_ref().filter(|_| decides(name))))
            }
        }
    }
}

fn table(routes: &[&Entry], decision: Option<&Decision>) -> Markup {
    let marked = decision.and_then(|it| it.route.as_deref());
    let decides = |route: &Entry| marked.is_some_and(|text| is_route(route, text));
    let shown = routes
        .iter()
        .enumerate()
        .filter(|(number, it)| *number < ROUTES || decides(it));
    let (columns, more) = (
        ["to", "via", "dev", "src", "metric", "proto", "scope"],
        routes.len().saturating_sub(ROUTES),
    );
    html! {
        div.scroll tabindex="0" role="group" aria-label="Routes" {
            table.routes {
                thead { tr { @for it in columns { th { (it) } } } }
                tbody {
                    @for (_, route) in shown {
                        tr.decides[decides(route)] {
                            @for it in columns {
                                td {
                                    @if it == "to" && decides(route) { b.sign { "decides" } " " }
                                    @if let Some(kind) = route.get("type").filter(|_| it == "to") { (kind) " " }
                                    code { (shown_value(it, route.get(it).unwrap_or_default())) }
                                }
                            }
                        }
                    }
                }
            }
        }
        @if more > 0 { p.hint { "and " (more) " more, of which only one that decides is shown" } }
    }
}

fn shown_value<'a>(column: &str, value: &'a str) -> &'a str {
    match (column, value) {
        ("to", "0.0.0.0/0" | "::/0") => "default",
        (_, value) => value.strip_suffix("/32").unwrap_or(value),
    }
}

/// Whether a route is the one of this text, which is as `ip route` prints it, without its table.
fn is_route(route: &Entry, text: &str) -> bool {
    let mut words = text.split(' ').peekable();
    let kind = route.get("type");
    if kind.is_some() && words.next_if(|word| Some(*word) == kind).is_none() {
        return false;
    }
    let to = words.next().unwrap_or_default();
    let network = |to: &str| match to {
        "default" | "::/0" | "0.0.0.0/0" => "default".to_owned(),
        to if to.contains('/') => to.to_owned(),
        to if to.contains(':') => format!("{to}/128"),
        to => format!("{to}/32"),
    };
    if route.get("to").map(network) != Some(network(to)) {
        return false;
    }
    while let (Some(word), Some(value)) = (words.next(), words.next()) {
        if ["via", "dev", "src", "metric"].contains(&word) && route.get(word) != Some(value) {
            return false;
        }
    }
    true
}

fn table_name(number: u32) -> String {
    match number {
        253 => "default".to_owned(),
        254 => "main".to_owned(),
        255 => "local".to_owned(),
        number => number.to_string(),
    }
}

/// Whether the packet is one of IPv6: its text begins with where it goes.
fn is_v6(walk: &Walk) -> bool {
    let to = walk.packet.split(' ').next().unwrap_or_default();
    to.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(words: &[(&str, &str)]) -> Entry {
        let mut entry = Entry::default();
        for (word, value) in words {
            entry.set(word, value);
        }
        entry
    }

    #[test]
    fn a_route_is_known_by_its_text() {
        let route = entry(&[
            ("to", "0.0.0.0/0"),
            ("via", "192.168.188.1"),
            ("dev", "wlan0"),
            ("table", "main"),
            ("metric", "600"),
        ]);
        assert!(is_route(
            &route,
            "default via 192.168.188.1 dev wlan0 metric 600"
        ));
        assert!(!is_route(
            &route,
            "default via 192.168.188.1 dev wlan0 metric 100"
        ));
        assert!(!is_route(&route, "10.66.1.0/24 dev fpsc0"));
        assert!(!is_route(&route, "unreachable default metric 600"));
        let refuses = entry(&[
            ("type", "unreachable"),
            ("to", "10.0.0.1/32"),
            ("metric", "7"),
        ]);
        assert!(is_route(&refuses, "unreachable 10.0.0.1/32 metric 7"));
        assert!(!is_route(&refuses, "10.0.0.1/32 metric 7"));
    }
}
