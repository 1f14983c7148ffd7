//! What client and server say to each other.

use std::net::Ipv4Addr;
use std::time::Duration;

use dhcproto::v4::{DhcpOption, Flags, Message, MessageType, Opcode, OptionCode};
use dhcproto::{Decodable, Encodable};
use ipnet::Ipv4Net;

use super::DhcpError;
use crate::scenario::{DhcpRoute, DhcpTerms};

const NOBODY: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

/// What a client asks for (option 55). RFC 3442 wants classless routes before routers.
const WANTED: [OptionCode; 6] = [
    OptionCode::SubnetMask,
    OptionCode::ClasslessStaticRoute,
    OptionCode::Router,
    OptionCode::DomainNameServer,
    OptionCode::DomainName,
    OptionCode::InterfaceMtu,
];

/// An address for a while, and what comes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The address, with the length of its subnet's prefix.
    pub address: Ipv4Net,
    /// Who has given it.
    pub server: Ipv4Addr,
    /// Default gateways, the best first.
    pub routers: Vec<Ipv4Addr>,
    /// Name servers.
    pub name_servers: Vec<Ipv4Addr>,
    /// Classless routes, which go before `routers`.
    pub routes: Vec<DhcpRoute>,
    /// The link's MTU.
    pub mtu: Option<u16>,
    /// The domain in which short names are.
    pub domain: Option<String>,
    /// For how long, from when it was asked for.
    pub duration: Duration,
    /// After which time the server is asked to prolong it (T1).
    pub renew_after: Duration,
    /// After which time any server is (T2).
    pub rebind_after: Duration,
}

impl Lease {
    /// What a server offers or has given; none where it lacks what every lease has.
    pub(super) fn read(message: &Message) -> Option<Self> {
        let options = message.opts();
        let option = |code| options.get(code);
        let Some(DhcpOption::ServerIdentifier(server)) = option(OptionCode::ServerIdentifier)
        else {
            return None;
        };
        let Some(DhcpOption::SubnetMask(mask)) = option(OptionCode::SubnetMask) else {
            return None;
        };
        let Some(DhcpOption::AddressLeaseTime(seconds)) = option(OptionCode::AddressLeaseTime)
        else {
            return None;
        };
        let duration = Duration::from_secs((*seconds).into());
        let time = |told: Option<u32>, part: f64| {
            told.map_or(duration.mul_f64(part), |seconds| {
                Duration::from_secs(seconds.into())
            })
        };
        Some(Self {
            address: Ipv4Net::with_netmask(message.yiaddr(), *mask).ok()?,
            server: *server,
            routers: match option(OptionCode::Router) {
                Some(DhcpOption::Router(routers)) => routers.clone(),
                _ => Vec::new(),
            },
            name_servers: match option(OptionCode::DomainNameServer) {
                Some(DhcpOption::DomainNameServer(servers)) => servers.clone(),
                _ => Vec::new(),
            },
            routes: match option(OptionCode::ClasslessStaticRoute) {
                Some(DhcpOption::ClasslessStaticRoute(routes)) => {
                    routes.iter().copied().map(route).collect()
                }
                _ => Vec::new(),
            },
            mtu: match option(OptionCode::InterfaceMtu) {
                Some(DhcpOption::InterfaceMtu(mtu)) => Some(*mtu),
                _ => None,
            },
            domain: match option(OptionCode::DomainName) {
                Some(DhcpOption::DomainName(domain)) => Some(domain.clone()),
                _ => None,
            },
            // Halves and eighths where the server tells no times (RFC 2131, 4.4.5).
            renew_after: time(
                match option(OptionCode::Renewal) {
                    Some(DhcpOption::Renewal(seconds)) => Some(*seconds),
                    _ => None,
                },
                0.5,
            ),
            rebind_after: time(
                match option(OptionCode::Rebinding) {
                    Some(DhcpOption::Rebinding(seconds)) => Some(*seconds),
                    _ => None,
                },
                0.875,
            ),
            duration,
        })
    }
}

/// A gateway of 0.0.0.0 says that the destination is on the link (RFC 3442).
fn route((to, via): (Ipv4Net, Ipv4Addr)) -> DhcpRoute {
    let via = Some(via).filter(|via| !via.is_unspecified());
    DhcpRoute { to, via }
}

/// Asks whoever hears it for an address.
pub(super) fn discover(station: [u8; 6]) -> Message {
    client(MessageType::Discover, NOBODY, station)
}

/// Takes an offer.
pub(super) fn take(offer: &Lease, station: [u8; 6]) -> Message {
    let mut message = client(MessageType::Request, NOBODY, station);
    let options = message.opts_mut();
    options.insert(DhcpOption::RequestedIpAddress(offer.address.addr()));
    options.insert(DhcpOption::ServerIdentifier(offer.server));
    message
}

/// Asks for more time.
pub(super) fn prolong(lease: &Lease, station: [u8; 6]) -> Message {
    client(MessageType::Request, lease.address.addr(), station)
}

/// Gives a lease back.
pub(super) fn release(lease: &Lease, station: [u8; 6]) -> Message {
    let mut message = client(MessageType::Release, lease.address.addr(), station);
    let options = message.opts_mut();
    options.remove(OptionCode::ParameterRequestList);
    options.insert(DhcpOption::ServerIdentifier(lease.server));
    message
}

fn client(kind: MessageType, own: Ipv4Addr, station: [u8; 6]) -> Message {
    let mut message = Message::new(own, NOBODY, NOBODY, NOBODY, &station);
    if own == NOBODY {
        // Without an address the stack hears no unicast.
        message.set_flags(Flags::default().set_broadcast());
    }
    let options = message.opts_mut();
    options.insert(DhcpOption::MessageType(kind));
    options.insert(DhcpOption::ParameterRequestList(WANTED.to_vec()));
    message
}

/// A server's answer, with no address in it yet.
pub(super) fn answer(kind: MessageType, to: &Message, server: Ipv4Net) -> Message {
    let mut message =
        Message::new_with_id(to.xid(), NOBODY, NOBODY, NOBODY, to.giaddr(), to.chaddr());
    message.set_opcode(Opcode::BootReply);
    message.set_flags(to.flags());
    let options = message.opts_mut();
    options.insert(DhcpOption::MessageType(kind));
    options.insert(DhcpOption::ServerIdentifier(server.addr()));
    message
}

/// Puts into an answer what a server gives beside the address.
pub(super) fn put_terms(message: &mut Message, server: Ipv4Net, terms: &DhcpTerms) {
    let options = message.opts_mut();
    options.insert(DhcpOption::SubnetMask(server.netmask()));
    if !terms.routers.is_empty() {
        options.insert(DhcpOption::Router(terms.routers.clone()));
    }
    if !terms.name_servers.is_empty() {
        options.insert(DhcpOption::DomainNameServer(terms.name_servers.clone()));
    }
    if !terms.routes.is_empty() {
        let routes = terms.routes.iter();
        let routes = routes.map(|route| (route.to, route.via.unwrap_or(NOBODY)));
        options.insert(DhcpOption::ClasslessStaticRoute(routes.collect()));
    }
    if let Some(mtu) = terms.mtu {
        options.insert(DhcpOption::InterfaceMtu(mtu));
    }
    if let Some(domain) = &terms.domain {
        options.insert(DhcpOption::DomainName(domain.clone()));
    }
}

/// The time that goes with an address.
pub(super) fn put_lease(message: &mut Message, lease: Duration) {
    let seconds = u32::try_from(lease.as_secs()).unwrap_or(u32::MAX);
    let options = message.opts_mut();
    options.insert(DhcpOption::AddressLeaseTime(seconds));
}

/// A message as it goes over the wire.
pub(super) fn bytes(message: &Message) -> Result<Vec<u8>, DhcpError> {
    /// What a BOOTP message has at least (RFC 951), which some receivers insist on.
    const LEAST: usize = 300;
    let mut bytes = message.to_vec()?;
    bytes.resize(bytes.len().max(LEAST), 0);
    Ok(bytes)
}

/// A message of that kind of sender; none where it is malformed, or one that others send.
pub(super) fn read(bytes: &[u8], from: Opcode) -> Option<Message> {
    let message = Message::from_bytes(bytes).ok()?;
    (message.opcode() == from).then_some(message)
}
