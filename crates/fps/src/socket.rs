//! How every socket of the link is made.
//!
//! One place, because one forgotten mark is a carrier that runs through its own tunnel.

use std::io;
use std::net::SocketAddr;

use fps_netlink::Fwmark;
use socket2::SockRef;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::config::Endpoint;

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
        match self {
            Self::Mark { source, .. }
            | Self::Listen { source, .. }
            | Self::Resolve { source, .. }
            | Self::Connect { source, .. } => source.kind(),
        }
    }
}

/// Makes sockets alike.
#[derive(Clone, Debug)]
pub struct SocketFactory {
    mark: Option<Fwmark>,
    no_delay: bool,
}

impl SocketFactory {
    /// Tries the mark on a throw-away socket, so that a missing privilege shows at the start and
    /// not as a carrier that loops later.
    pub fn new(mark: Option<Fwmark>, no_delay: bool) -> Result<Self, SocketError> {
        let factory = Self { mark, no_delay };
        if let Some(mark) = mark {
            let failed = |source| SocketError::Mark { mark, source };
            let probe = TcpSocket::new_v4()
                .or_else(|_| TcpSocket::new_v6())
                .map_err(failed)?;
            factory.mark(&probe)?;
        }
        Ok(factory)
    }

    /// Connects a marked socket. Of a name each address is tried, in the resolver's order.
    pub async fn connect(&self, endpoint: &Endpoint) -> Result<TcpStream, SocketError> {
        let mut last = None;
        for address in self.resolve(endpoint).await? {
            match self.connect_to(address).await {
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
        self.mark(&socket)?;
        let stream = socket.connect(address).await.map_err(failed)?;
        self.prepare(&stream);
        Ok(stream)
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

    fn mark(&self, socket: &TcpSocket) -> Result<(), SocketError> {
        let Some(mark) = self.mark else { return Ok(()) };
        SockRef::from(socket)
            .set_mark(mark.0)
            .map_err(|source| SocketError::Mark { mark, source })
    }
}

fn new_for(address: SocketAddr) -> io::Result<TcpSocket> {
    if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }
}
