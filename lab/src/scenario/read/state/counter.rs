//! `counter`

use std::time::Duration;

use crate::counters::{GROUPS, STATISTICS};
use crate::scenario::model::{Check, Count, Counter, Expectation, HostName};
use crate::scenario::read::expect::{DEFAULT_WITHIN, name, own_name_is_as};
use crate::scenario::read::{Lab, Names, Verb};
use crate::scenario::syntax::{Node, Table, Word};

/// For how long a counter is watched that may not count too much, where the file does not say.
const DEFAULT_HOLD: Duration = Duration::from_millis(200);

/// The keys that say how many.
pub(crate) const COUNT: [&str; 3] = ["at-least", "at-most", "exactly"];

/// Reads `counter`.
pub(crate) fn counter(verb: Verb<'_>, lab: &Lab, names: &mut Names) -> Option<Expectation> {
    let keys = [&["as", "on", "name", "within", "for"], &COUNT[..]].concat();
    let table = verb.node.table("`counter`", &keys)?;
    let on_word = table.need("on", "\"laptop\"").and_then(Node::word);
    let counter_word = table
        .need("name", "\"IpExt.InNoRoutes\"")
        .and_then(Node::word);
    let canonical = on_word
        .zip(counter_word)
        .map(|(on, counter)| format!("{} counts {}", on.text, counter.text));
    let name = name(&table, "as", verb, canonical, names);
    let count = count(&table);
    let time = count.and_then(|count| time(&table, count));
    let on = lab.host(on_word?)?;
    let counter = known(counter_word?, &on, lab)?;
    Some(Expectation {
        name: name?,
        check: Check::Counter(Counter {
            on,
            counter,
            count: count?,
            time: time?,
        }),
    })
}

/// How many: one of three keys.
pub(crate) fn count(table: &Table<'_>) -> Option<Count> {
    let mut given = COUNT.iter().filter_map(|key| Some((*key, table.get(key)?)));
    let Some((key, node)) = given.next() else {
        let wrong = table.wrong(format!("{} does not say how many", table.what));
        return table.refuse(wrong.help("add `at-least`, `at-most` or `exactly`"));
    };
    if let Some((other, _)) = given.next() {
        let word = table.key(other)?;
        let wrong = word.wrong(format!("`{key}` and `{other}` exclude each other"));
        return word.refuse(wrong.help("remove one of them"));
    }
    let number = u64::try_from(node.integer("count", 0..=i64::MAX)?).ok()?;
    Some(match key {
        "at-least" => Count::AtLeast(number),
        "at-most" => Count::AtMost(number),
        _ => Count::Exactly(number),
    })
}

/// `within` for what comes true, `for` for what may become false.
pub(crate) fn time(table: &Table<'_>, count: Count) -> Option<Duration> {
    let (key, other, default) = match count.waits() {
        true => ("for", "within", DEFAULT_HOLD),
        false => ("within", "for", DEFAULT_WITHIN),
    };
    if let Some(word) = table.key(other) {
        let wrong = word.wrong(format!("{count} has no `{other}`"));
        let label = match count.waits() {
            true => "write `for`: it must hold all this time",
            false => "write `within`: it comes true by then",
        };
        return word.refuse(wrong.label(label));
    }
    table.get(key).map_or(Some(default), Node::duration)
}

/// A counter that the kernel can have: of one of its groups, or of a link.
fn known(word: Word<'_>, on: &HostName, lab: &Lab) -> Option<String> {
    let Some((group, rest)) = word.text.rsplit_once('.') else {
        let wrong = word.wrong(format!("`{}` is no counter", word.text));
        let wrong = wrong.help_if(own_name_is_as(word));
        let help = "write `IpExt.InNoRoutes`, as nstat(8) has it with a dot, or `eth0.rx_packets`";
        return word.refuse(wrong.help(help));
    };
    if GROUPS.contains(&group) {
        // Which counters it has, only the kernel knows.
        return Some(word.text.to_owned());
    }
    let is_link = group.starts_with(|c: char| c.is_ascii_lowercase());
    if !is_link {
        let wrong = word.wrong(format!("the kernel has no counters of `{group}`"));
        return word.refuse(wrong.meant(group, "groups", GROUPS));
    }
    let link = Word {
        text: group,
        ..word
    };
    if group != "lo" {
        lab.interface(on, link)?;
    }
    if !STATISTICS.contains(&rest) {
        let wrong = word.wrong(format!("a link has no counter `{rest}`"));
        return word.refuse(wrong.meant(rest, "counters", STATISTICS));
    }
    Some(word.text.to_owned())
}
