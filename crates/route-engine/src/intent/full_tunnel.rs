//! Full tunnel: which packets look for their route in tables of their own.

use fps_netlink::{FPS_ROUTE_PROTOCOL, Family, Fwmark, Rule, RuleAction, RulePriority, TableId};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::leak_guard::Turn;
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
    /// Whether queries of DNS are kept off the underlay, by two more tables and rules before all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leak_guard: bool,
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
    /// Where queries of DNS go under a guard against leaks: into the tunnel.
    Dns,
    /// Where they go if their socket is bound to a link of the underlay, as systemd-resolved's are: they
    /// stay on the host. They are not refused, since of IPv4 the kernel takes a destination for a
    /// neighbour then (`ip_route_output_key_hash_rcu` in net/ipv4/route.c), and the LAN's resolver would
    /// have them.
    Bound,
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
            (_, Layer::Dns) => 0,
            (_, Layer::Bound) => 1,
            (None, _) | (Some(_), Layer::User) => 0,
            (Some(_), Layer::Lan) => 1,
            (Some(_), Layer::Default) => 2,
        }
    }

    /// The table of a layer: those of the guard come first, if there is one.
    pub fn table_of(&self, layer: Layer) -> TableId {
        let guard = if layer > Layer::Bound {
            self.guard_tables()
        } else {
            0
        };
        TableId(self.table.0.saturating_add(guard + self.offset(layer)))
    }

    /// The priority of the rules that lead to it by a selector.
    pub fn priority_of(&self, layer: Layer) -> RulePriority {
        let before = self.guard_priorities() + self.offset(layer);
        RulePriority(self.priority.0.saturating_add(before))
    }

    fn guard_tables(&self) -> u32 {
        if self.leak_guard { 2 } else { 0 }
    }

    fn guard_priorities(&self) -> u32 {
        if self.leak_guard { Turn::COUNT } else { 0 }
    }

    /// How many tables and how many priorities there are.
    pub(crate) fn counts(&self) -> (u32, u32) {
        let layers = u32::try_from(self.layers().len()).unwrap_or(u32::MAX);
        (
            self.guard_tables() + layers,
            self.guard_priorities() + layers,
        )
    }

    /// Whether there are numbers for all of them.
    pub(crate) fn fits(&self) -> bool {
        let (tables, priorities) = self.counts();
        let last_table = self.table.0.checked_add(tables - 1);
        last_table.is_some() && self.priority.0.checked_add(priorities - 1).is_some()
    }

    /// The tables.
    pub fn tables(&self) -> impl Iterator<Item = TableId> + use<'_> {
        let first = self.table.0;
        (0..self.counts().0).map(move |offset| TableId(first.saturating_add(offset)))
    }

    /// The priorities.
    pub fn priorities(&self) -> impl Iterator<Item = RulePriority> + use<'_> {
        let first = self.priority.0;
        (0..self.counts().1).map(move |offset| RulePriority(first.saturating_add(offset)))
    }

    /// The rules of the selectors: those of IPv4 first, and of each family in the order of the layers. A mark alone
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

    /// The families of which there are rules: a guard's are for both.
    pub(crate) fn all_families(&self, v6: bool) -> Vec<Family> {
        match self.leak_guard {
            true => Family::BOTH.to_vec(),
            false => self.families(v6),
        }
    }

    /// The families that selectors choose of.
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
