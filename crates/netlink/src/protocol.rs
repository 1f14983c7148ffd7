//! Who set a route or a rule, as `ip route` prints it behind `proto`.

use std::fmt;

use netlink_packet_route::route::RouteProtocol;

/// The protocol number on every route and rule that the route engine sets, so that it knows its own
/// again after a crash. iproute2's table gives the numbers above 4 to those who ask first; 70 is
/// free.
pub const FPS_ROUTE_PROTOCOL: RouteProtocol = RouteProtocol::Other(70);

/// A protocol number by the name that iproute2 has for it (etc/iproute2/rt_protos), or as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProtocolName(pub RouteProtocol);

impl fmt::Display for ProtocolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            RouteProtocol::Unspec => "unspec",
            RouteProtocol::IcmpRedirect => "redirect",
            RouteProtocol::Kernel => "kernel",
            RouteProtocol::Boot => "boot",
            RouteProtocol::Static => "static",
            RouteProtocol::Ra => "ra",
            RouteProtocol::Zebra => "zebra",
            RouteProtocol::Bird => "bird",
            RouteProtocol::Babel => "babel",
            RouteProtocol::Bgp => "bgp",
            RouteProtocol::Ospf => "ospf",
            RouteProtocol::Dhcp => "dhcp",
            other => return u8::from(other).fmt(f),
        };
        f.write_str(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_named_as_ip_route_names_it() {
        for (protocol, name) in [
            (RouteProtocol::Dhcp, "dhcp"),
            (RouteProtocol::Kernel, "kernel"),
            (FPS_ROUTE_PROTOCOL, "70"),
            (RouteProtocol::Other(99), "99"),
        ] {
            assert_eq!(ProtocolName(protocol).to_string(), name);
        }
    }
}
