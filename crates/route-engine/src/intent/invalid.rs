//! Values that are right each by itself, and do not go together.

use ipnet::IpNet;

use crate::{Bypass, Destination, Endpoint, Mtu, TunAddress};

/// Why values do not go together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIntent {
    /// A full tunnel for all packets would be one for the carrier's, too.
    #[error(
        "--full-tunnel needs a selector, --fwmark MARK, --from CIDR or --except-fwmark MARK: \
         without one the carrier itself could be routed into the tunnel"
    )]
    NoSelector,
    /// The machine's own tables or rules would be in between.
    #[error(
        "the full tunnel needs {tables} tables and {priorities} priorities, from {table} and from {priority} \
         upwards: those from 253 to 255, and priorities beyond 32765, are the machine's own, and the last table \
         is 4294967295"
    )]
    NoRoom {
        /// The first table.
        table: u32,
        /// The first priority.
        priority: u32,
        /// How many tables.
        tables: u32,
        /// How many priorities.
        priorities: u32,
    },
    /// What is to stay out would go in.
    #[error("--bypass {0} leads into the tunnel that it is to go around")]
    BypassIntoTunnel(Bypass),
    /// Nothing would be left for the tunnel.
    #[error("--bypass {0} would lead all packets around the tunnel")]
    BypassOfAll(Bypass),
    /// One prefix cannot lead to two places.
    #[error("--bypass names two gateways for {0}, which can only have one")]
    TwoBypasses(Destination),
    /// No rule would ever look at it.
    #[error("--bypass {0} is of a family of which the selector chooses no packet")]
    BypassFamily(Bypass),
    /// The carrier would be led into the tunnel that it carries.
    #[error(
        "--endpoint {endpoint} lies in --route {route}, which leads into the tunnel: the carrier \
         would be routed into the tunnel that it carries; leave the endpoint out of the route, or \
         use --full-tunnel with a selector"
    )]
    EndpointInRoute {
        /// Where the carrier connects to.
        endpoint: Endpoint,
        /// The route.
        route: Destination,
    },
    /// The kernel routes the subnet of an address into its device.
    #[error(
        "--endpoint {endpoint} lies in the subnet of --tun-address {address}, which leads into the \
         tunnel: the carrier would be routed into the tunnel that it carries"
    )]
    EndpointInSubnet {
        /// Where the carrier connects to.
        endpoint: Endpoint,
        /// The device's address.
        address: TunAddress,
    },
    /// All packets of a family are chosen, and none is excepted.
    #[error(
        "--from {0} chooses the carrier's packets as well, which would be routed into the tunnel \
         that they carry: name where it connects to with --endpoint or --bypass"
    )]
    NothingStaysOut(IpNet),
    /// One prefix cannot lead to two places.
    #[error("--route {route} and {other} name the same network, which can only lead one way")]
    TwoWays {
        /// The route.
        route: Destination,
        /// What leads around the tunnel.
        other: String,
    },
    /// The kernel takes IPv6 off a device with a smaller MTU (`addrconf_notify` in
    /// net/ipv6/addrconf.c).
    #[error(
        "--mtu {mtu} is below {least}, the least for IPv6 (RFC 8200, 5), which {net} needs",
        least = Mtu::LEAST_V6
    )]
    MtuBelowV6 {
        /// The MTU asked for.
        mtu: Mtu,
        /// The first IPv6 address or destination asked for.
        net: IpNet,
    },
}
