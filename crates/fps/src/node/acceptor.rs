//! Accepts connections, dials the target for each, and relays between the two.

use std::convert::Infallible;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use super::sessions::{Sessions, close};
use super::{End, chain};
use crate::config::{Config, Endpoint};
use crate::log::Throttle;
use crate::relay::{Relay, RelayError, Side, Traffic};
use crate::socket::SocketFactory;
use crate::tunnel::{CarrierId, Tunnel};

/// How long to leave the listener alone after `accept` failed. Out of descriptors it stays ready,
/// so trying at once would spin, and no event tells when one is free again.
const PAUSE: Duration = Duration::from_millis(100);

/// See the module.
pub(super) struct Acceptor {
    shared: Rc<Shared>,
    errors: Throttle,
}

/// What every connection uses.
struct Shared {
    target: Endpoint,
    sockets: SocketFactory,
    end: Option<Box<dyn End>>,
    tunnel: Rc<Tunnel>,
    sessions: Rc<Sessions>,
    read_buffer_size: usize,
    queue_bytes: usize,
    dial_errors: Throttle,
}

impl Acceptor {
    pub(super) fn new(
        config: &Config,
        target: Endpoint,
        sockets: SocketFactory,
        end: Option<Box<dyn End>>,
        tunnel: Rc<Tunnel>,
        sessions: Rc<Sessions>,
    ) -> Self {
        let shared = Rc::new(Shared {
            target,
            sockets,
            end,
            tunnel,
            sessions,
            read_buffer_size: config.network.read_buffer_size,
            queue_bytes: config.limits.max_session_write_queue_bytes,
            dial_errors: Throttle::default(),
        });
        Self {
            shared,
            errors: Throttle::default(),
        }
    }

    /// One task per connection: what fails in one stays in one.
    pub(super) async fn run(&self, listener: TcpListener) -> Infallible {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let id = self.shared.sessions.accept();
                    tracing::info!(event = "accepted", id = id.0, peer = %peer);
                    tokio::task::spawn_local(Rc::clone(&self.shared).serve(id, stream));
                }
                Err(error) => {
                    if let Some((count, suppressed)) = self.errors.hit(Instant::now()) {
                        tracing::error!(event = "accept_failed", error = %error, count, suppressed);
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

impl Shared {
    async fn serve(self: Rc<Self>, id: CarrierId, near: TcpStream) {
        let start = Instant::now();
        self.sockets.prepare(&near);
        let far = match self.sockets.connect(&self.target).await {
            Ok(far) => far,
            Err(error) => {
                let why = json!({
                    "reason": "target_connect_failed",
                    "direction": "client_to_server",
                    "component": "tcp",
                    "stage": null,
                    "error": error.kind().to_string(),
                });
                self.sessions.close(id, false, why);
                return self.dial_failed(id, &error);
            }
        };
        let local = far
            .local_addr()
            .map_or_else(|_| String::new(), |local| local.to_string());
        tracing::info!(event = "target_connected", id = id.0, target = %self.target, local);
        let (traffic, result) = match &self.end {
            Some(end) => self.relay(id, end.as_ref(), near, far).await,
            None => copy(near, far).await,
        };
        let Traffic { to_link, from_link } = traffic;
        let link_is_far = self.end.as_ref().is_some_and(|end| end.link_is_far());
        let authenticated = self.tunnel.forget(id);
        let why = close(&result, link_is_far);
        self.sessions.close(id, authenticated, why);
        let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        match result {
            Ok(()) => {
                let (id, reason) = (id.0, "ended");
                tracing::info!(
                    event = "session_closed",
                    id,
                    reason,
                    to_link,
                    from_link,
                    duration_ms
                );
            }
            Err(error) => {
                self.tunnel.session_failed(&error);
                let (id, reason, error) = (id.0, error.reason(), chain(&error));
                tracing::info!(
                    event = "session_closed",
                    id,
                    reason,
                    error,
                    to_link,
                    from_link,
                    duration_ms
                );
            }
        }
    }

    async fn relay(
        &self,
        id: CarrierId,
        end: &dyn End,
        near: TcpStream,
        far: TcpStream,
    ) -> (Traffic, Result<(), RelayError>) {
        let relay = Relay {
            id,
            session: end.session(),
            tunnel: Rc::clone(&self.tunnel),
            read_buffer_size: self.read_buffer_size,
            queue_bytes: self.queue_bytes,
        };
        match end.link_is_far() {
            true => relay.run(near, far).await,
            false => relay.run(far, near).await,
        }
    }

    fn dial_failed(&self, id: CarrierId, error: &dyn std::error::Error) {
        let (id, target, error) = (id.0, &self.target, chain(error));
        if let Some((count, suppressed)) = self.dial_errors.hit(Instant::now()) {
            tracing::warn!(
                event = "target_connect_failed",
                id, target = %target, error, count, suppressed
            );
        }
    }
}

/// Without zero_rtt the bytes pass as they are, TLS or not.
async fn copy(mut near: TcpStream, mut far: TcpStream) -> (Traffic, Result<(), RelayError>) {
    match tokio::io::copy_bidirectional(&mut near, &mut far).await {
        Ok((to_link, from_link)) => (Traffic { to_link, from_link }, Ok(())),
        Err(error) => (Traffic::default(), Err(RelayError::Read(Side::Link, error))),
    }
}
