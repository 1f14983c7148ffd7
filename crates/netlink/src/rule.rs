//! Routing rules: `ip rule`.

use std::fmt;

use ipnet::IpNet;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, Nla};
use netlink_packet_route::route::RouteProtocol;
use netlink_packet_route::rule::{RuleAction as Verb, RuleAttribute, RuleFlags, RuleMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use crate::error::{Cause, Error, Result};
use crate::{Family, Fwmark, Netlink, RulePriority, TableId};

/// A rule for all packets, or for those with a firewall mark or from a network, or for all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The family of the packets that it is for.
    pub family: Family,
    /// When its turn comes. Rules may share a priority.
    pub priority: RulePriority,
    /// It is only for packets with exactly this mark.
    pub fwmark: Option<Fwmark>,
    /// It is only for packets from this network.
    pub from: Option<IpNet>,
    /// It is for those packets that its mark and its network do not choose (`FIB_RULE_INVERT`).
    pub inverted: bool,
    /// What becomes of a packet.
    pub action: RuleAction,
    /// Who set it.
    pub protocol: RouteProtocol,
}

/// What a rule does with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleAction {
    /// Looks for a route in a table, and goes on with the next rule where there is none.
    Lookup(TableId),
    /// Refuses it with ENETUNREACH.
    Unreachable,
}

impl Rule {
    /// A rule for all packets by protocol `boot`, as `ip rule add` makes it.
    pub fn new(family: Family, priority: RulePriority, action: RuleAction) -> Self {
        Self {
            family,
            priority,
            fwmark: None,
            from: None,
            inverted: false,
            action,
            protocol: RouteProtocol::Boot,
        }
    }

    /// Is only for packets with this mark.
    #[must_use]
    pub fn marked(mut self, mark: Fwmark) -> Self {
        self.fwmark = Some(mark);
        self
    }

    /// Is only for packets from this network.
    #[must_use]
    pub fn sent_from(mut self, net: IpNet) -> Self {
        self.from = Some(net.trunc());
        self
    }

    /// Is for all packets but those that it has been for.
    #[must_use]
    pub fn inverted(mut self) -> Self {
        self.inverted = !self.inverted;
        self
    }

    fn message(&self) -> RuleMessage {
        let mut message = RuleMessage::default();
        message.header.family = self.family.number();
        if self.inverted {
            message.header.flags |= RuleFlags::Invert;
        }
        let attributes = &mut message.attributes;
        attributes.push(RuleAttribute::Priority(self.priority.0));
        attributes.push(RuleAttribute::Protocol(self.protocol));
        if let Some(mark) = self.fwmark {
            // Without a mask, mark 0 would stand for any.
            attributes.push(RuleAttribute::FwMark(mark.0));
            attributes.push(RuleAttribute::FwMask(u32::MAX));
        }
        if let Some(net) = self.from {
            message.header.src_len = net.prefix_len();
            attributes.push(RuleAttribute::Source(net.addr()));
        }
        message.header.action = match self.action {
            RuleAction::Lookup(table) => {
                attributes.push(RuleAttribute::Table(table.0));
                Verb::ToTable
            }
            RuleAction::Unreachable => Verb::Unreachable,
        };
        message
    }

    /// None for rules that a [`Rule`] cannot tell.
    fn from_message(message: &RuleMessage) -> Result<Option<Self>, Cause> {
        let header = &message.header;
        let family = match header.family {
            AddressFamily::Inet => Family::V4,
            AddressFamily::Inet6 => Family::V6,
            _ => return Ok(None),
        };
        let chooses_more = header.dst_len != 0 || header.tos != 0;
        let (mut priority, mut protocol) = (RulePriority(0), RouteProtocol::Unspec);
        let (mut table, mut mark, mut mask) = (u32::from(header.table), None, None);
        let mut source = None;
        for attribute in &message.attributes {
            match attribute {
                RuleAttribute::Source(address) => source = Some(*address),
                RuleAttribute::Priority(number) => priority = RulePriority(*number),
                RuleAttribute::Protocol(number) => protocol = *number,
                RuleAttribute::Table(number) => table = *number,
                RuleAttribute::FwMark(number) => mark = Some(*number),
                other if other.kind() == FRA_FWMASK => mask = Some(number(other)?),
                // On every rule that looks a table up; all ones is the kernel's "none".
                RuleAttribute::SuppressPrefixLen(u32::MAX) => {}
                _ => return Ok(None),
            }
        }
        let action = match header.action {
            Verb::ToTable => RuleAction::Lookup(TableId(table)),
            Verb::Unreachable => RuleAction::Unreachable,
            _ => return Ok(None),
        };
        // Of mark 0 the kernel tells the mask alone.
        let fwmark = mask.map(|_| Fwmark(mark.unwrap_or(0)));
        if chooses_more || mask.is_some_and(|mask| mask != u32::MAX) {
            return Ok(None);
        }
        let from = source
            .map(|address| IpNet::new(address, header.src_len))
            .transpose()
            .map_err(|e| Cause::Malformed(e.to_string()))?;
        Ok(Some(Self {
            family,
            priority,
            fwmark,
            from,
            inverted: header.flags.contains(RuleFlags::Invert),
            action,
            protocol,
        }))
    }
}

/// `FRA_FWMASK` in linux/fib_rules.h, which netlink-packet-route 0.34 writes but does not read.
const FRA_FWMASK: u16 = 16;

/// The value of an attribute that is one integer.
fn number(attribute: &RuleAttribute) -> Result<u32, Cause> {
    let mut bytes = [0; 4];
    if attribute.value_len() != bytes.len() {
        return Err(Cause::Malformed(format!("{attribute:?} is no integer")));
    }
    attribute.emit_value(&mut bytes);
    Ok(u32::from_ne_bytes(bytes))
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pref {}", self.priority)?;
        if self.inverted {
            f.write_str(" not")?;
        }
        if let Some(net) = self.from {
            write!(f, " from {net}")?;
        }
        if let Some(mark) = self.fwmark {
            write!(f, " fwmark {mark}")?;
        }
        match self.action {
            RuleAction::Lookup(table) => write!(f, " lookup {table}"),
            RuleAction::Unreachable => f.write_str(" unreachable"),
        }
    }
}

/// `ip rule`, or `ip -6 rule`.
fn command(family: Family) -> &'static str {
    match family {
        Family::V4 => "ip rule",
        Family::V6 => "ip -6 rule",
    }
}

impl Netlink {
    /// `ip rule show`: those that a [`Rule`] can tell, in the order of their turns. Rules that
    /// choose by destination, interfaces, ports or part of the mark, or do something else, are left
    /// out.
    pub async fn rules(&self, family: Family) -> Result<Vec<Rule>> {
        let operation = || format!("{} show", command(family));
        let mut message = RuleMessage::default();
        message.header.family = family.number();
        let answers = self
            .dump(operation, RouteNetlinkMessage::GetRule(message))
            .await?;
        answers
            .iter()
            .filter_map(|answer| match answer {
                RouteNetlinkMessage::NewRule(message) => Rule::from_message(message).transpose(),
                _ => None,
            })
            .collect::<Result<_, Cause>>()
            .map_err(|cause| Error::new(operation(), cause))
    }

    /// `ip rule add`; a rule that is there already is refused with EEXIST.
    pub async fn add_rule(&self, rule: &Rule) -> Result<()> {
        self.change(
            || format!("{} add {rule}", command(rule.family)),
            RouteNetlinkMessage::NewRule(rule.message()),
            NLM_F_CREATE | NLM_F_EXCL,
        )
        .await
    }

    /// `ip rule del`: the first rule with this priority, mark, action and protocol; refused with
    /// ENOENT where there is none. No mark stands for any, as do no network and protocol `unspec`;
    /// whether it is inverted is not compared (`rule_find` in net/core/fib_rules.c).
    pub async fn delete_rule(&self, rule: &Rule) -> Result<()> {
        self.change(
            || format!("{} del {rule}", command(rule.family)),
            RouteNetlinkMessage::DelRule(rule.message()),
            0,
        )
        .await
    }
}
