//! Accepts connections, dials the target for each, and relays between the two.

use std::convert::Infallible;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use super::End;
use super::doorman::{Doorman, Stranger};
use super::links::Links;
use super::sessions::{Sessions, close};
use crate::config::{Config, Endpoint};
use crate::relay::{Relay, RelayError, Side, Traffic};
use crate::socket::{SocketError, SocketFactory};
use crate::tunnel::{CarrierId, Tunnel};
use fps_log::Throttle;
use fps_log::chain;

/// How long to leave the listener alone after `accept` failed. Out of descriptors it stays ready,
/// so trying at once would spin, and no event tells when one is free again.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a connection without a way waits for the network to change.
const NO_WAY: Duration = Duration::from_secs(3);

/// How long a connection may say nothing at all. Nothing is dialled for it until then.
const SILENCE: Duration = Duration::from_secs(15);

/// See the module.
pub(super) struct Acceptor {
    shared: Rc<Shared>,
    doorman: Doorman,
    errors: Throttle,
}

/// What every connection uses.
pub(super) struct Shared {
    pub(super) target: Endpoint,
    pub(super) sockets: Rc<SocketFactory>,
    pub(super) end: Option<Box<dyn End>>,
    pub(super) tunnel: Rc<Tunnel>,
    pub(super) sessions: Rc<Sessions>,
    pub(super) links: Rc<Links>,
    pub(super) read_buffer_size: usize,
    pub(super) queue_bytes: usize,
    pub(super) dial_errors: Throttle,
}

impl Acceptor {
    pub(super) fn new(config: &Config, shared: Shared) -> Self {
        Self {
            shared: Rc::new(shared),
            doorman: Doorman::new(config.limits.max_unauthenticated_sessions),
            errors: Throttle::default(),
        }
    }

    /// One task per connection: what fails in one stays in one.
    pub(super) async fn run(&self, listener: TcpListener) -> Infallible {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    // Who is not let in is closed, and knows at once.
                    let Some(stranger) = self.doorman.admit() else {
                        continue;
                    };
                    let id = self.shared.sessions.accept();
                    tracing::info!(event = "accepted", id = id.0, peer = %peer);
                    let serve = Rc::clone(&self.shared).serve(id, stream, stranger);
                    tokio::task::spawn_local(serve);
                }
                Err(error) => {
                    let turned_away = self.doorman.turn_away(&listener, &error);
                    if let Some((count, suppressed)) = self.errors.hit(Instant::now()) {
                        tracing::error!(event = "accept_failed", error = %error, count, suppressed);
                    }
                    if !turned_away {
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            }
        }
    }
}

impl Shared {
    async fn serve(self: Rc<Self>, id: CarrierId, near: TcpStream, stranger: Stranger) {
        let start = Instant::now();
        self.sockets.prepare(&near);
        // A client of TLS speaks first; who says nothing costs one descriptor, and not for long.
        let speaks = match self.end {
            Some(_) => tokio::time::timeout(SILENCE, near.readable()).await.is_ok(),
            None => true,
        };
        if !speaks {
            let why = early_end("silent", "timeout".to_owned());
            tracing::info!(event = "session_closed", id = id.0, reason = "silent");
            return self.sessions.close(id, false, why);
        }
        let far = match self.dial().await {
            Ok(far) => far,
            Err(error) => {
                let why = early_end("target_connect_failed", error.kind().to_string());
                self.sessions.close(id, false, why);
                return self.dial_failed(id, &error);
            }
        };
        self.tunnel.expect(id, stranger);
        let local = far
            .local_addr()
            .map_or_else(|_| String::new(), |local| local.to_string());
        tracing::info!(event = "target_connected", id = id.0, target = %self.target, local);
        let (traffic, result) = match &self.end {
            Some(end) => self.relay(id, end.as_ref(), near, far).await,
            None => copy(near, far).await,
        };
        self.ended(id, start, traffic, &result);
    }

    fn ended(
        &self,
        id: CarrierId,
        start: Instant,
        traffic: Traffic,
        result: &Result<(), RelayError>,
    ) {
        let Traffic { to_link, from_link } = traffic;
        let link_is_far = self.end.as_ref().is_some_and(|end| end.link_is_far());
        let authenticated = self.tunnel.forget(id);
        self.sessions
            .close(id, authenticated, close(result, link_is_far));
        let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (id, reason, error) = match result {
            Ok(()) => (id.0, "ended", None),
            Err(error) => {
                self.tunnel.session_failed(error);
                (id.0, error.reason(), Some(chain(error)))
            }
        };
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

    /// Dials. Where there is no way at the moment, as in the middle of a roam, it is tried again as
    /// soon as the network has changed: whoever has connected is served without having to come again.
    async fn dial(&self) -> Result<TcpStream, SocketError> {
        let deadline = tokio::time::Instant::now() + NO_WAY;
        loop {
            // What changes from here on is not missed.
            let changed = self.links.changed();
            match self.sockets.connect(&self.target).await {
                Err(error) if error.is_without_way() => {
                    if tokio::time::timeout_at(deadline, changed).await.is_err() {
                        return Err(error);
                    }
                }
                outcome => return outcome,
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
        if !end.link_is_far() {
            return relay.run(far, near, std::future::pending()).await;
        }
        let watched = self.links.watch(id, &far).await;
        let dead = async {
            watched.is_dead().await;
            RelayError::WithoutWay
        };
        relay.run(near, far, dead).await
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

/// As the status has a connection that never was one.
fn early_end(reason: &str, error: String) -> serde_json::Value {
    json!({
        "reason": reason,
        "direction": "client_to_server",
        "component": "tcp",
        "stage": null,
        "error": error,
    })
}

/// Without zero_rtt the bytes pass as they are, TLS or not.
async fn copy(mut near: TcpStream, mut far: TcpStream) -> (Traffic, Result<(), RelayError>) {
    match tokio::io::copy_bidirectional(&mut near, &mut far).await {
        Ok((to_link, from_link)) => (Traffic { to_link, from_link }, Ok(())),
        Err(error) => (Traffic::default(), Err(RelayError::Read(Side::Link, error))),
    }
}
