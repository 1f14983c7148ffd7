//! One change to the kernel's state, and its opposite.

use fps_netlink::{Address, IfIndex, Route, Rule};
use nix::errno::Errno;

/// One change that is needed. Each has an opposite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// An address that is not there.
    AddAddress(Address),
    /// An address that is.
    DeleteAddress(Address),
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
    /// A route of ours in place of another of ours.
    ReplaceRoute {
        /// What is there.
        old: Route,
        /// What shall be there.
        new: Route,
    },
    /// A route of ours.
    DeleteRoute(Route),
    /// A rule that is not there.
    AddRule(Rule),
    /// A rule of ours.
    DeleteRule(Rule),
    /// The words behind `resolvectl`, and those that undo it.
    Resolvectl {
        /// To be done.
        words: Vec<String>,
        /// To be undone.
        undo: Vec<String>,
    },
}

impl Change {
    /// What undoes it.
    #[must_use]
    pub fn opposite(&self) -> Self {
        match self.clone() {
            Self::AddAddress(address) => Self::DeleteAddress(address),
            Self::DeleteAddress(address) => Self::AddAddress(address),
            Self::SetMtu { link, from, to } => Self::SetMtu {
                link,
                from: to,
                to: from,
            },
            Self::SetUp(link) => Self::SetDown(link),
            Self::SetDown(link) => Self::SetUp(link),
            Self::AddRoute(route) => Self::DeleteRoute(route),
            Self::ReplaceRoute { old, new } => Self::ReplaceRoute { old: new, new: old },
            Self::DeleteRoute(route) => Self::AddRoute(route),
            Self::AddRule(rule) => Self::DeleteRule(rule),
            Self::DeleteRule(rule) => Self::AddRule(rule),
            Self::Resolvectl { words, undo } => Self::Resolvectl {
                words: undo,
                undo: words,
            },
        }
    }

    /// Whether the kernel refused because what shall go is not there.
    pub(crate) fn is_absent(&self, errno: Errno) -> bool {
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
            Self::DeleteRule(_) => errno == Errno::ENOENT,
            Self::SetDown(_) => errno == Errno::ENODEV,
            Self::AddAddress(_)
            | Self::SetMtu { .. }
            | Self::SetUp(_)
            | Self::AddRoute(_)
            | Self::ReplaceRoute { .. }
            | Self::AddRule(_)
            | Self::Resolvectl { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_absent_is_forgiven() {
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
            (Change::SetDown(link), vec![gone]),
            (Change::AddRoute(route), vec![]),
            (Change::AddAddress(address), vec![]),
            (Change::SetUp(link), vec![]),
        ] {
            for errno in (1..134).map(Errno::from_raw) {
                let expected = forgiven.contains(&errno);
                assert_eq!(change.is_absent(errno), expected, "{change:?}: {errno}");
            }
            assert_eq!(change.opposite().opposite(), change);
        }
    }
}
