//! Operations carried out over netlink.

use fps_netlink::{Address, FPS_ROUTE_PROTOCOL, IfIndex, LinkName, Netlink, Route};
use ipnet::IpNet;
use nix::errno::Errno;

use crate::{Destination, Error, Operation};

/// Carries operations out in the network namespace of its netlink socket.
///
/// Every route that it sets carries [`FPS_ROUTE_PROTOCOL`], number 70: `ip route` shows it as
/// `proto 70`. It deletes no other, so that a cleanup never takes away what another program set.
#[derive(Clone, Debug)]
pub struct Executor {
    netlink: Netlink,
}

impl Executor {
    /// An executor for the namespace of the calling thread.
    pub fn open() -> Result<Self, Error> {
        Netlink::open().map(Self::new).map_err(Error::Netlink)
    }

    /// An executor for the namespace of a netlink socket.
    pub fn new(netlink: Netlink) -> Self {
        Self { netlink }
    }

    /// Fails where there is no such device: to be asked before anything changes.
    pub async fn require_device(&self, device: &LinkName) -> Result<(), Error> {
        match self.netlink.link(device).await.map_err(Error::Netlink)? {
            Some(_) => Ok(()),
            None => Err(Error::NoDevice(device.clone())),
        }
    }

    /// Carries an operation out. Done twice it is as done once; to take away what is absent is
    /// done already.
    pub async fn execute(&self, operation: &Operation) -> Result<(), Error> {
        match self.request(operation).await {
            Err(error)
                if error
                    .errno()
                    .is_some_and(|errno| is_absent(operation, errno)) =>
            {
                Ok(())
            }
            outcome => outcome.map_err(|error| refused(operation, error)),
        }
    }

    /// Sends what the operation says to the kernel.
    async fn request(&self, operation: &Operation) -> Result<(), Refusal> {
        let netlink = &self.netlink;
        let link = netlink
            .link(operation.device())
            .await?
            .ok_or(Refusal::NoDevice)?
            .index;
        match operation {
            Operation::ReplaceAddress { address, .. } => {
                netlink
                    .replace_address(&Address::new(link, address.net()))
                    .await?;
            }
            Operation::DeleteAddress { address, .. } => {
                netlink
                    .delete_address(&Address::new(link, address.net()))
                    .await?;
            }
            Operation::SetMtu { mtu, .. } => netlink.set_mtu(link, mtu.get()).await?,
            Operation::SetUp { .. } => netlink.set_up(link).await?,
            Operation::SetDown { .. } => netlink.set_down(link).await?,
            Operation::ReplaceRoute { to, .. } => netlink.replace_route(&route(*to, link)).await?,
            Operation::DeleteRoute { to, .. } => netlink.delete_route(&route(*to, link)).await?,
        }
        Ok(())
    }
}

/// Our route to a network by a device. The kernel deletes only a route whose protocol is the one
/// in the request (`fib_table_delete` in net/ipv4/fib_trie.c, `ip6_route_del` in
/// net/ipv6/route.c).
fn route(to: Destination, link: IfIndex) -> Route {
    let mut route = Route::new(to.net()).on_link(link);
    route.protocol = FPS_ROUTE_PROTOCOL;
    route
}

/// Why the kernel did not do it.
enum Refusal {
    /// There is no such device.
    NoDevice,
    /// It said no, or could not be asked.
    Netlink(fps_netlink::Error),
}

impl Refusal {
    fn errno(&self) -> Option<Errno> {
        match self {
            Self::NoDevice => Some(Errno::ENODEV),
            Self::Netlink(error) => error.errno(),
        }
    }
}

impl From<fps_netlink::Error> for Refusal {
    fn from(error: fps_netlink::Error) -> Self {
        Self::Netlink(error)
    }
}

/// Whether the kernel refused because what shall go is not there.
fn is_absent(operation: &Operation, errno: Errno) -> bool {
    match operation {
        Operation::DeleteRoute { .. } => {
            // ESRCH: no such route; ENOENT: no such table.
            matches!(errno, Errno::ESRCH | Errno::ENOENT | Errno::ENODEV)
        }
        Operation::DeleteAddress { .. } => {
            // ENXIO: the device has no IPv6 at all, as with an MTU below 1280 (`inet6_addr_del`
            // in net/ipv6/addrconf.c).
            matches!(errno, Errno::EADDRNOTAVAIL | Errno::ENODEV | Errno::ENXIO)
        }
        Operation::SetDown { .. } => errno == Errno::ENODEV,
        Operation::ReplaceAddress { .. }
        | Operation::SetMtu { .. }
        | Operation::SetUp { .. }
        | Operation::ReplaceRoute { .. } => false,
    }
}

/// Names the operation that was refused.
fn refused(operation: &Operation, refusal: Refusal) -> Error {
    let command = operation.to_string();
    let cause = match (refusal.errno(), refusal) {
        // Asked of every change before it is even read (`rtnetlink_rcv_msg` in
        // net/core/rtnetlink.c), so nothing has changed.
        (Some(Errno::EPERM), _) => return Error::MissingCapability { command },
        // `addrconf_add_dev` and `fib6_nh_init` (net/ipv6/) answer so where disable_ipv6 is set.
        (Some(Errno::EACCES), _) if is_v6(operation) => {
            return Error::Ipv6Disabled {
                command,
                device: operation.device().clone(),
            };
        }
        (_, Refusal::NoDevice) => Errno::ENODEV.into(),
        // Its own text repeats the operation, with the device as a number.
        (_, Refusal::Netlink(error)) => error.cause.into(),
    };
    Error::Operation { command, cause }
}

fn is_v6(operation: &Operation) -> bool {
    let net = match operation {
        Operation::ReplaceAddress { address, .. } => address.net(),
        Operation::ReplaceRoute { to, .. } => to.net(),
        _ => return false,
    };
    matches!(net, IpNet::V6(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_absent_is_forgiven() {
        let device = || LinkName::new("fpsc0").unwrap();
        let address = "10.66.0.2/30".parse().unwrap();
        let to = "10.66.1.0/24".parse().unwrap();
        let (no_route, no_table, no_address) = (Errno::ESRCH, Errno::ENOENT, Errno::EADDRNOTAVAIL);
        let (gone, no_ipv6) = (Errno::ENODEV, Errno::ENXIO);
        for (operation, forgiven) in [
            (
                Operation::DeleteRoute {
                    to,
                    device: device(),
                },
                vec![no_route, no_table, gone],
            ),
            (
                Operation::DeleteAddress {
                    address,
                    device: device(),
                },
                vec![no_address, gone, no_ipv6],
            ),
            (Operation::SetDown { device: device() }, vec![gone]),
            (
                Operation::ReplaceRoute {
                    to,
                    device: device(),
                },
                vec![],
            ),
            (
                Operation::ReplaceAddress {
                    address,
                    device: device(),
                },
                vec![],
            ),
            (Operation::SetUp { device: device() }, vec![]),
        ] {
            for errno in (1..134).map(Errno::from_raw) {
                let expected = forgiven.contains(&errno);
                assert_eq!(
                    is_absent(&operation, errno),
                    expected,
                    "{operation}: {errno}"
                );
            }
        }
    }
}
