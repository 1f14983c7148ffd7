//! Full tunnel: which packets look for their route in a table of their own.

use fps_netlink::{FPS_ROUTE_PROTOCOL, Family, Fwmark, Rule, RuleAction, RulePriority, TableId};
use ipnet::IpNet;

use crate::{Bypass, Destination};

/// Which packets go into the tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Selector {
    /// Those with this mark (`--fwmark`).
    Marked(Fwmark),
    /// Those from this network (`--from`).
    From(Destination),
    /// All but those with this mark (`--except-fwmark`).
    Unmarked(Fwmark),
}

/// A table that leads into the tunnel, and the rules that lead into the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FullTunnel {
    /// The table, which is ours.
    pub table: TableId,
    /// The priority of each rule.
    pub priority: RulePriority,
    /// Which packets: one rule for each, and family.
    pub selectors: Vec<Selector>,
    /// What stays out.
    pub bypasses: Vec<Bypass>,
}

/// A rule that leads a selection of packets into a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyRule {
    /// The family of the packets.
    pub family: Family,
    /// When its turn comes.
    pub priority: RulePriority,
    /// The packets.
    pub selector: Selector,
    /// The table.
    pub table: TableId,
}

impl FullTunnel {
    /// The rules, of IPv4 first. A mark alone selects IPv6 only where the tunnel has an IPv6
    /// address (`v6`); what selects all but the carrier selects both, or IPv6 would go around.
    pub fn rules(&self, v6: bool) -> Vec<PolicyRule> {
        let rule = |family, selector| PolicyRule {
            family,
            priority: self.priority,
            selector,
            table: self.table,
        };
        Family::BOTH
            .iter()
            .flat_map(|&family| {
                self.selectors
                    .iter()
                    .map(move |&selector| (family, selector))
            })
            .filter(|(family, selector)| match selector {
                Selector::Marked(_) => *family == Family::V4 || v6,
                Selector::From(net) => *family == Family::of(net.net().addr()),
                Selector::Unmarked(_) => true,
            })
            .map(|(family, selector)| rule(family, selector))
            .collect()
    }

    /// The families of which there are rules.
    pub fn families(&self, v6: bool) -> Vec<Family> {
        let rules = self.rules(v6);
        let of = |family: &Family| rules.iter().any(|rule| rule.family == *family);
        Family::BOTH.into_iter().filter(of).collect()
    }
}

impl PolicyRule {
    /// What follows `ip rule add`, word by word.
    pub(crate) fn words(&self) -> Vec<String> {
        let selector = match self.selector {
            Selector::Marked(mark) => format!("fwmark {mark}"),
            Selector::From(net) => format!("from {net}"),
            Selector::Unmarked(mark) => format!("not from all fwmark {mark}"),
        };
        let line = format!("priority {} {selector} table {}", self.priority, self.table);
        line.split(' ').map(str::to_owned).collect()
    }

    /// The kernel's rule, with our protocol on it.
    pub(crate) fn rule(&self) -> Rule {
        let mut rule = Rule::new(self.family, self.priority, RuleAction::Lookup(self.table));
        rule.protocol = FPS_ROUTE_PROTOCOL;
        match self.selector {
            Selector::Marked(mark) => rule.marked(mark),
            // The kernel keeps no network of length 0: it stands for all.
            Selector::From(net) if net.net().prefix_len() == 0 => rule,
            Selector::From(net) => rule.sent_from(net.net()),
            Selector::Unmarked(mark) => rule.marked(mark).inverted(),
        }
    }
}

/// Everything: `0.0.0.0/0` or `::/0`.
pub(crate) fn everything(family: Family) -> IpNet {
    match family {
        Family::V4 => IpNet::V4(ipnet::Ipv4Net::default()),
        Family::V6 => IpNet::V6(ipnet::Ipv6Net::default()),
    }
}
