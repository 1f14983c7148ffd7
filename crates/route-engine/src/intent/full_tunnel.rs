//! Full tunnel: which packets look for their route in tables of their own.

use fps_netlink::{FPS_ROUTE_PROTOCOL, Family, Fwmark, Rule, RuleAction, RulePriority, TableId};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{Bypass, Destination};

/// Which packets go into the tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Selector {
    /// Those with this mark (`--fwmark`).
    Marked(Fwmark),
    /// Those from this network (`--from`).
    From(Destination),
    /// All but those with this mark (`--except-fwmark`).
    Unmarked(Fwmark),
}

/// Tables that lead into the tunnel, and the rules that lead to the tables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FullTunnel {
    /// The first table. All are ours.
    pub table: TableId,
    /// The first priority.
    pub priority: RulePriority,
    /// Which packets: one rule for each, family and layer.
    pub selectors: Vec<Selector>,
    /// What stays out by a gateway that is named.
    pub bypasses: Vec<Bypass>,
    /// Whether the LAN stays out; then there are three layers.
    pub lan: Option<KeepLan>,
}

/// The LAN stays out of the tunnel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepLan {
    /// Networks of which the routes by a gateway of the LAN are kept, too.
    pub routed: Vec<Destination>,
}

/// One of the tables of a full tunnel, in the order in which packets look into them.
///
/// With the LAN kept there are three, because one table is wrong either way: among the default
/// route of the tunnel the LAN is lost where it is not copied (firezone PR#10554), and where it is
/// copied it hides what the user routes into the tunnel (firezone PR#10742).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// What the user asked for: into the tunnel, or around it.
    User,
    /// Copies of the LAN's routes.
    Lan,
    /// Everything else goes into the tunnel.
    Default,
}

impl FullTunnel {
    /// The layers that there are. Without the LAN, the last stands for all.
    pub fn layers(&self) -> &'static [Layer] {
        match self.lan {
            Some(_) => &[Layer::User, Layer::Lan, Layer::Default],
            None => &[Layer::Default],
        }
    }

    fn offset(&self, layer: Layer) -> u32 {
        match (&self.lan, layer) {
            (None, _) | (Some(_), Layer::User) => 0,
            (Some(_), Layer::Lan) => 1,
            (Some(_), Layer::Default) => 2,
        }
    }

    /// The table of a layer.
    pub fn table_of(&self, layer: Layer) -> TableId {
        TableId(self.table.0.saturating_add(self.offset(layer)))
    }

    /// The priority of the rules that lead to it.
    pub fn priority_of(&self, layer: Layer) -> RulePriority {
        RulePriority(self.priority.0.saturating_add(self.offset(layer)))
    }

    /// Whether there are numbers for all layers.
    pub(crate) fn fits(&self) -> bool {
        let last = u32::try_from(self.layers().len() - 1).unwrap_or(u32::MAX);
        self.table.0.checked_add(last).is_some() && self.priority.0.checked_add(last).is_some()
    }

    /// The tables.
    pub fn tables(&self) -> impl Iterator<Item = TableId> + use<'_> {
        self.layers().iter().map(|&layer| self.table_of(layer))
    }

    /// The priorities.
    pub fn priorities(&self) -> impl Iterator<Item = RulePriority> + use<'_> {
        self.layers().iter().map(|&layer| self.priority_of(layer))
    }

    /// The rules: those of IPv4 first, and of each family in the order of the layers. A mark alone
    /// selects IPv6 only where the tunnel has an IPv6 address (`v6`); what selects all but the
    /// carrier selects both, or IPv6 would go around.
    pub fn rules(&self, v6: bool) -> Vec<Rule> {
        let mut rules = Vec::new();
        for family in Family::BOTH {
            for &layer in self.layers() {
                let selectors = self.selectors.iter();
                let of_family = selectors.filter(|selector| selector.concerns(family, v6));
                rules.extend(of_family.map(|selector| self.rule(family, layer, *selector)));
            }
        }
        rules
    }

    fn rule(&self, family: Family, layer: Layer, selector: Selector) -> Rule {
        let action = RuleAction::Lookup(self.table_of(layer));
        let mut rule = Rule::new(family, self.priority_of(layer), action);
        rule.protocol = FPS_ROUTE_PROTOCOL;
        match selector {
            Selector::Marked(mark) => rule.marked(mark),
            // The kernel keeps no network of length 0: it stands for all.
            Selector::From(net) if net.net().prefix_len() == 0 => rule,
            Selector::From(net) => rule.sent_from(net.net()),
            Selector::Unmarked(mark) => rule.marked(mark).inverted(),
        }
    }

    /// The families of which there are rules.
    pub fn families(&self, v6: bool) -> Vec<Family> {
        let chosen = |family: &Family| {
            let mut selectors = self.selectors.iter();
            selectors.any(|selector| selector.concerns(*family, v6))
        };
        Family::BOTH.into_iter().filter(chosen).collect()
    }

    /// The mark that the carrier's sockets must bear to stay out; none where they stay out by not
    /// being chosen.
    pub fn carrier_mark(&self) -> Fwmark {
        let mut selectors = self.selectors.iter();
        let exempt = selectors.find_map(|selector| match selector {
            Selector::Unmarked(mark) => Some(*mark),
            Selector::Marked(_) | Selector::From(_) => None,
        });
        exempt.unwrap_or(Fwmark(0))
    }
}

impl Selector {
    pub(crate) fn concerns(&self, family: Family, v6: bool) -> bool {
        match self {
            Self::Marked(_) => family == Family::V4 || v6,
            Self::From(net) => family == Family::of(net.net().addr()),
            Self::Unmarked(_) => true,
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
