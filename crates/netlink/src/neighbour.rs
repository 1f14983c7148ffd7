//! How neighbours are asked for: `ip ntable`.

use std::time::Duration;

use netlink_packet_core::NLM_F_REPLACE;
use netlink_packet_route::neighbour_table::{
    NeighbourTableAttribute, NeighbourTableMessage, NeighbourTableParameter,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use crate::{IfIndex, Netlink, Result};

/// A neighbour table of one interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeighbourTable {
    /// IPv4, by ARP.
    Arp,
    /// IPv6, by neighbour discovery.
    Ndisc,
}

impl Netlink {
    /// `ip ntable change name TABLE dev … retrans MS mcast_probes N`: how long an unanswered
    /// request waits before the next, and how many are sent before the neighbour counts as gone.
    ///
    /// The sysctls of the same meaning do not exist for the defaults of a child namespace, so it
    /// is set per interface, after that exists.
    pub async fn set_neighbour_probes(
        &self,
        table: NeighbourTable,
        link: IfIndex,
        interval: Duration,
        probes: u32,
    ) -> Result<()> {
        let (name, family) = match table {
            NeighbourTable::Arp => ("arp_cache", AddressFamily::Inet),
            NeighbourTable::Ndisc => ("ndisc_cache", AddressFamily::Inet6),
        };
        let millis = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
        let mut message = NeighbourTableMessage::default();
        message.header.family = family;
        message.attributes.extend([
            NeighbourTableAttribute::Name(name.to_owned()),
            NeighbourTableAttribute::Parms(vec![
                NeighbourTableParameter::Ifindex(link.get()),
                NeighbourTableParameter::RetransTime(millis),
                NeighbourTableParameter::McastProbes(probes),
            ]),
        ]);
        self.change(
            || {
                format!(
                    "ip ntable change name {name} (index {link}) retrans {millis} mcast_probes {probes}"
                )
            },
            RouteNetlinkMessage::SetNeighbourTable(message),
            NLM_F_REPLACE,
        )
        .await
    }
}
