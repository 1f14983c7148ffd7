//! One change to the host.

use std::fmt;

use fps_netlink::LinkName;
use ipnet::IpNet;

use crate::{Destination, Mtu, TunAddress, quote};

/// One change to the host's network. Its text is the command that does the same by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Gives a device an address, which it may have already.
    ReplaceAddress {
        /// The address.
        address: TunAddress,
        /// Its device.
        device: LinkName,
    },
    /// Takes an address from a device.
    DeleteAddress {
        /// The address.
        address: TunAddress,
        /// Its device.
        device: LinkName,
    },
    /// Sets the length of the largest packet that a device takes whole.
    SetMtu {
        /// The length.
        mtu: Mtu,
        /// The device.
        device: LinkName,
    },
    /// Sets a device up.
    SetUp {
        /// The device.
        device: LinkName,
    },
    /// Sets a device down, at which the kernel drops its routes.
    SetDown {
        /// The device.
        device: LinkName,
    },
    /// Routes a network into a device, in place of a route to the same network and of the same
    /// metric, if there is one.
    ReplaceRoute {
        /// The network.
        to: Destination,
        /// The device.
        device: LinkName,
    },
    /// Takes our own route to a network away. Unlike the command it leaves another program's
    /// alone: see [`FPS_ROUTE_PROTOCOL`](fps_netlink::FPS_ROUTE_PROTOCOL).
    DeleteRoute {
        /// The network.
        to: Destination,
        /// The device.
        device: LinkName,
    },
}

impl Operation {
    /// The device that it changes or routes into.
    pub fn device(&self) -> &LinkName {
        match self {
            Self::ReplaceAddress { device, .. }
            | Self::DeleteAddress { device, .. }
            | Self::SetMtu { device, .. }
            | Self::SetUp { device }
            | Self::SetDown { device }
            | Self::ReplaceRoute { device, .. }
            | Self::DeleteRoute { device, .. } => device,
        }
    }
}

impl fmt::Display for Operation {
    /// The command of iproute2, each word quoted for bash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.device().as_str();
        let device = quote(name);
        match self {
            Self::ReplaceAddress { address, .. } => {
                write!(
                    f,
                    "{} addr replace {address} dev {device}",
                    ip(address.net())
                )
            }
            Self::DeleteAddress { address, .. } => {
                write!(f, "{} addr del {address} dev {device}", ip(address.net()))
            }
            Self::SetMtu { mtu, .. } => write!(f, "ip link set dev {device} mtu {mtu}"),
            Self::SetUp { .. } => write!(f, "ip link set dev {device} up"),
            Self::SetDown { .. } => write!(f, "ip link set dev {device} down"),
            Self::ReplaceRoute { to, .. } => {
                write!(f, "{} route replace {to} dev {device}", ip(to.net()))
            }
            Self::DeleteRoute { to, .. } => {
                write!(f, "{} route del {to} dev {device}", ip(to.net()))
            }
        }
    }
}

/// The command for a network's family.
fn ip(net: IpNet) -> &'static str {
    match net {
        IpNet::V4(_) => "ip",
        IpNet::V6(_) => "ip -6",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_name_is_quoted() {
        let device = LinkName::new("it's$0").unwrap();
        let to = "10.66.1.0/24".parse().unwrap();
        let operation = Operation::ReplaceRoute { to, device };
        assert_eq!(
            operation.to_string(),
            "ip route replace 10.66.1.0/24 dev it\\'s\\$0"
        );
    }
}
