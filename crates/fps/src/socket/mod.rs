//! How every socket of the link is made.
//!
//! One place, because one forgotten mark is a carrier that runs through its own tunnel.

mod cache;
mod pending;

use std::io;
use std::net::{IpAddr, SocketAddr};

use fps_netlink::{Fwmark, LinkName};
use nix::errno::Errno;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

pub(crate) use self::pending::{is_over, unacknowledged, unread};

use self::cache::Cache;
use crate::config::{Endpoint, Network};

/// How many finished handshakes may wait to be accepted.
const BACKLOG: u32 = 1024;

/// How much may wait in a socket to be sent (TCP_NOTSENT_LOWAT in tcp(7)).
const UNSENT: u32 = 128 << 10;

/// A socket could not be made as asked.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// `setsockopt(SO_MARK)` failed.
    #[error("cannot mark a socket with {mark}: grant CAP_NET_ADMIN or remove network.fwmark")]
    Mark {
        /// The mark.
        mark: Fwmark,
        /// Why.
        source: io::Error,
    },
    /// `setsockopt(SO_BINDTODEVICE)` failed.
    #[error(
        "cannot bind a socket to {device}: see that it is there, or change network.bind_device"
    )]
    Device {
        /// The device.
        device: LinkName,
        /// Why.
        source: io::Error,
    },
    /// There is no socket to be had.
    #[error("cannot make a socket: raise the limit on open files")]
    Make {
        /// Why.
        source: io::Error,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: free it or choose another network.listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A name has no address.
    #[error("cannot look up {endpoint}: check the name, and that DNS works")]
    Resolve {
        /// The name.
        endpoint: Endpoint,
        /// Why.
        source: io::Error,
    },
    /// The peer cannot be reached.
    #[error("cannot connect to {address}: check that it is up and that a route leads there")]
    Connect {
        /// The peer.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

impl SocketError {
    /// What the system said.
    pub fn kind(&self) -> io::ErrorKind {
        self.source_error().kind()
    }

    /// Whether there is no way to the peer at the moment, as in the middle of a roam: worth another
    /// attempt once the network has changed.
    pub fn is_without_way(&self) -> bool {
        let no_way = [
            Errno::ENETUNREACH,
            Errno::EHOSTUNREACH,
            Errno::ENETDOWN,
            Errno::EADDRNOTAVAIL,
            Errno::ENODEV,
        ];
        let errno = self.source_error().raw_os_error().map(Errno::from_raw);
        matches!(self, Self::Connect { .. }) && errno.is_some_and(|it| no_way.contains(&it))
    }

    fn source_error(&self) -> &io::Error {
        match self {
            Self::Mark { source, .. }
            | Self::Device { source, .. }
            | Self::Make { source }
            | Self::Listen { source, .. }
            | Self::Resolve { source, .. }
            | Self::Connect { source, .. } => source,
        }
    }
}

/// Makes sockets alike: marked, and bound to the underlay's device, where that is configured. It
/// remembers from which address a destination was reached, and what a name was looked up to, until the
/// network changes ([`reset`](Self::reset)).
#[derive(Debug)]
pub struct SocketFactory {
    mark: Option<Fwmark>,
    device: Option<LinkName>,
    no_delay: bool,
    cache: Cache,
}

impl SocketFactory {
    /// Tries mark and device on a throw-away socket, so that a missing privilege shows at the start and
    /// not as a carrier that loops later.
    pub fn new(network: &Network) -> Result<Self, SocketError> {
        let (mark, device) = (network.fwmark, network.bind_device);
        let factory = Self {
            mark,
            device,
            no_delay: network.tcp_no_delay,
            cache: Cache::default(),
        };
        if mark.is_some() || device.is_some() {
            let probe = TcpSocket::new_v4().or_else(|_| TcpSocket::new_v6());
            let probe = probe.map_err(|source| SocketError::Make { source })?;
            factory.lead_out(&probe)?;
        }
        Ok(factory)
    }

    /// Forgets what may not be so any more: the network has changed.
    pub fn reset(&self) {
        self.cache.clear();
    }

    /// The mark of its sockets.
    pub fn mark(&self) -> Fwmark {
        self.mark.unwrap_or(Fwmark(0))
    }

    /// Connects. Of a name each address is tried, in the resolver's order. What a name was looked up to is
    /// known for as long as it leads somewhere: while it is tried, which takes minutes where nobody
    /// answers, and when it has failed, the name is looked up anew.
    pub async fn connect(&self, endpoint: &Endpoint) -> Result<TcpStream, SocketError> {
        let Some((name, port)) = endpoint.name() else {
            return self
                .connect_any(endpoint, &self.resolve(endpoint).await?)
                .await;
        };
        if let Some(known) = self.cache.take_name(name, port) {
            match self.connect_any(endpoint, &known).await {
                Err(SocketError::Connect { .. }) => {}
                outcome => {
                    self.cache.keep_name(name, port, &known);
                    return outcome;
                }
            }
        }
        let found = self.resolve(endpoint).await?;
        let stream = self.connect_any(endpoint, &found).await?;
        self.cache.keep_name(name, port, &found);
        Ok(stream)
    }

    async fn connect_any(
        &self,
        endpoint: &Endpoint,
        addresses: &[SocketAddr],
    ) -> Result<TcpStream, SocketError> {
        let mut last = None;
        for address in addresses {
            match self.connect_to(*address).await {
                // What is wrong with the mark is so with every address.
                Err(error @ SocketError::Connect { .. }) => last = Some(error),
                outcome => return outcome,
            }
        }
        Err(last.unwrap_or_else(|| SocketError::Resolve {
            endpoint: endpoint.clone(),
            source: io::ErrorKind::NotFound.into(),
        }))
    }

    async fn resolve(&self, endpoint: &Endpoint) -> Result<Vec<SocketAddr>, SocketError> {
        if let Some(address) = endpoint.address() {
            return Ok(vec![address]);
        }
        let (name, port) = endpoint.name().unwrap_or_default();
        let found = tokio::net::lookup_host((name, port)).await;
        found.map(Iterator::collect).map_err(|source| {
            let endpoint = endpoint.clone();
            SocketError::Resolve { endpoint, source }
        })
    }

    async fn connect_to(&self, address: SocketAddr) -> Result<TcpStream, SocketError> {
        let failed = |source| SocketError::Connect { address, source };
        let socket = new_for(address).map_err(failed)?;
        self.lead_out(&socket)?;
        if let Some(source) = self.cache.source(address.ip())
            && self.bind(&socket, source).is_err()
        {
            // It is gone, and nobody has told yet.
            self.cache.forget_source(address.ip());
        }
        let stream = socket.connect(address).await.map_err(|source| {
            self.cache.forget_source(address.ip());
            failed(source)
        })?;
        if let Ok(local) = stream.local_addr() {
            self.cache.keep_source(address.ip(), local.ip());
        }
        self.prepare(&stream);
        Ok(stream)
    }

    /// Gives a socket its source before it connects; the kernel chooses the port then, so that one port
    /// may serve many destinations (IP_BIND_ADDRESS_NO_PORT in ip(7)).
    fn bind(&self, socket: &TcpSocket, source: IpAddr) -> io::Result<()> {
        nix::sys::socket::setsockopt(
            socket,
            nix::sys::socket::sockopt::IpBindAddressNoPort,
            &true,
        )?;
        socket.bind((source, 0).into())
    }

    /// Listens. The listener is not marked: its connections answer to wherever they came from.
    pub async fn listen(&self, endpoint: &Endpoint) -> Result<TcpListener, SocketError> {
        let found = self.resolve(endpoint).await?;
        let address = found.first().ok_or_else(|| SocketError::Resolve {
            endpoint: endpoint.clone(),
            source: io::ErrorKind::NotFound.into(),
        })?;
        self.listen_on(*address)
    }

    fn listen_on(&self, address: SocketAddr) -> Result<TcpListener, SocketError> {
        let failed = |source| SocketError::Listen { address, source };
        let socket = new_for(address).map_err(failed)?;
        // Without it a restart fails for as long as an old connection is in TIME_WAIT.
        socket.set_reuseaddr(true).map_err(failed)?;
        socket.bind(address).map_err(failed)?;
        socket.listen(BACKLOG).map_err(failed)
    }

    /// Sets the options of a connection, dialled or accepted.
    pub fn prepare(&self, stream: &TcpStream) {
        // Fails only on a connection that is dead already, which its first read will tell.
        let _ = stream.set_nodelay(self.no_delay);
        // What the link does not take waits with us, where one flow can go before another.
        let _ = SockRef::from(stream).set_tcp_notsent_lowat(UNSENT);
    }

    /// Keeps a socket out of the tunnel. That it cannot be done is fatal: the carrier would be led into
    /// the tunnel that it carries.
    fn lead_out(&self, socket: &TcpSocket) -> Result<(), SocketError> {
        let socket = SockRef::from(socket);
        if let Some(mark) = self.mark {
            let marked = socket.set_mark(mark.0);
            marked.map_err(|source| SocketError::Mark { mark, source })?;
        }
        if let Some(device) = self.device {
            let bound = socket.bind_device(Some(device.as_str().as_bytes()));
            bound.map_err(|source| SocketError::Device { device, source })?;
        }
        Ok(())
    }
}

fn new_for(address: SocketAddr) -> io::Result<TcpSocket> {
    if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_leads_nowhere_any_more_is_looked_up_anew() {
        let endpoint: Endpoint = "127.0.0.1:0".parse().unwrap();
        let factory = SocketFactory::new(&Network::bare(endpoint.clone())).unwrap();
        let listener = factory.listen(&endpoint).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let endpoint: Endpoint = format!("localhost:{port}").parse().unwrap();
        // As an earlier look-up had it: nobody listens there.
        let old: SocketAddr = format!("127.0.0.2:{port}").parse().unwrap();
        factory.cache.keep_name("localhost", port, &[old]);
        let stream = factory.connect(&endpoint).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), listener.local_addr().unwrap());
        let known = factory.cache.take_name("localhost", port).unwrap();
        assert!(!known.contains(&old), "{known:?}");
    }
}
