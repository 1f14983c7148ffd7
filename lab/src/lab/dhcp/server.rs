//! A DHCP server on a link of a host.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dhcproto::v4::{DhcpOption, Message, MessageType, Opcode, OptionCode};
use fps_netlink::LinkName;
use indexmap::IndexMap;
use ipnet::Ipv4Net;
use socket2::Socket;
use tokio::net::UdpSocket;
use tokio::time::Instant;

use super::{CLIENT_PORT, SERVER_PORT, message};
use crate::lab::LabError;
use crate::lab::host::Service;
use crate::sandbox::{HostId, Sandbox, SocketKind};
use crate::scenario::{self, DhcpServerChange, DhcpTerms, HostName};

/// For how long an address is kept for who was offered it.
const OFFER: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug)]
pub struct DhcpServer(Mutex<State>);

#[derive(Debug)]
struct State {
    address: Ipv4Net,
    terms: DhcpTerms,
    given: IndexMap<Client, Gift>,
}

/// Who asks: its identifier (option 61), or its Ethernet address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Client {
    Named(Vec<u8>),
    /// Nobody: a client has said that somebody uses this address (DHCPDECLINE).
    Taken(Ipv4Addr),
}

/// An address that was given. It is remembered when its time is over, so that who comes again gets
/// the same.
#[derive(Clone, Copy, Debug)]
struct Gift {
    address: Ipv4Addr,
    until: Instant,
}

/// An answer, and where it goes.
struct Reply {
    message: Message,
    to: Ipv4Addr,
}

impl DhcpServer {
    /// One that answers nobody yet.
    pub(in crate::lab) fn new(plan: &scenario::DhcpServer) -> Self {
        Self(Mutex::new(State {
            address: plan.address,
            terms: plan.terms.clone(),
            given: IndexMap::new(),
        }))
    }

    /// Does what an act says.
    pub fn change(&self, change: &DhcpServerChange) {
        self.lock().terms.change(change);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What a server says to a message (RFC 2131, 4.3). It is the only one that may speak for its net:
    /// it refuses what it does not know.
    fn reply(&mut self, asked: &Message, now: Instant) -> Option<Reply> {
        if !self.terms.answers {
            return None;
        }
        let client = client(asked);
        let requested = match asked.opts().get(OptionCode::RequestedIpAddress) {
            Some(DhcpOption::RequestedIpAddress(address)) => Some(*address),
            _ => None,
        };
        let chosen = match asked.opts().get(OptionCode::ServerIdentifier) {
            Some(DhcpOption::ServerIdentifier(server)) => Some(*server),
            _ => None,
        };
        let is_ours = chosen.is_none_or(|server| server == self.address.addr());
        match asked.opts().msg_type()? {
            MessageType::Discover => {
                let address = self.choose(&client, requested, now)?;
                self.keep(client, address, now + OFFER);
                Some(self.give(MessageType::Offer, asked, address))
            }
            MessageType::Request if is_ours => {
                let wanted = requested.unwrap_or(asked.ciaddr());
                if !self.may_have(&client, wanted, now) {
                    let message = message::answer(MessageType::Nak, asked, self.address);
                    let to = Ipv4Addr::BROADCAST;
                    return Some(Reply { message, to });
                }
                self.keep(client, wanted, now + self.terms.lease);
                Some(self.give(MessageType::Ack, asked, wanted))
            }
            // It has taken another server's offer.
            MessageType::Request => {
                self.given.swap_remove(&client);
                None
            }
            MessageType::Release if is_ours => {
                if let Some(gift) = self.given.get_mut(&client) {
                    gift.until = now;
                }
                None
            }
            MessageType::Decline if is_ours => {
                let address = requested?;
                self.given.swap_remove(&client);
                let until = now + self.terms.lease;
                self.keep(Client::Taken(address), address, until);
                None
            }
            MessageType::Inform => {
                let mut message = message::answer(MessageType::Ack, asked, self.address);
                message::put_terms(&mut message, self.address, &self.terms);
                let to = asked.ciaddr();
                Some(Reply { message, to })
            }
            _ => None,
        }
    }

    fn keep(&mut self, client: Client, address: Ipv4Addr, until: Instant) {
        self.given.insert(client, Gift { address, until });
    }

    fn give(&self, kind: MessageType, asked: &Message, address: Ipv4Addr) -> Reply {
        let mut message = message::answer(kind, asked, self.address);
        message.set_yiaddr(address);
        message::put_terms(&mut message, self.address, &self.terms);
        message::put_lease(&mut message, self.terms.lease);
        // Who has no address yet is told so that all hear it: a unicast would need its Ethernet
        // address in a neighbour table, or a socket below the stack (RFC 2131, 4.1).
        let to = match asked.ciaddr() {
            Ipv4Addr::UNSPECIFIED => Ipv4Addr::BROADCAST,
            own => own,
        };
        Reply { message, to }
    }

    /// The address that a client had before, the one that it asks for, one that nobody ever had, or one
    /// whose time is over; none where all are given.
    fn choose(
        &self,
        client: &Client,
        requested: Option<Ipv4Addr>,
        now: Instant,
    ) -> Option<Ipv4Addr> {
        let before = self.given.get(client).map(|gift| gift.address);
        let ever = |address| self.given.values().any(|gift| gift.address == address);
        let range = || self.terms.range.addresses();
        let fresh = range().find(|address| !ever(*address));
        let wishes = [before, requested, fresh].into_iter().flatten();
        wishes
            .chain(range())
            .find(|address| self.may_have(client, *address, now))
    }

    fn may_have(&self, client: &Client, address: Ipv4Addr, now: Instant) -> bool {
        let mut others = self.given.iter().filter(|(other, _)| *other != client);
        self.terms.range.contains(address)
            && !others.any(|(_, gift)| gift.address == address && gift.until > now)
    }
}

fn client(message: &Message) -> Client {
    Client::Named(match message.opts().get(OptionCode::ClientIdentifier) {
        Some(DhcpOption::ClientIdentifier(name)) => name.clone(),
        _ => message.chaddr().to_vec(),
    })
}

/// Answers on a link.
pub(in crate::lab) fn serve(
    sandbox: &Sandbox,
    name: &HostName,
    host: HostId,
    link: &LinkName,
    server: Arc<DhcpServer>,
) -> Result<Service, LabError> {
    let failed = |cause| LabError::Serve {
        host: name.clone(),
        port: SERVER_PORT,
        cause,
    };
    let socket = Socket::from(sandbox.socket(host, SocketKind::UdpV4)?);
    let socket = open(socket, link).map_err(failed)?;
    Ok(Service(tokio::spawn(answer(server, socket))))
}

/// A socket that hears broadcasts, of one link alone.
fn open(socket: Socket, link: &LinkName) -> std::io::Result<UdpSocket> {
    socket.set_nonblocking(true)?;
    socket.bind_device(Some(link.as_str().as_bytes()))?;
    socket.set_broadcast(true)?;
    let everywhere = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, SERVER_PORT);
    socket.bind(&everywhere.into())?;
    UdpSocket::from_std(socket.into())
}

async fn answer(server: Arc<DhcpServer>, socket: UdpSocket) {
    let mut bytes = vec![0; 2048];
    loop {
        // An ICMP error about an earlier answer shows here, and is no reason to stop.
        let Ok((length, _)) = socket.recv_from(&mut bytes).await else {
            continue;
        };
        let Some(asked) = message::read(&bytes[..length], Opcode::BootRequest) else {
            continue;
        };
        let reply = server.lock().reply(&asked, Instant::now());
        let Some(Reply { message, to }) = reply else {
            continue;
        };
        // What cannot be sent is as a lost packet: the client asks again, or says that it has no
        // answer.
        if let Ok(bytes) = message::bytes(&message) {
            drop(socket.send_to(&bytes, (to, CLIENT_PORT)).await);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Lease;
    use super::*;
    use crate::scenario::DhcpRange;

    const ANNA: [u8; 6] = [2, 0, 0, 0, 0, 0xa];
    const BERT: [u8; 6] = [2, 0, 0, 0, 0, 0xb];

    fn ip(text: &str) -> Ipv4Addr {
        text.parse().expect("an address")
    }

    /// A server with two addresses to give.
    fn state() -> State {
        let range = DhcpRange {
            first: ip("10.0.7.100"),
            last: ip("10.0.7.101"),
        };
        State {
            address: "10.0.7.1/24".parse().expect("an address"),
            terms: DhcpTerms {
                range,
                lease: Duration::from_secs(10),
                routers: vec![ip("10.0.7.1")],
                name_servers: Vec::new(),
                routes: Vec::new(),
                mtu: None,
                domain: None,
                answers: true,
            },
            given: IndexMap::new(),
        }
    }

    /// The four messages to a lease.
    fn lease(state: &mut State, station: [u8; 6], now: Instant) -> Option<Lease> {
        let offer = state.reply(&message::discover(station), now)?;
        let offer = Lease::read(&offer.message)?;
        let given = state.reply(&message::take(&offer, station), now)?;
        assert_eq!(given.message.opts().msg_type(), Some(MessageType::Ack));
        Lease::read(&given.message)
    }

    #[test]
    fn gives_each_client_its_own_address_and_the_same_again() {
        let (mut state, now) = (state(), Instant::now());
        let anna = lease(&mut state, ANNA, now).expect("a lease");
        let bert = lease(&mut state, BERT, now).expect("a lease");
        assert_eq!(anna.address, "10.0.7.100/24".parse().unwrap());
        assert_eq!(bert.address, "10.0.7.101/24".parse().unwrap());
        assert_eq!(lease(&mut state, ANNA, now), Some(anna));
        let third = [2, 0, 0, 0, 0, 0xc];
        assert_eq!(lease(&mut state, third, now), None, "all are given");
        let later = now + Duration::from_secs(11);
        assert!(lease(&mut state, third, later).is_some(), "they are free");
    }

    #[test]
    fn refuses_to_prolong_what_is_another_clients() {
        let (mut state, now) = (state(), Instant::now());
        let anna = lease(&mut state, ANNA, now).expect("a lease");
        let told = state.reply(&message::prolong(&anna, BERT), now);
        let told = told.expect("an answer").message.opts().msg_type();
        assert_eq!(told, Some(MessageType::Nak));
        let told = state.reply(&message::prolong(&anna, ANNA), now);
        let told = told.expect("an answer");
        assert_eq!(told.message.opts().msg_type(), Some(MessageType::Ack));
        assert_eq!(told.to, anna.address.addr(), "it has an address");
    }

    #[test]
    fn a_released_address_is_free() {
        let (mut state, now) = (state(), Instant::now());
        let anna = lease(&mut state, ANNA, now).expect("a lease");
        assert!(lease(&mut state, BERT, now).is_some());
        assert!(state.reply(&message::release(&anna, ANNA), now).is_none());
        let third = lease(&mut state, [2, 0, 0, 0, 0, 0xc], now).expect("a lease");
        assert_eq!(third.address, anna.address);
    }
}
