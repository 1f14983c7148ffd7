//! Rules, as acts.

use fps_netlink::{
    Family, IpProtocol, RouteProtocol, Rule, RuleAction, RulePriority, TableId, protocol_name,
};

use super::addresses::run;
use super::draft::{Inline, quoted};
use super::routes::protocol;
use crate::dump::{Dump, HostRule};

/// What every host has: the priority, the table, and whether IPv6 has it, too.
const USUAL: [(u32, TableId, bool); 3] = [
    (0, TableId::LOCAL, true),
    (32_766, TableId::MAIN, true),
    (32_767, TableId(253), false),
];

/// The acts by which a host has the rules of a dump, and no others.
pub(super) fn acts(host: &str, dump: &Dump) -> Vec<String> {
    let mut acts: Vec<String> = Vec::new();
    let mut left: Vec<&HostRule> = dump.rules.iter().filter(|it| !is_usual(it)).collect();
    while !left.is_empty() {
        let rule = left.remove(0);
        let twin = twin(rule, &left);
        match typed(host, rule, twin.is_some()) {
            Some(act) => {
                if let Some(place) = twin {
                    left.remove(place);
                }
                acts.push(act);
            }
            None => {
                acts.push(by_hand(host, rule));
            }
        }
    }
    // What the kernel has set and this host has not goes last: until then every packet has a way.
    for (priority, table, of_v6) in USUAL {
        for family in Family::BOTH {
            let there = |it: &HostRule| {
                let rule = &it.rule;
                rule.family == family && is_usual(it) && rule.priority.0 == priority
            };
            let told = dump.rules.iter().any(|it| it.rule.family == family);
            let kernels = of_v6 || family == Family::V4;
            if kernels && told && !dump.rules.iter().any(there) {
                let words = ["ip", word(family), "rule", "del", "priority"].map(str::to_owned);
                let rest = [
                    priority.to_string(),
                    "lookup".to_owned(),
                    table.0.to_string(),
                ];
                acts.push(run(host, words.into_iter().chain(rest).collect()));
            }
        }
    }
    acts
}

fn is_usual(rule: &HostRule) -> bool {
    let own = &rule.rule;
    USUAL.iter().any(|(priority, table, of_v6)| {
        let plain = Rule::new(
            own.family,
            RulePriority(*priority),
            RuleAction::Lookup(*table),
        );
        let protocol = own.protocol;
        let kernels = *of_v6 || own.family == Family::V4;
        kernels && *own == Rule { protocol, ..plain } && rule.more.is_empty()
    })
}

/// The same rule of IPv6, where one act can stand for both.
fn twin(rule: &HostRule, later: &[&HostRule]) -> Option<usize> {
    let own = &rule.rule;
    if own.family != Family::V4 || own.from.is_some() || own.to.is_some() {
        return None;
    }
    let family = Family::V6;
    let other = Rule { family, ..*own };
    // Among rules of one priority their order counts.
    let of_priority = |it: &&&HostRule| it.rule.priority == own.priority;
    let mut same = later.iter().filter(of_priority);
    let (first, second) = (same.next(), same.next());
    first.filter(|it| it.rule == other && second.is_none() && it.more == rule.more)?;
    later.iter().position(|it| it.rule == other)
}

/// The act `rule`, where it says all of a rule.
fn typed(host: &str, rule: &HostRule, both: bool) -> Option<String> {
    let own = &rule.rule;
    let priority = own.priority.0;
    let mut act = Inline::default().text("on", host).raw("priority", priority);
    act = match own.action {
        RuleAction::Lookup(TableId::MAIN) => act.text("table", "main"),
        RuleAction::Lookup(TableId(253)) => act.text("table", "default"),
        RuleAction::Lookup(TableId(0)) => return None,
        RuleAction::Lookup(table) => act.raw("table", table.0),
        RuleAction::Unreachable => act.text("type", "unreachable"),
        RuleAction::Prohibit => act.text("type", "prohibit"),
        RuleAction::Blackhole => act.text("type", "blackhole"),
        RuleAction::Goto(_) | RuleAction::Nop | RuleAction::Other => return None,
    };
    let marks = own
        .mark
        .is_none_or(|mark| mark.mask != 0 && (mark.mark.0 != 0 || mark.mask != u32::MAX));
    let inverts = !own.inverted || own.mark.is_some();
    let links = [own.input, own.output].into_iter().flatten();
    let ports = own
        .ports
        .is_none_or(|ports| ports.first == ports.last && ports.first > 0);
    let protocols = [IpProtocol::Tcp, IpProtocol::Udp, IpProtocol::Icmp];
    let protocols = own.ip_protocol.is_none_or(|it| protocols.contains(&it));
    let users = own.users.is_none_or(|users| users.last < u32::MAX);
    let suppress = own.suppress_prefix.is_none_or(|it| it <= 128);
    let sayable = marks && inverts && ports && protocols && users && suppress;
    if !sayable || !(1..=32_765).contains(&priority) || !rule.more.is_empty() {
        return None;
    }
    if links.into_iter().any(|name| name.as_str() == "lo") {
        return None;
    }
    let mark = if own.inverted {
        "except-fwmark"
    } else {
        "fwmark"
    };
    act = act.some(mark, own.mark);
    act = act.some("from", own.from).some("to", own.to);
    act = act.some("iif", own.input).some("oif", own.output);
    act = act.some("ipproto", own.ip_protocol.map(protocol_name));
    act = act.raw_some("dport", own.ports.map(|ports| ports.first));
    act = act.some("uid", own.users);
    act = act.raw_some("suppress-prefix", own.suppress_prefix);
    if own.protocol != RouteProtocol::Boot {
        act = act.raw("protocol", protocol(own.protocol));
    }
    if !both && own.from.is_none() && own.to.is_none() {
        let ip = if own.family == Family::V4 { "v4" } else { "v6" };
        act = act.text("ip", ip);
    }
    Some(act.of("rule"))
}

fn word(family: Family) -> &'static str {
    match family {
        Family::V4 => "-4",
        Family::V6 => "-6",
    }
}

/// `ip rule add`, which takes all of it.
fn by_hand(host: &str, rule: &HostRule) -> String {
    let own = &rule.rule;
    let words = ["ip", word(own.family), "rule", "add"];
    let mut words: Vec<String> = words.map(str::to_owned).to_vec();
    if own.inverted {
        words.push("not".to_owned());
    }
    let mut add = |word: &str, value: Option<String>| {
        if let Some(value) = value {
            words.extend([word.to_owned(), value]);
        }
    };
    add("priority", Some(own.priority.0.to_string()));
    add("from", own.from.map(|net| net.to_string()));
    add("to", own.to.map(|net| net.to_string()));
    add("fwmark", own.mark.map(|mark| mark.to_string()));
    add("iif", own.input.map(|name| name.to_string()));
    add("oif", own.output.map(|name| name.to_string()));
    add("uidrange", own.users.map(|users| users.to_string()));
    add(
        "ipproto",
        own.ip_protocol.map(|it| u8::from(it).to_string()),
    );
    add("dport", own.ports.map(|ports| ports.to_string()));
    add("protocol", Some(u8::from(own.protocol).to_string()));
    for [word, value] in rule
        .more
        .iter()
        .filter(|[word, _]| word != "suppress_ifgroup")
    {
        add(word, Some(value.clone()));
    }
    match own.action {
        RuleAction::Lookup(table) => add("lookup", Some(table.0.to_string())),
        RuleAction::Goto(priority) => add("goto", Some(priority.0.to_string())),
        RuleAction::Unreachable => words.push("unreachable".to_owned()),
        RuleAction::Prohibit => words.push("prohibit".to_owned()),
        RuleAction::Blackhole => words.push("blackhole".to_owned()),
        RuleAction::Nop | RuleAction::Other => words.push("nop".to_owned()),
    }
    let mut add = |word: &str, value: Option<String>| {
        if let Some(value) = value {
            words.extend([word.to_owned(), value]);
        }
    };
    add(
        "suppress_prefixlength",
        own.suppress_prefix.map(|it| it.to_string()),
    );
    let group = rule
        .more
        .iter()
        .find(|[word, _]| word == "suppress_ifgroup");
    add("suppress_ifgroup", group.map(|[_, value]| value.clone()));
    run(host, words)
}

/// The rules as `ip rule` prints them, for `kernel`.
pub(super) fn lines(dump: &Dump) -> Vec<String> {
    let own = dump.rules.iter().filter(|it| !is_usual(it));
    let own = own.filter(|it| {
        !matches!(
            it.rule.action,
            RuleAction::Other | RuleAction::Lookup(TableId(0))
        )
    });
    own.map(|it| quoted(&line(&it.rule))).collect()
}

fn line(rule: &Rule) -> String {
    let mut text = match rule.family {
        Family::V4 => String::new(),
        Family::V6 => "-6 ".to_owned(),
    };
    text += &format!("{}:", rule.priority.0);
    let mut add = |word: &str, value: Option<String>| {
        if let Some(value) = value {
            text += &format!(" {word} {value}");
        }
    };
    if rule.inverted {
        add("not", Some(String::new()));
    }
    add("from", rule.from.map(|net| net.to_string()));
    add("to", rule.to.map(|net| net.to_string()));
    add("fwmark", rule.mark.map(|mark| mark.to_string()));
    add("iif", rule.input.map(|name| name.to_string()));
    add("oif", rule.output.map(|name| name.to_string()));
    match rule.action {
        RuleAction::Lookup(table) => add("lookup", Some(table.0.to_string())),
        RuleAction::Goto(priority) => add("goto", Some(priority.0.to_string())),
        RuleAction::Unreachable => add("unreachable", Some(String::new())),
        RuleAction::Prohibit => add("prohibit", Some(String::new())),
        RuleAction::Blackhole => add("blackhole", Some(String::new())),
        RuleAction::Nop | RuleAction::Other => add("nop", Some(String::new())),
    }
    add(
        "suppress_prefixlength",
        rule.suppress_prefix.map(|it| it.to_string()),
    );
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
