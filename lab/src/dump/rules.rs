//! `ip -j -d rule`.

use std::net::IpAddr;

use fps_netlink::{
    Family, Fwmark, LinkName, MarkMatch, Ports, RouteProtocol, Rule, RuleAction, RulePriority,
    Users,
};
use ipnet::IpNet;
use serde_json::Value;

use super::names::{self, TableNames};
use super::object::Object;
use super::{Remarks, shown};

/// A rule of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRule {
    /// What the lookup goes by.
    pub rule: Rule,
    /// What else `ip rule add` is to be told, a word and its value each.
    pub more: Vec<[String; 2]>,
}

/// Reads the rules of a family, in the order of their turns.
pub(super) fn rules(
    list: &[Value],
    family: Family,
    tables: &TableNames,
    remarks: &mut Remarks,
) -> Vec<HostRule> {
    let objects = list.iter().filter_map(Value::as_object);
    let rules = objects.filter_map(|fields| {
        let what = format!("rule {}", shown(fields));
        let object = Object::new(fields);
        match rule(&object, family, tables, remarks, &what) {
            Ok(mut rule) => {
                // What a later kernel adds to a rule chooses packets, as all that came until now did.
                rule.rule.narrower |= object.rest().next().is_some();
                object.remark(&what, remarks);
                Some(rule)
            }
            Err(why) => {
                remarks.add(format!("{what} is left out: {why}"));
                None
            }
        }
    });
    rules.collect()
}

fn rule(
    object: &Object<'_>,
    family: Family,
    tables: &TableNames,
    remarks: &mut Remarks,
    what: &str,
) -> Result<HostRule, String> {
    let priority = object.number("priority");
    let priority = RulePriority(priority.ok_or("it has no priority")?);
    let mut rule = Rule::new(family, priority, action(object, tables)?);
    rule.inverted = object.flag("not");
    rule.from = net(object, "src", "srclen", family)?;
    rule.to = net(object, "dst", "dstlen", family)?;
    if let Some(mark) = object.number("fwmark") {
        let mask = object.number("fwmask").unwrap_or(u32::MAX);
        let mark = Fwmark(mark);
        rule.mark = Some(MarkMatch { mark, mask });
    }
    let link = |name: &str| {
        let name = object.text(name).map(LinkName::new).transpose();
        name.map_err(|error| error.to_string())
    };
    (rule.input, rule.output) = (link("iif")?, link("oif")?);
    // The link is not there now: the rule waits for it.
    object.flag("iif_detached");
    object.flag("oif_detached");
    object.flag("unresolved");
    rule.users = users(object);
    if let Some(text) = object.text("ipproto") {
        let protocol = names::ip_protocol(&text);
        rule.ip_protocol = Some(protocol.ok_or("its protocol is not known")?);
    }
    rule.ports = ports(object, "dport");
    rule.suppress_prefix = object
        .number("suppress_prefixlen")
        .or_else(|| object.number("suppress_prefixlength"));
    rule.protocol = match object.text("protocol") {
        None => RouteProtocol::Unspec,
        Some(text) => names::protocol(&text).unwrap_or_else(|| {
            remarks.add(format!("{what}: who set it (`{text}`) is not known here"));
            RouteProtocol::Static
        }),
    };
    let more = words(object);
    // Realms choose no packets. A group of links chooses routes, which nobody looks at here.
    rule.narrower = more.iter().any(|[word, _]| word != "realms");
    Ok(HostRule { rule, more })
}

fn action(object: &Object<'_>, tables: &TableNames) -> Result<RuleAction, String> {
    let table = object.text("table");
    if let Some(text) = object.text("action") {
        return match text.as_str() {
            "unreachable" => Ok(RuleAction::Unreachable),
            "prohibit" => Ok(RuleAction::Prohibit),
            "blackhole" => Ok(RuleAction::Blackhole),
            "nop" => Ok(RuleAction::Nop),
            other => Err(format!("what it does (`{other}`) is not known here")),
        };
    }
    if let Some(priority) = object.number("goto") {
        return Ok(RuleAction::Goto(RulePriority(priority)));
    }
    if object.flag("nop") {
        return Ok(RuleAction::Nop);
    }
    if object.flag("l3mdev") {
        return Err("it is for VRFs, which are not reproduced".to_owned());
    }
    let table = table.ok_or("it has neither table nor action")?;
    let table = tables
        .of(&table)
        .ok_or("the number of its table is not known")?;
    Ok(RuleAction::Lookup(table))
}

/// A network: with the length of its prefix in a field of its own, where that is not whole.
fn net(
    object: &Object<'_>,
    name: &str,
    length: &str,
    family: Family,
) -> Result<Option<IpNet>, String> {
    let length = object.number(length);
    let Some(text) = object.text(name).filter(|it| it != "all") else {
        return Ok(None);
    };
    let net = match (text.parse::<IpAddr>(), length) {
        (Ok(ip), Some(length)) => {
            let length = u8::try_from(length).ok();
            length.and_then(|length| IpNet::new(ip, length).ok())
        }
        (Ok(ip), None) => Some(IpNet::from(ip)),
        (Err(_), _) => text.parse::<IpNet>().ok(),
    };
    let net = net.filter(|net| Family::of(net.addr()) == family);
    let net = net.ok_or_else(|| format!("`{text}` is no network of its family"))?;
    Ok((net.prefix_len() > 0).then(|| net.trunc()))
}

fn users(object: &Object<'_>) -> Option<Users> {
    let (first, last) = (object.number("uid_start"), object.number("uid_end"));
    let (first, last) = first.zip(last)?;
    (first <= last).then_some(Users { first, last })
}

fn range(object: &Object<'_>, name: &str) -> Option<(u16, u16)> {
    let port = |name: &str| object.number(name).and_then(|it| u16::try_from(it).ok());
    let one = port(name).map(|port| (port, port));
    let ends = port(&format!("{name}_start")).zip(port(&format!("{name}_end")));
    one.or(ends).filter(|(first, last)| first <= last)
}

fn ports(object: &Object<'_>, name: &str) -> Option<Ports> {
    let (first, last) = range(object, name)?;
    Some(Ports { first, last })
}

fn words(object: &Object<'_>) -> Vec<[String; 2]> {
    let mut words = Vec::new();
    let mut add = |word: &str, value: Option<String>| {
        let plain = |text: &String| {
            text.chars()
                .all(|c| c.is_ascii_alphanumeric() || "/-".contains(c))
        };
        if let Some(value) = value.filter(plain).filter(|it| !it.is_empty()) {
            words.push([word.to_owned(), value]);
        }
    };
    let ports = range(object, "sport").map(|(first, last)| Ports { first, last });
    add("sport", ports.map(|ports| ports.to_string()));
    add("tos", object.text("tos").or_else(|| object.text("dsfield")));
    add("tun_id", object.text("tun_id"));
    add("suppress_ifgroup", object.text("suppress_ifgroup"));
    let (from, to) = (object.text("flow_from"), object.text("flow_to"));
    add(
        "realms",
        match (from, to) {
            (Some(from), Some(to)) => Some(format!("{from}/{to}")),
            (from, to) => to.or(from),
        },
    );
    words
}
