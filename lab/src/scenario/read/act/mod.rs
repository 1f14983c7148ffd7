//! What a step does.

mod addr;
mod firewall;
mod full;
mod impair;
pub(crate) mod kernel;
mod link;
mod nft;
pub(crate) mod program;
mod routes;
mod rule;
mod run;

use super::{Lab, Verb, advertise, dhcp, dns, expect, footprint};
use crate::scenario::model::{Act, HostName};
use crate::scenario::syntax::{Node, Table};

/// The verb that stands for the acts of another file.
const FOOTPRINT: &str = "footprint";

/// All verbs of `do`.
const VERBS: &[&str] = &[
    FOOTPRINT,
    "start",
    "stop",
    "kill",
    "run",
    "routes",
    "link",
    "roam",
    "sysctl",
    "route",
    "rule",
    "dns",
    "addr",
    "dhcp",
    "dhcp-server",
    "advertise",
    "firewall",
    "impair",
    "nft",
];

/// The verbs that make sense before any program starts.
const SEED_VERBS: &[&str] = &[
    FOOTPRINT, "sysctl", "route", "rule", "link", "run", "addr", "firewall", "nft",
];

/// Whether this is a verb of `do`.
pub(crate) fn is_verb(word: &str) -> bool {
    VERBS.contains(&word)
}

/// Reads an act, or those of a footprint, and carries its effect on addresses out in `lab`.
pub(crate) fn act(node: Node<'_>, lab: &mut Lab) -> Option<Vec<Act>> {
    acts(node, "an act", VERBS, lab)
}

/// Reads an act of a sabotage's `seed`.
pub(crate) fn seed(node: Node<'_>, lab: &mut Lab) -> Option<Vec<Act>> {
    acts(node, "a seed", SEED_VERBS, lab)
}

/// Reads an act of a footprint: one of `verbs`, but not another footprint.
pub(crate) fn within_footprint(node: Node<'_>, verbs: &[&str], lab: &mut Lab) -> Option<Act> {
    let verbs: Vec<&str> = verbs
        .iter()
        .copied()
        .filter(|it| *it != FOOTPRINT)
        .collect();
    read(Verb::read(node, "a footprint's act", &verbs)?, lab)
}

/// The acts that a table stands for: a footprint has several.
fn acts(node: Node<'_>, what: &str, verbs: &[&str], lab: &mut Lab) -> Option<Vec<Act>> {
    let verb = Verb::read_or(node, what, verbs, instead)?;
    match verb.word.text {
        FOOTPRINT => footprint::footprint(verb.node, verbs, lab),
        _ => read(verb, lab).map(|act| vec![act]),
    }
}

/// What to write in place of a word that is no verb of `do`.
fn instead(word: &str) -> Option<String> {
    match word {
        "sleep" | "wait" | "pause" => Some(
            "nothing here waits for a time: the expectation says `within` which time it holds, or `for` how long"
                .to_owned(),
        ),
        "plug" | "unplug" | "up" | "down" => {
            let state = match word {
                "plug" => "plugged",
                "unplug" => "unplugged",
                word => word,
            };
            Some(format!(
                "write `link = {{ on = \"laptop\", link = \"eth0\", state = \"{state}\" }}`"
            ))
        }
        _ if expect::is_verb(word) => Some("it is an expectation: write it in `expect`".to_owned()),
        _ => None,
    }
}

fn read(verb: Verb<'_>, lab: &mut Lab) -> Option<Act> {
    let node = verb.node;
    match verb.word.text {
        "start" => program::started(node, lab).map(Act::Start),
        "stop" => program::named(node, lab).map(Act::Stop),
        "kill" => program::named(node, lab).map(Act::Kill),
        "run" => run::run(node, lab).map(Act::Run),
        "routes" => routes::routes(node, lab).map(Act::Routes),
        "link" => link::change(node, lab).map(Act::Link),
        "roam" => link::roam(node, lab).map(Act::Roam),
        "sysctl" => kernel::sysctl(node, lab).map(Act::Sysctl),
        "route" => kernel::route(node, lab).map(Act::Route),
        "rule" => rule::rule(node, lab).map(Act::Rule),
        "dns" => dns::change(node, lab).map(Act::Dns),
        "addr" => addr::change(node, lab).map(Act::Addr),
        "nft" => nft::nft(node, lab).map(Act::Nft),
        "impair" => impair::change(node, lab).map(Act::Impair),
        "firewall" => firewall::firewall(node, lab).map(Act::Firewall),
        "dhcp" => dhcp::call(node, lab).map(Act::Dhcp),
        "dhcp-server" => dhcp::change(node, lab).map(Act::DhcpServer),
        "advertise" => advertise::change(node, lab).map(Act::Advertise),
        _ => None,
    }
}

/// The host that an act is about.
fn on(table: &Table<'_>, lab: &Lab) -> Option<HostName> {
    lab.host(table.need("on", "\"laptop\"")?.word()?)
}
