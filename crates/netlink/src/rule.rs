//! Routing rules: `ip rule`.

use std::fmt;

use ipnet::IpNet;
use netlink_packet_core::{DefaultNla, NLM_F_CREATE, NLM_F_EXCL, Nla};
pub use netlink_packet_route::IpProtocol;
use netlink_packet_route::route::RouteProtocol;
use netlink_packet_route::rule::{
    RuleAction as Verb, RuleAttribute, RuleFlags, RuleMessage, RulePortRange, RuleUidRange,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use crate::error::{Cause, Error, Result};
use crate::selector::{MarkMatch, Ports, Users};
use crate::{Family, Fwmark, LinkName, Netlink, RulePriority, TableId};

/// A rule for all packets, or for those that everything it names chooses, or for all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The family of the packets that it is for.
    pub family: Family,
    /// When its turn comes. Rules may share a priority.
    pub priority: RulePriority,
    /// It is only for packets with such a mark.
    pub mark: Option<MarkMatch>,
    /// It is only for packets from this network.
    pub from: Option<IpNet>,
    /// It is only for packets to this network.
    pub to: Option<IpNet>,
    /// It is only for packets that came in by this interface; `lo` stands for our own.
    pub input: Option<LinkName>,
    /// It is only for packets of sockets that are bound to this interface.
    pub output: Option<LinkName>,
    /// It is only for packets of this protocol above IP (`ipproto`).
    pub ip_protocol: Option<IpProtocol>,
    /// It is only for packets to these ports (`dport`).
    pub ports: Option<Ports>,
    /// It is only for packets of these users' sockets (`uidrange`).
    pub users: Option<Users>,
    /// It chooses by more than this tells: ports of the sender, a service class.
    pub narrower: bool,
    /// It is for those packets that it does not choose (`FIB_RULE_INVERT`).
    pub inverted: bool,
    /// What becomes of a packet.
    pub action: RuleAction,
    /// A route that it finds counts only if its prefix is longer (`suppress_prefixlength`).
    pub suppress_prefix: Option<u32>,
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
    /// Refuses it with EACCES.
    Prohibit,
    /// Drops it without a word.
    Blackhole,
    /// Goes on with the first rule of this priority, which comes later; where there is none, with
    /// the next.
    Goto(RulePriority),
    /// Nothing at all: a place to go to.
    Nop,
    /// Something else, such as the table of a VRF.
    Other,
}

impl Rule {
    /// A rule for all packets by protocol `boot`, as `ip rule add` makes it.
    pub fn new(family: Family, priority: RulePriority, action: RuleAction) -> Self {
        Self {
            family,
            priority,
            mark: None,
            from: None,
            to: None,
            input: None,
            output: None,
            ip_protocol: None,
            ports: None,
            users: None,
            narrower: false,
            inverted: false,
            action,
            suppress_prefix: None,
            protocol: RouteProtocol::Boot,
        }
    }

    /// Is only for packets with this mark.
    #[must_use]
    pub fn marked(mut self, mark: impl Into<MarkMatch>) -> Self {
        self.mark = Some(mark.into());
        self
    }

    /// Is only for packets from this network.
    #[must_use]
    pub fn sent_from(mut self, net: IpNet) -> Self {
        self.from = Some(net.trunc());
        self
    }

    /// Is only for packets of this protocol to these ports.
    #[must_use]
    pub fn sent_to_port(mut self, protocol: IpProtocol, ports: impl Into<Ports>) -> Self {
        self.ip_protocol = Some(protocol);
        self.ports = Some(ports.into());
        self
    }

    /// Whether it is for a part of the packets only that mark, networks and interface choose: by
    /// protocol, port, user, or what this does not tell.
    pub fn is_narrow(&self) -> bool {
        self.narrower || self.ip_protocol.is_some() || self.ports.is_some() || self.users.is_some()
    }

    /// Is for all packets but those that it has been for.
    #[must_use]
    pub fn inverted(mut self) -> Self {
        self.inverted = !self.inverted;
        self
    }

    /// The table that it leads to.
    pub fn table(&self) -> Option<TableId> {
        match self.action {
            RuleAction::Lookup(table) => Some(table),
            _ => None,
        }
    }

    fn message(&self) -> RuleMessage {
        let mut message = RuleMessage::default();
        let header = &mut message.header;
        header.family = self.family.number();
        if self.inverted {
            header.flags |= RuleFlags::Invert;
        }
        let attributes = &mut message.attributes;
        attributes.push(RuleAttribute::Priority(self.priority.0));
        attributes.push(RuleAttribute::Protocol(self.protocol));
        if let Some(MarkMatch { mark, mask }) = self.mark {
            // Without a mask, mark 0 would stand for any.
            attributes.push(RuleAttribute::FwMark(mark.0));
            attributes.push(RuleAttribute::FwMask(mask));
        }
        if let Some(net) = self.from {
            header.src_len = net.prefix_len();
            attributes.push(RuleAttribute::Source(net.addr()));
        }
        if let Some(net) = self.to {
            header.dst_len = net.prefix_len();
            attributes.push(RuleAttribute::Destination(net.addr()));
        }
        if let Some(link) = &self.input {
            attributes.push(RuleAttribute::Iifname(link.to_string()));
        }
        if let Some(link) = &self.output {
            attributes.push(RuleAttribute::Oifname(link.to_string()));
        }
        if let Some(protocol) = self.ip_protocol {
            attributes.push(RuleAttribute::IpProtocol(protocol));
        }
        if let Some(Ports { first, last }) = self.ports {
            let (start, end) = (first, last);
            attributes.push(RuleAttribute::DestinationPortRange(RulePortRange {
                start,
                end,
            }));
        }
        if let Some(Users { first, last }) = self.users {
            let (start, end) = (first, last);
            attributes.push(RuleAttribute::UidRange(RuleUidRange { start, end }));
        }
        if let Some(length) = self.suppress_prefix {
            attributes.push(RuleAttribute::SuppressPrefixLen(length));
        }
        header.action = match self.action {
            RuleAction::Lookup(table) => {
                attributes.push(RuleAttribute::Table(table.0));
                Verb::ToTable
            }
            RuleAction::Unreachable => Verb::Unreachable,
            RuleAction::Prohibit => Verb::Prohibit,
            RuleAction::Blackhole => Verb::Blackhole,
            RuleAction::Goto(priority) => {
                attributes.push(RuleAttribute::Goto(priority.0));
                Verb::Goto
            }
            RuleAction::Nop => Verb::Nop,
            // The kernel refuses it with EINVAL.
            RuleAction::Other => Verb::Unspec,
        };
        message
    }

    fn message_without_priority(&self) -> RuleMessage {
        let mut message = self.message();
        let attributes = &mut message.attributes;
        attributes.retain(|it| !matches!(it, RuleAttribute::Priority(_)));
        message
    }

    /// None for rules of other families.
    fn from_message(message: &RuleMessage) -> Result<Option<Self>, Cause> {
        let header = &message.header;
        let family = match header.family {
            AddressFamily::Inet => Family::V4,
            AddressFamily::Inet6 => Family::V6,
            _ => return Ok(None),
        };
        let mut rule = Self::new(family, RulePriority(0), RuleAction::Other);
        rule.protocol = RouteProtocol::Unspec;
        rule.inverted = header.flags.contains(RuleFlags::Invert);
        rule.narrower = header.tos != 0;
        let (mut table, mut mark, mut mask) = (u32::from(header.table), None, None);
        let mut goto = None;
        for attribute in &message.attributes {
            let net = |address, length| {
                IpNet::new(address, length).map_err(|e| Cause::Malformed(e.to_string()))
            };
            match attribute {
                RuleAttribute::Source(address) => rule.from = Some(net(*address, header.src_len)?),
                RuleAttribute::Destination(address) => {
                    rule.to = Some(net(*address, header.dst_len)?);
                }
                RuleAttribute::Priority(number) => rule.priority = RulePriority(*number),
                RuleAttribute::Protocol(number) => rule.protocol = *number,
                RuleAttribute::Table(number) => table = *number,
                RuleAttribute::Goto(number) => goto = Some(RulePriority(*number)),
                RuleAttribute::FwMark(number) => mark = Some(*number),
                RuleAttribute::FwMask(number) => mask = Some(*number),
                RuleAttribute::Iifname(name) => rule.input = Some(link_name(name)?),
                RuleAttribute::Oifname(name) => rule.output = Some(link_name(name)?),
                RuleAttribute::IpProtocol(number) => rule.ip_protocol = Some(*number),
                RuleAttribute::DestinationPortRange(range) => {
                    let (first, last) = (range.start, range.end);
                    rule.ports = Some(Ports { first, last });
                }
                RuleAttribute::UidRange(range) => {
                    let (first, last) = (range.start, range.end);
                    rule.users = Some(Users { first, last });
                }
                RuleAttribute::Other(more) if is_whole_port(more) => {}
                // On every rule that looks a table up; all ones is the kernel's "none".
                RuleAttribute::SuppressPrefixLen(u32::MAX) => {}
                RuleAttribute::SuppressPrefixLen(length) => rule.suppress_prefix = Some(*length),
                _ => rule.narrower = true,
            }
        }
        rule.action = match header.action {
            Verb::ToTable => RuleAction::Lookup(TableId(table)),
            Verb::Unreachable => RuleAction::Unreachable,
            Verb::Prohibit => RuleAction::Prohibit,
            Verb::Blackhole => RuleAction::Blackhole,
            Verb::Goto => goto.map_or(RuleAction::Other, RuleAction::Goto),
            Verb::Nop => RuleAction::Nop,
            _ => RuleAction::Other,
        };
        // Of mark 0 the kernel tells the mask alone.
        rule.mark = mask.map(|mask| MarkMatch {
            mark: Fwmark(mark.unwrap_or(0)),
            mask,
        });
        Ok(Some(rule))
    }
}

/// What `ip rule` calls a protocol: by its name in /etc/protocols, or by its number.
pub fn protocol_name(protocol: IpProtocol) -> String {
    match protocol {
        IpProtocol::Udp => "udp".to_owned(),
        IpProtocol::Tcp => "tcp".to_owned(),
        other => u8::from(other).to_string(),
    }
}

/// FRA_DPORT_MASK of linux/fib_rules.h, which the kernel tells of each rule for one port since 6.15.
const DPORT_MASK: u16 = 29;

/// Whether it says that all bits of the port count.
fn is_whole_port(attribute: &DefaultNla) -> bool {
    let mut value = vec![0; attribute.value_len()];
    attribute.emit_value(&mut value);
    attribute.kind() == DPORT_MASK && value == [0xff; 2]
}

fn link_name(text: &str) -> Result<LinkName, Cause> {
    LinkName::new(text).map_err(|e| Cause::Malformed(e.to_string()))
}

impl fmt::Display for Rule {
    /// As `ip rule` takes it; what it does not tell is a question mark.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pref {}", self.priority)?;
        if self.inverted {
            f.write_str(" not")?;
        }
        if let Some(net) = self.from {
            write!(f, " from {net}")?;
        }
        if let Some(net) = self.to {
            write!(f, " to {net}")?;
        }
        if let Some(mark) = self.mark {
            write!(f, " fwmark {mark}")?;
        }
        if let Some(link) = &self.input {
            write!(f, " iif {link}")?;
        }
        if let Some(link) = &self.output {
            write!(f, " oif {link}")?;
        }
        if let Some(protocol) = self.ip_protocol {
            write!(f, " ipproto {}", protocol_name(protocol))?;
        }
        if let Some(ports) = self.ports {
            write!(f, " dport {ports}")?;
        }
        if let Some(users) = self.users {
            write!(f, " uidrange {users}")?;
        }
        if self.narrower {
            f.write_str(" …")?;
        }
        match self.action {
            RuleAction::Lookup(table) => write!(f, " lookup {table}")?,
            RuleAction::Unreachable => f.write_str(" unreachable")?,
            RuleAction::Prohibit => f.write_str(" prohibit")?,
            RuleAction::Blackhole => f.write_str(" blackhole")?,
            RuleAction::Goto(priority) => write!(f, " goto {priority}")?,
            RuleAction::Nop => f.write_str(" nop")?,
            RuleAction::Other => f.write_str(" ?")?,
        }
        match self.suppress_prefix {
            Some(length) => write!(f, " suppress_prefixlength {length}"),
            None => Ok(()),
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
    /// `ip rule show`, in the order of their turns.
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

    /// `ip rule add` without a priority: the kernel gives it the one before that of the second rule in
    /// turn (`fib_default_rule_pref` in net/core/fib_rules.c). So it is before all but table local's,
    /// whoever has set them, and the next such rule is before it.
    pub async fn add_rule_in_front(&self, rule: &Rule) -> Result<()> {
        let operation = || format!("{} add (in front of all) {rule}", command(rule.family));
        let message = RouteNetlinkMessage::NewRule(rule.message_without_priority());
        self.change(operation, message, NLM_F_CREATE | NLM_F_EXCL)
            .await
    }

    /// `ip rule del` without a priority: the first in turn that has all that this one names. What it does
    /// not name stands for any, as in [`Netlink::delete_rule`].
    pub async fn delete_rule_anywhere(&self, rule: &Rule) -> Result<()> {
        let operation = || format!("{} del (of any priority) {rule}", command(rule.family));
        let message = RouteNetlinkMessage::DelRule(rule.message_without_priority());
        self.change(operation, message, 0).await
    }

    /// `ip rule del`: the first rule with this priority, mark, action and protocol; refused with
    /// ENOENT where there is none. What it does not name stands for any, as does protocol `unspec`;
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
