//! One change to the host's state, and its opposite.

mod apply;
mod captor;
mod cleanup;
mod collision;
mod guard;
mod holder;
mod needed;
mod number;
mod owner;
mod ownership;
mod placeholder;
mod rank;
mod retire;
mod routes;
mod spread;
mod step;

#[cfg(test)]
mod properties;

pub(crate) use apply::lan_changes;
pub(crate) use captor::{Captor, How, Selected, captures};
pub use needed::{Needed, needed};
pub(crate) use needed::{differences, needed_but_bypasses};
pub use number::numbered;
pub(crate) use owner::of_rule as owner_of_rule;
pub use ownership::{Claim, Ownership};
pub(crate) use placeholder::is_placeholder;
pub use step::{Reason, Step};

use fps_netlink::{Address, IfIndex, Route, RouteRequest, Rule};
use nix::errno::Errno;

use crate::{DnsDomain, DnsServer};

/// One change that is needed. Each but those of DNS has an opposite. There may be 100 000 of them, so
/// what is large and rare is kept apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// An address that is not there.
    AddAddress(Address),
    /// An address that is.
    DeleteAddress(Address),
    /// An address that may be there or not.
    KeepAddress(Address),
    /// Another MTU.
    SetMtu {
        /// The device.
        link: IfIndex,
        /// What it is.
        from: u32,
        /// What it shall be.
        to: u32,
    },
    /// A device that is down.
    SetUp(IfIndex),
    /// A device that is up.
    SetDown(IfIndex),
    /// A route where there is none with its prefix and metric. The kernel refuses it where another
    /// program was faster (`NLM_F_EXCL`).
    AddRoute(Route),
    /// A route behind those with its prefix and metric.
    AppendRoute(Route),
    /// A route that may be there or not.
    KeepRoute(Route),
    /// A route of ours in place of another of ours: what is there, and what shall be.
    ReplaceRoute(Box<(Route, Route)>),
    /// A route of ours.
    DeleteRoute(Route),
    /// A rule that is not there.
    AddRule(Box<Rule>),
    /// A rule of ours.
    DeleteRule(Box<Rule>),
    /// Something that is looked up.
    Dns(DnsChange),
}

/// One change to what is looked up through the TUN device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsChange {
    /// The servers to ask.
    Servers(Vec<DnsServer>),
    /// The domains to ask them for.
    Domains(Vec<DnsDomain>),
    /// Whether to ask them for all other names.
    DefaultRoute(bool),
    /// Nothing of it.
    Revert,
}

impl Change {
    /// What undoes it. Of DNS nothing does: it is set back as a whole.
    #[must_use]
    pub fn opposite(&self) -> Option<Self> {
        Some(match self.clone() {
            Self::AddAddress(address) => Self::DeleteAddress(address),
            Self::DeleteAddress(address) | Self::KeepAddress(address) => Self::KeepAddress(address),
            Self::SetMtu { link, from, to } => Self::SetMtu {
                link,
                from: to,
                to: from,
            },
            Self::SetUp(link) => Self::SetDown(link),
            Self::SetDown(link) => Self::SetUp(link),
            Self::AddRoute(route) | Self::AppendRoute(route) => Self::DeleteRoute(route),
            // It was there, and the kernel has dropped it with something else.
            Self::KeepRoute(route) => Self::KeepRoute(route),
            Self::ReplaceRoute(routes) => {
                let (old, new) = *routes;
                Self::ReplaceRoute(Box::new((new, old)))
            }
            // Another with its prefix and metric may stand.
            Self::DeleteRoute(route) => Self::AppendRoute(route),
            Self::AddRule(rule) => Self::DeleteRule(rule),
            Self::DeleteRule(rule) => Self::AddRule(rule),
            Self::Dns(_) => return None,
        })
    }

    /// Whether the kernel refused because all is already as it shall be: what shall go is not
    /// there, or what shall stay is.
    pub(crate) fn is_done_already(&self, errno: Errno) -> bool {
        match self {
            // ESRCH: no such route; ENOENT: no such table.
            Self::DeleteRoute(_) => {
                matches!(errno, Errno::ESRCH | Errno::ENOENT | Errno::ENODEV)
            }
            // ENXIO: the device has no IPv6 at all, as with an MTU below 1280 (`inet6_addr_del`
            // in net/ipv6/addrconf.c).
            Self::DeleteAddress(_) => {
                matches!(errno, Errno::EADDRNOTAVAIL | Errno::ENODEV | Errno::ENXIO)
            }
            Self::KeepAddress(_) | Self::KeepRoute(_) => errno == Errno::EEXIST,
            Self::DeleteRule(_) => errno == Errno::ENOENT,
            Self::SetDown(_) => errno == Errno::ENODEV,
            Self::AddAddress(_)
            | Self::SetMtu { .. }
            | Self::SetUp(_)
            | Self::AddRoute(_)
            | Self::AppendRoute(_)
            | Self::ReplaceRoute(_)
            | Self::AddRule(_)
            | Self::Dns(_) => false,
        }
    }

    /// The route that is there when it is done.
    pub(crate) fn new_route(&self) -> Option<&Route> {
        match self {
            Self::AddRoute(route) | Self::AppendRoute(route) | Self::KeepRoute(route) => {
                Some(route)
            }
            Self::ReplaceRoute(routes) => Some(&routes.1),
            _ => None,
        }
    }

    /// A change of a route, as it goes with many others.
    pub(crate) fn route_request(&self) -> Option<RouteRequest<'_>> {
        Some(match self {
            Self::AddRoute(route) | Self::KeepRoute(route) => RouteRequest::Add(route),
            Self::AppendRoute(route) => RouteRequest::Append(route),
            Self::ReplaceRoute(routes) => RouteRequest::Replace(&routes.1),
            Self::DeleteRoute(route) => RouteRequest::Delete(route),
            _ => return None,
        })
    }

    /// A step with this change.
    fn because(self, reason: Reason) -> Step {
        Step {
            reason,
            change: self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_done_already_is_forgiven() {
        let link = IfIndex::LOOPBACK;
        let address = Address::new(link, "10.66.0.2/30".parse().unwrap());
        let route = Route::new("10.66.1.0/24".parse().unwrap()).on_link(link);
        let (no_route, no_table, no_address) = (Errno::ESRCH, Errno::ENOENT, Errno::EADDRNOTAVAIL);
        let (gone, no_ipv6) = (Errno::ENODEV, Errno::ENXIO);
        for (change, forgiven) in [
            (
                Change::DeleteRoute(route.clone()),
                vec![no_route, no_table, gone],
            ),
            (
                Change::DeleteAddress(address.clone()),
                vec![no_address, gone, no_ipv6],
            ),
            (Change::KeepAddress(address.clone()), vec![Errno::EEXIST]),
            (Change::SetDown(link), vec![gone]),
            (Change::AddRoute(route.clone()), vec![]),
            (Change::AppendRoute(route), vec![]),
            (Change::AddAddress(address), vec![]),
            (Change::SetUp(link), vec![]),
        ] {
            for errno in (1..134).map(Errno::from_raw) {
                let expected = forgiven.contains(&errno);
                assert_eq!(
                    change.is_done_already(errno),
                    expected,
                    "{change:?}: {errno}"
                );
            }
        }
    }

    #[test]
    fn all_but_dns_can_be_undone() {
        let route = Route::new("10.66.1.0/24".parse().unwrap());
        let deleted = Change::DeleteRoute(route.clone());
        assert_eq!(deleted.opposite(), Some(Change::AppendRoute(route)));
        let link = IfIndex::LOOPBACK;
        let (from, to) = (1500, 1280);
        let mtu = Change::SetMtu { link, from, to };
        assert_eq!(mtu.opposite().unwrap().opposite(), Some(mtu));
        assert_eq!(Change::Dns(DnsChange::Revert).opposite(), None);
    }
}
