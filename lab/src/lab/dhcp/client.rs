//! The DHCP client of a link.
//!
//! As systemd-networkd does, it broadcasts below the stack, past nftables and without an address, and
//! prolongs its lease by an ordinary socket of the link, which rules, routes and filters see.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dhcproto::v4::{Message, MessageType, Opcode};
use fps_netlink::{IfIndex, LinkName};
use fps_netns::Station;
use fps_packet::Datagrams;
use socket2::Socket;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::install::Place;
use super::{CLIENT_PORT, DhcpError, Lease, SERVER_PORT, message};
use crate::lab::host::Service;
use crate::sandbox::{HostId, Sandbox, SandboxError, SocketKind};
use crate::scenario::{self, DhcpOrder, Renewal};

/// How long an act waits for a lease.
const PATIENCE: Duration = Duration::from_secs(5);
/// After which time a question is asked again. Clients of the world wait four seconds (RFC 2131, 4.1),
/// since others share their link.
const AGAIN: Duration = Duration::from_millis(500);
/// The least of that where the time that is left is halved.
const SOON: Duration = Duration::from_millis(50);

/// What leases are counted by, so that one of a client that was made anew is not taken for an older one.
static SERIAL: AtomicU64 = AtomicU64::new(1);

/// See the module. Dropping it ends it, and leaves the link as it is.
#[derive(Debug)]
pub struct DhcpClient {
    orders: mpsc::Sender<(Order, oneshot::Sender<Result<(), DhcpError>>)>,
    held: watch::Receiver<Held>,
    _task: Service,
}

/// What a client has.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// Its lease, if it has one.
    pub lease: Option<Lease>,
    /// Another number each time that it is given one, or the same again; 0 before.
    pub serial: u64,
    /// Why it has ended, if it has.
    pub failure: Option<String>,
}

enum Order {
    /// Ask anew, for a link that is configured so.
    Start(Option<u32>, scenario::DhcpClient),
    Do(DhcpOrder, Option<Renewal>),
    /// Forget the lease, and ask for none.
    Halt,
}

/// What the client waits for.
enum Phase {
    /// Nothing: it has no lease, and wants none.
    Idle,
    /// An offer.
    Selecting { asked: Message },
    /// The lease that was offered.
    Requesting { asked: Message },
    /// The time to prolong its lease.
    Bound,
    /// Its server.
    Renewing { asked: Message },
    /// Any server.
    Rebinding { asked: Message },
}

struct Task {
    place: Place,
    below: Datagrams,
    socket: UdpSocket,
    phase: Phase,
    lease: Option<Lease>,
    /// From when the lease counts: when it was asked for.
    since: Instant,
    asked_at: Instant,
    again_at: Instant,
    waiting: Vec<oneshot::Sender<Result<(), DhcpError>>>,
    held: watch::Sender<Held>,
}

impl DhcpClient {
    /// Makes one, which does nothing yet.
    pub(in crate::lab) fn new(
        sandbox: &Sandbox,
        host: HostId,
        station: Station,
        (link, index): (&LinkName, IfIndex),
        plan: scenario::DhcpClient,
    ) -> Result<Result<Self, DhcpError>, SandboxError> {
        let below = sandbox.socket(host, SocketKind::Packet)?;
        let socket = Socket::from(sandbox.socket(host, SocketKind::UdpV4)?);
        let below = match Datagrams::open(below, index.get(), CLIENT_PORT) {
            Ok(below) => below,
            Err(error) => return Ok(Err(error.into())),
        };
        let socket = match open(socket, link) {
            Ok(socket) => socket,
            Err(error) => return Ok(Err(DhcpError::Socket(error))),
        };
        let (orders, mut ordered) = mpsc::channel(1);
        let (tell, held) = watch::channel(Held::default());
        let place = Place {
            station,
            index,
            metric: None,
            renewal: plan.renewal,
            own_mtu: None,
        };
        let now = Instant::now();
        let mut task = Task {
            place,
            below,
            socket,
            phase: Phase::Idle,
            lease: None,
            since: now,
            asked_at: now,
            again_at: now,
            waiting: Vec::new(),
            held: tell,
        };
        let run = async move {
            if let Err(error) = task.run(&mut ordered).await {
                let why = crate::chain(&error);
                task.held.send_modify(|held| held.failure = Some(why));
                // Those who wait see that it is gone, and find why.
                task.waiting.clear();
            }
        };
        Ok(Ok(Self {
            orders,
            held,
            _task: Service(tokio::spawn(run)),
        }))
    }

    /// What it has, and a way to see that change.
    pub fn held(&self) -> watch::Receiver<Held> {
        self.held.clone()
    }

    /// Asks for a lease anew, and waits for it.
    pub(in crate::lab) async fn start(
        &self,
        metric: Option<u32>,
        plan: scenario::DhcpClient,
    ) -> Result<(), DhcpError> {
        self.order(Order::Start(metric, plan)).await
    }

    /// Does what an act says, and waits until it is done.
    pub async fn call(&self, order: DhcpOrder, renewal: Option<Renewal>) -> Result<(), DhcpError> {
        self.order(Order::Do(order, renewal)).await
    }

    /// Takes the lease off the link, and tells nobody.
    pub(in crate::lab) async fn halt(&self) -> Result<(), DhcpError> {
        self.order(Order::Halt).await
    }

    async fn order(&self, order: Order) -> Result<(), DhcpError> {
        let (tell, told) = oneshot::channel();
        let sent = self.orders.send((order, tell)).await;
        sent.map_err(|_| self.ended())?;
        match timeout(PATIENCE, told).await {
            Ok(told) => told.map_err(|_| self.ended())?,
            Err(_) => Err(DhcpError::Silence(PATIENCE)),
        }
    }
}

impl DhcpClient {
    fn ended(&self) -> DhcpError {
        match &self.held.borrow().failure {
            Some(why) => DhcpError::Failed(why.clone()),
            None => DhcpError::Ended,
        }
    }
}

/// The socket of a link by which leases are prolonged.
fn open(socket: Socket, link: &LinkName) -> io::Result<UdpSocket> {
    socket.set_nonblocking(true)?;
    socket.bind_device(Some(link.as_str().as_bytes()))?;
    socket.set_reuse_address(true)?;
    let everywhere = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, CLIENT_PORT);
    socket.bind(&everywhere.into())?;
    UdpSocket::from_std(socket.into())
}

impl Task {
    /// Goes on until the client is dropped.
    async fn run(
        &mut self,
        ordered: &mut mpsc::Receiver<(Order, oneshot::Sender<Result<(), DhcpError>>)>,
    ) -> Result<(), DhcpError> {
        let mut bytes = vec![0; 2048];
        loop {
            let due = self.due();
            let timer = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                order = ordered.recv() => match order {
                    Some((order, tell)) => self.obey(order, tell).await?,
                    None => return Ok(()),
                },
                below = self.below.receive() => {
                    let told = message::read(&below?, Opcode::BootReply);
                    // Only an address hears the other socket.
                    if !matches!(self.phase, Phase::Renewing { .. }) {
                        self.hear(told).await?;
                    }
                }
                received = self.socket.recv(&mut bytes) => {
                    // An error here is an ICMP error about a question: as good as no answer.
                    let length = received.unwrap_or_default();
                    let told = message::read(&bytes[..length], Opcode::BootReply);
                    if matches!(self.phase, Phase::Renewing { .. }) {
                        self.hear(told).await?;
                    }
                }
                () = timer => self.tick().await?,
            }
        }
    }

    /// When something is to be done though nobody says anything.
    fn due(&self) -> Option<Instant> {
        let lease = self.lease.as_ref();
        let after = |time: Option<Duration>| time.map(|time| self.since + time);
        match self.phase {
            Phase::Idle => None,
            Phase::Selecting { .. } | Phase::Requesting { .. } => Some(self.again_at),
            Phase::Bound => after(lease.map(|lease| lease.renew_after)),
            Phase::Renewing { .. } => {
                after(lease.map(|lease| lease.rebind_after)).map(|end| end.min(self.again_at))
            }
            Phase::Rebinding { .. } => {
                after(lease.map(|lease| lease.duration)).map(|end| end.min(self.again_at))
            }
        }
    }

    async fn obey(
        &mut self,
        order: Order,
        tell: oneshot::Sender<Result<(), DhcpError>>,
    ) -> Result<(), DhcpError> {
        if let Order::Do(_, Some(renewal)) = order {
            self.place.renewal = renewal;
        }
        match order {
            Order::Start(metric, plan) => {
                self.place.metric = metric;
                self.place.renewal = plan.renewal;
                self.waiting.push(tell);
                self.discover()
            }
            Order::Do(DhcpOrder::Discover, _) => {
                self.waiting.push(tell);
                self.discover()
            }
            Order::Do(DhcpOrder::Renew | DhcpOrder::Rebind, _) if self.lease.is_none() => {
                drop(tell.send(Err(DhcpError::NoLease)));
                Ok(())
            }
            Order::Do(DhcpOrder::Renew, _) => {
                self.waiting.push(tell);
                self.renew().await
            }
            Order::Do(DhcpOrder::Rebind, _) => {
                self.waiting.push(tell);
                self.rebind()
            }
            Order::Do(DhcpOrder::Release, _) => {
                let Some(lease) = self.lease.clone() else {
                    drop(tell.send(Err(DhcpError::NoLease)));
                    return Ok(());
                };
                let message = message::release(&lease, self.below.station());
                // The server forgets by itself if it does not hear this.
                let bytes = message::bytes(&message)?;
                drop(
                    self.socket
                        .send_to(&bytes, (lease.server, SERVER_PORT))
                        .await,
                );
                self.forget(tell).await
            }
            Order::Halt => self.forget(tell).await,
        }
    }

    /// Takes the lease off the link and rests.
    async fn forget(
        &mut self,
        tell: oneshot::Sender<Result<(), DhcpError>>,
    ) -> Result<(), DhcpError> {
        self.phase = Phase::Idle;
        self.lose().await?;
        drop(tell.send(Ok(())));
        Ok(())
    }

    async fn lose(&mut self) -> Result<(), DhcpError> {
        if let Some(lease) = self.lease.take() {
            self.place.take(&lease).await?;
            self.held.send_modify(|held| held.lease = None);
        }
        Ok(())
    }

    fn discover(&mut self) -> Result<(), DhcpError> {
        let asked = message::discover(self.below.station());
        self.broadcast(&asked, AGAIN)?;
        self.phase = Phase::Selecting { asked };
        Ok(())
    }

    async fn renew(&mut self) -> Result<(), DhcpError> {
        let Some(lease) = &self.lease else {
            return self.discover();
        };
        let (server, end) = (lease.server, self.since + lease.rebind_after);
        let asked = message::prolong(lease, self.below.station());
        let bytes = message::bytes(&asked)?;
        // What cannot be sent, for want of a route, is as a lost packet: T2 comes.
        drop(self.socket.send_to(&bytes, (server, SERVER_PORT)).await);
        self.asked(half_until(end));
        self.phase = Phase::Renewing { asked };
        Ok(())
    }

    fn rebind(&mut self) -> Result<(), DhcpError> {
        let Some(lease) = &self.lease else {
            return self.discover();
        };
        let end = self.since + lease.duration;
        let asked = message::prolong(lease, self.below.station());
        self.broadcast(&asked, half_until(end))?;
        self.phase = Phase::Rebinding { asked };
        Ok(())
    }

    /// Asks everybody. A link that is down takes nothing, and the question is asked again.
    fn broadcast(&mut self, asked: &Message, again: Duration) -> Result<(), DhcpError> {
        let bytes = message::bytes(asked)?;
        drop(self.below.broadcast(asked.ciaddr(), SERVER_PORT, &bytes));
        self.asked(again);
        Ok(())
    }

    fn asked(&mut self, again: Duration) {
        self.asked_at = Instant::now();
        self.again_at = self.asked_at + again;
    }

    async fn tick(&mut self) -> Result<(), DhcpError> {
        let over = |time: fn(&Lease) -> Duration| {
            let lease = self.lease.as_ref();
            lease.is_some_and(|lease| Instant::now() >= self.since + time(lease))
        };
        match &self.phase {
            Phase::Idle => Ok(()),
            Phase::Selecting { .. } | Phase::Requesting { .. } => self.discover(),
            Phase::Renewing { .. } if over(|lease| lease.rebind_after) => self.rebind(),
            Phase::Bound | Phase::Renewing { .. } => self.renew().await,
            Phase::Rebinding { .. } if over(|lease| lease.duration) => {
                self.lose().await?;
                self.discover()
            }
            Phase::Rebinding { .. } => self.rebind(),
        }
    }

    /// Hears what a server says.
    async fn hear(&mut self, told: Option<Message>) -> Result<(), DhcpError> {
        let Some(told) = told else { return Ok(()) };
        let asked = match &self.phase {
            Phase::Idle | Phase::Bound => return Ok(()),
            Phase::Selecting { asked }
            | Phase::Requesting { asked }
            | Phase::Renewing { asked }
            | Phase::Rebinding { asked } => asked,
        };
        if told.xid() != asked.xid() || told.chaddr() != self.below.station() {
            return Ok(());
        }
        let is_offer = matches!(self.phase, Phase::Selecting { .. });
        match (told.opts().msg_type(), is_offer) {
            // The first one that comes.
            (Some(MessageType::Offer), true) => {
                let Some(offer) = Lease::read(&told) else {
                    return Ok(());
                };
                let mut asked = message::take(&offer, self.below.station());
                asked.set_xid(told.xid());
                self.broadcast(&asked, AGAIN)?;
                self.phase = Phase::Requesting { asked };
                Ok(())
            }
            (Some(MessageType::Ack), false) => match Lease::read(&told) {
                Some(lease) => self.bind(lease).await,
                None => Ok(()),
            },
            (Some(MessageType::Nak), false) => {
                self.lose().await?;
                self.discover()
            }
            _ => Ok(()),
        }
    }

    async fn bind(&mut self, lease: Lease) -> Result<(), DhcpError> {
        let put = self.place.put(&lease, self.lease.as_ref()).await;
        self.since = self.asked_at;
        self.lease = Some(lease.clone());
        self.phase = Phase::Bound;
        self.held.send_modify(|held| {
            held.lease = Some(lease);
            held.serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        });
        put?;
        for waiting in self.waiting.drain(..) {
            // Who has given up knows it.
            drop(waiting.send(Ok(())));
        }
        Ok(())
    }
}

/// Half of the time that is left (RFC 2131, 4.4.5).
fn half_until(end: Instant) -> Duration {
    (end.saturating_duration_since(Instant::now()) / 2).max(SOON)
}
