//! Rules, as `ip rule` and `ip -6 rule` show them.

use fps_netlink::whole::{
    AddressFamily, RuleAction, RuleAttribute, RuleFlags, RuleMessage, RulePortRange,
};
use fps_netlink::{ProtocolName, protocol_name};

use super::entry::Entry;
use super::names;

pub(super) fn entry(rule: &RuleMessage) -> Entry {
    let header = &rule.header;
    let mut entry = Entry::default();
    let family = match header.family {
        AddressFamily::Inet6 => "-6",
        _ => "-4",
    };
    entry.set(family, "");
    let priority = rule
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            RuleAttribute::Priority(number) => Some(*number),
            _ => None,
        });
    entry.set("priority", priority.unwrap_or(0));
    entry.flag("not", header.flags.contains(RuleFlags::Invert));
    // Told of each rule; here for its place in the line.
    entry.set("from", "all");
    if header.tos != 0 {
        entry.set("tos", format!("{:#x}", header.tos));
    }
    let (mut table, mut goto) = (u32::from(header.table), None);
    let (mut mark, mut mask) = (None, None);
    let mut rest = Entry::default();
    for attribute in &rule.attributes {
        match attribute {
            RuleAttribute::Source(ip) => entry.set("from", format!("{ip}/{}", header.src_len)),
            RuleAttribute::Destination(ip) => entry.set("to", format!("{ip}/{}", header.dst_len)),
            RuleAttribute::Priority(_) => {}
            RuleAttribute::Table(number) => table = *number,
            RuleAttribute::Goto(number) => goto = Some(*number),
            RuleAttribute::FwMark(number) => mark = Some(*number),
            RuleAttribute::FwMask(number) => mask = Some(*number),
            RuleAttribute::Iifname(name) => entry.set("iif", name),
            RuleAttribute::Oifname(name) => entry.set("oif", name),
            RuleAttribute::IpProtocol(number) => entry.set("ipproto", protocol_name(*number)),
            RuleAttribute::SourcePortRange(range) => entry.set("sport", ports(range)),
            RuleAttribute::DestinationPortRange(range) => entry.set("dport", ports(range)),
            RuleAttribute::UidRange(range) => {
                entry.set("uidrange", format!("{}-{}", range.start, range.end));
            }
            RuleAttribute::Protocol(number) => rest.set("proto", ProtocolName(*number)),
            // All ones is the kernel's "none".
            RuleAttribute::SuppressPrefixLen(u32::MAX)
            | RuleAttribute::SuppressIfGroup(u32::MAX) => {}
            RuleAttribute::SuppressPrefixLen(length) => rest.set("suppress_prefixlength", length),
            RuleAttribute::SuppressIfGroup(group) => rest.set("suppress_ifgroup", group),
            more => rest.other(more),
        }
    }
    if let Some(mask) = mask {
        entry.set("fwmark", fwmark(mark.unwrap_or(0), mask));
    }
    action(&mut entry, header.action, table, goto);
    for (word, value) in rest.iter() {
        entry.set(word, value);
    }
    entry
}

fn action(entry: &mut Entry, action: RuleAction, table: u32, goto: Option<u32>) {
    match action {
        RuleAction::ToTable => entry.set("lookup", names::table(table)),
        RuleAction::Goto => entry.set("goto", goto.unwrap_or(0)),
        RuleAction::Nop => entry.set("action", "nop"),
        RuleAction::Blackhole => entry.set("action", "blackhole"),
        RuleAction::Unreachable => entry.set("action", "unreachable"),
        RuleAction::Prohibit => entry.set("action", "prohibit"),
        other => entry.set("action", format!("{other:?}")),
    }
}

fn fwmark(mark: u32, mask: u32) -> String {
    match mask {
        u32::MAX => format!("{mark:#x}"),
        mask => format!("{mark:#x}/{mask:#x}"),
    }
}

fn ports(range: &RulePortRange) -> String {
    match range.start == range.end {
        true => range.start.to_string(),
        false => format!("{}-{}", range.start, range.end),
    }
}
