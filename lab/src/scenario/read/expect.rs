//! What a step expects.

use std::time::Duration;

use super::path;
use super::probe::{self, Question};
use super::target::{Aim, aim};
use super::throughput;
use super::{Lab, Names, Verb, act, dns, state};
use crate::scenario::model::{
    Check, Direction, Expectation, Given, How, NoCarrierLoop, Outage, Reach, Says, Silent, Target,
    Unreachable, When,
};
use crate::scenario::syntax::{Node, Table, Word};

const VERBS: &[&str] = &[
    "reach",
    "unreachable",
    "outage",
    "path",
    "throughput",
    "silent",
    "no-carrier-loop",
    "says",
    "resolves",
    "not-asked",
    "kernel",
    "unchanged",
    "changes",
    "prints",
    "counter",
    "log",
    "status",
];

const HOW: [(&str, How); 3] = [
    ("refused", How::Refused),
    ("filtered", How::Filtered),
    ("unrouted", How::Unrouted),
];

const DIRECTIONS: [(&str, Direction); 2] = [("in", Direction::In), ("out", Direction::Out)];

/// How long a probe, or a program, may take to be answered where the file does not say.
pub(super) const DEFAULT_WITHIN: Duration = Duration::from_secs(1);

/// For how long no answer may come where the file does not say.
const DEFAULT_HOLD: Duration = Duration::from_millis(500);

/// Whether this is a verb of `expect`.
pub(super) fn is_verb(word: &str) -> bool {
    VERBS.contains(&word)
}

/// What to write in place of a word that is no verb of `expect`.
fn instead(word: &str) -> Option<String> {
    match word {
        "ping" | "curl" | "tcp" | "udp" => Some(
            "write `reach = { from = \"laptop\", to = \"web\" }`, with `with = \"tcp\"`, `\"udp\"` or `\"http\"` for another question than a ping"
                .to_owned(),
        ),
        _ if act::is_verb(word) => Some("it is an act: write it in `do`".to_owned()),
        _ => None,
    }
}

/// Reads an expectation.
pub(crate) fn expectation(node: Node<'_>, lab: &Lab, names: &mut Names) -> Option<Expectation> {
    let verb = Verb::read_or(node, "an expectation", VERBS, instead);
    let before = names.count();
    let expectation = verb.and_then(|verb| match verb.word.text {
        "reach" => reach(verb, lab, names),
        "unreachable" => unreachable(verb, lab, names),
        "outage" => outage(verb, lab, names),
        "path" => path::path(verb, lab, names),
        "throughput" => throughput::throughput(verb, lab, names),
        "silent" => silent(verb, lab, names),
        "no-carrier-loop" => no_carrier_loop(verb, lab, names),
        "says" => says(verb, lab, names),
        "resolves" => dns::resolves(verb, lab, names),
        "not-asked" => dns::not_asked(verb, lab, names),
        "kernel" => state::kernel(verb, lab, names),
        "unchanged" => state::unchanged(verb, lab, names),
        "changes" => state::changes(verb, lab, names),
        "prints" => state::prints(verb, lab, names),
        "counter" => state::counter(verb, lab, names),
        "log" => state::log(verb, lab, names),
        "status" => state::status(verb, lab, names),
        _ => None,
    });
    if names.count() == before {
        names.incomplete = true;
    }
    expectation
}

/// The name that the file gives under a key, or the one that says what is checked.
pub(super) fn name(
    table: &Table<'_>,
    key: &str,
    verb: Verb<'_>,
    canonical: Option<String>,
    names: &mut Names,
) -> Option<String> {
    match table.get(key) {
        None => Some(names.canonical(&canonical?, verb.word.span)),
        Some(node) => {
            node.text()?;
            Some(names.explicit(node.word()?))
        }
    }
}

/// What to say of a `name` that seems to be what the expectation is called, where that is `as`.
pub(super) fn own_name_is_as(word: Word<'_>) -> Option<&'static str> {
    let is_called = word.text.contains(' ');
    is_called.then_some("the expectation's own name is `as` here")
}

fn reach(verb: Verb<'_>, lab: &Lab, names: &mut Names) -> Option<Expectation> {
    let keys = [&probe::KEYS[..], &["bulk", "via", "within", "for"]].concat();
    let table = verb.node.table("`reach`", &keys)?;
    let question = Question::read(&table, lab);
    let via_word = table.get("via").and_then(Node::word);
    let canonical = question
        .as_ref()
        .and_then(Question::text)
        .map(|text| match via_word {
            Some(via) => format!("reach {text} via {}", via.text),
            None => format!("reach {text}"),
        });
    let name = name(&table, "name", verb, canonical, names);
    let when = when(&table);
    refuse_long_bulk(&table)?;
    let question = question?;
    let via = question
        .from
        .as_ref()
        .zip(via_word)
        .map(|(from, word)| lab.interface(from, word));
    let probe = question.probe(lab)?;
    let via = match via {
        Some(found) => Some(found?),
        None => None,
    };
    Some(Expectation {
        name: name?,
        check: Check::Reach(Reach {
            probe,
            via,
            when: when?,
        }),
    })
}

/// A transfer either comes through or it does not: it is not asked again and again.
fn refuse_long_bulk(table: &Table<'_>) -> Option<()> {
    let (Some(bulk), Some(hold)) = (table.key("bulk"), table.key("for")) else {
        return Some(());
    };
    let wrong = hold.wrong("a transfer is made once");
    let wrong = wrong.other(bulk.span, "this one");
    hold.refuse(wrong.help("write `within` in place of `for`"))
}

pub(super) fn when(table: &Table<'_>) -> Option<When> {
    match (table.get("within"), table.get("for")) {
        (None, None) => Some(When::Within(DEFAULT_WITHIN)),
        (Some(within), None) => within.duration().map(When::Within),
        (None, Some(hold)) => hold.duration().map(When::For),
        (Some(_), Some(_)) => {
            let (within, hold) = (table.key("within")?, table.key("for")?);
            let wrong = hold.wrong("`within` and `for` exclude each other");
            let wrong = wrong
                .label("it holds all this time")
                .other(within.span, "it comes true by then");
            hold.refuse(wrong.help("remove one of them"))
        }
    }
}

/// Says what to write instead of `within`, before the table only says that it has no such key.
pub(super) fn refuse_within(verb: Verb<'_>) {
    let entries = verb
        .node
        .value
        .as_table()
        .map(|_| verb.node.entries())
        .unwrap_or_default();
    if let Some((key, _)) = entries.iter().find(|(key, _)| key.text == "within") {
        let wrong = key.wrong(format!("`{}` has no key `within`", verb.word.text));
        key.add(wrong.label("write `for`: it must hold all this time"));
    }
}

fn unreachable(verb: Verb<'_>, lab: &Lab, names: &mut Names) -> Option<Expectation> {
    refuse_within(verb);
    let keys = [&probe::KEYS[..], &["bulk", "for", "how"]].concat();
    let table = verb.node.table("`unreachable`", &keys)?;
    let question = Question::read(&table, lab);
    let text = question.as_ref().and_then(Question::text);
    let name = name(
        &table,
        "name",
        verb,
        text.map(|text| format!("unreachable {text}")),
        names,
    );
    let hold = table.get("for").map_or(Some(DEFAULT_HOLD), Node::duration);
    let how = table.get("how").map(Node::one_or_many).unwrap_or_default();
    let how: Option<Vec<How>> = how
        .into_iter()
        .map(|node| node.choice("how", &HOW))
        .collect();
    let probe = question?.probe(lab)?;
    let unreachable = Unreachable {
        probe,
        hold: hold?,
        how: how?,
    };
    Some(Expectation {
        name: name?,
        check: Check::Unreachable(unreachable),
    })
}

fn outage(verb: Verb<'_>, lab: &Lab, names: &mut Names) -> Option<Expectation> {
    let keys = [&probe::KEYS[..], &["at-most", "for"]].concat();
    let table = verb.node.table("`outage`", &keys)?;
    let question = Question::read(&table, lab);
    let text = question.as_ref().and_then(Question::text);
    let text = text.map(|text| format!("outage {text}"));
    let name = name(&table, "name", verb, text, names);
    if question.as_ref().is_some_and(Question::is_encrypted) {
        let with = table.get("with")?;
        let wrong = with.wrong("an outage cannot be measured by https");
        let wrong = wrong.label("a capture does not see which question was answered");
        return with.refuse(wrong.help("write `with = \"http\"` or `with = \"tcp\"`"));
    }
    let at_most = table.need("at-most", "\"300ms\"").and_then(Node::duration);
    let hold = table.get("for").map_or(Some(DEFAULT_HOLD), Node::duration);
    let probe = question?.probe(lab)?;
    let outage = Outage {
        probe,
        at_most: at_most?,
        hold: hold?,
    };
    Some(Expectation {
        name: name?,
        check: Check::Outage(outage),
    })
}

fn silent(verb: Verb<'_>, lab: &Lab, names: &mut Names) -> Option<Expectation> {
    refuse_within(verb);
    let table = verb.node.table(
        "`silent`",
        &["name", "on", "link", "to", "direction", "for"],
    )?;
    let on_word = table.need("on", "\"laptop\"").and_then(Node::word);
    let link_word = table.need("link", "\"wlan0\"").and_then(Node::word);
    let to = table.get("to").map(Node::one_or_many).unwrap_or_default();
    let peers: Option<Vec<Vec<Target>>> = to.iter().map(|node| peers(*node, lab)).collect();
    let to: Vec<&str> = to.iter().filter_map(|node| node.value.as_str()).collect();
    let direction = match table.get("direction") {
        None => Some(None),
        Some(node) => node.choice("direction", &DIRECTIONS).map(Some),
    };
    let canonical = on_word.zip(link_word).map(|(on, link)| {
        let way = direction.flatten();
        let way = way.map_or_else(String::new, |way| format!(" ({way})"));
        match to.is_empty() {
            true => format!("silent {}:{}{way}", on.text, link.text),
            false => format!("silent {}:{}{way} to {}", on.text, link.text, to.join(", ")),
        }
    });
    let name = name(&table, "name", verb, canonical, names);
    let hold = table.need("for", "\"500ms\"").and_then(Node::duration);
    let on = lab.host(on_word?)?;
    let link = lab.interface(&on, link_word?)?;
    let peers = peers?.concat();
    Some(Expectation {
        name: name?,
        check: Check::Silent(Silent {
            on,
            link,
            peers,
            direction: direction?,
            hold: hold?,
        }),
    })
}

fn no_carrier_loop(verb: Verb<'_>, lab: &Lab, names: &mut Names) -> Option<Expectation> {
    refuse_within(verb);
    let table = verb
        .node
        .table("`no-carrier-loop`", &["name", "on", "to", "for"])?;
    let on_word = table.need("on", "\"laptop\"").and_then(Node::word);
    let to = table.get("to").map(Node::word);
    let canonical = on_word.map(|on| match to {
        Some(Some(to)) => format!("no-carrier-loop {} to {}", on.text, to.text),
        _ => format!("no-carrier-loop {}", on.text),
    });
    let name = name(&table, "name", verb, canonical, names);
    let hold = table.need("for", "\"500ms\"").and_then(Node::duration);
    let on_word = on_word?;
    let on = lab.host(on_word)?;
    let Some(tunnel) = &lab.tunnel else {
        // A broken [tunnel] has said so already.
        if !lab.has_tunnel {
            let wrong = verb.word.wrong("there is no carrier: there is no [tunnel]");
            verb.word
                .add(wrong.help("add [tunnel] with `client` and `server`"));
        }
        return None;
    };
    if on != tunnel.client {
        let wrong = on_word.wrong(format!("`{on}` has no carrier"));
        let label = format!("the tunnel's client is `{}`", tunnel.client);
        return on_word.refuse(wrong.label(label));
    }
    let endpoint = match to {
        Some(word) => aim(word?, lab)?.address(None, word?.span, lab)?,
        None => tunnel.endpoint,
    };
    Some(Expectation {
        name: name?,
        check: Check::NoCarrierLoop(NoCarrierLoop {
            on,
            endpoint,
            outer: tunnel.outer(),
            hold: hold?,
        }),
    })
}

fn says(verb: Verb<'_>, lab: &Lab, names: &mut Names) -> Option<Expectation> {
    let keys = ["name", "who", "text", "within"];
    let table = verb.node.table("`says`", &keys)?;
    let who_node = table.need("who", "\"carrier\"");
    let text = table.need("text", "\"connected\"").and_then(Node::text);
    let who_word = who_node.and_then(Node::word);
    let canonical = who_word
        .zip(text.as_ref())
        .map(|(who, text)| format!("{} says `{text}`", who.text));
    let name = name(&table, "name", verb, canonical, names);
    let within = table
        .get("within")
        .map_or(Some(DEFAULT_WITHIN), Node::duration);
    let who = act::program::single(who_node?, lab)?;
    Some(Expectation {
        name: name?,
        check: Check::Says(Says {
            who,
            text: text?,
            within: within?,
        }),
    })
}

/// The addresses that a target stands for; all of a host's, since a packet to any would do harm.
pub(crate) fn peers(node: Node<'_>, lab: &Lab) -> Option<Vec<Target>> {
    let word = node.word()?;
    let (host, link) = match aim(word, lab)? {
        Aim::Address(ip, ..) => return Some(vec![Target::Fixed(ip)]),
        Aim::Host(host, link, _) => (host, link),
    };
    let plugs = lab.plugs.of(&host, link.as_ref());
    let fixed = plugs.map(|plug| Target::Fixed(plug.address.addr()));
    let gifts = lab.plugs.gifts(&host, link.as_ref());
    let given = gifts.map(|gift| {
        Target::Given(Given {
            host: gift.host.clone(),
            link: gift.link,
            family: gift.family.into(),
        })
    });
    let addresses: Vec<Target> = fixed.chain(given).collect();
    if addresses.is_empty() && !lab.doubtful_hosts.contains(&host) {
        return word.refuse(word.wrong(format!("`{}` has no address", word.text)));
    }
    Some(addresses)
}
