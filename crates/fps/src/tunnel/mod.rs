//! The tunnel: one TUN device, any number of carriers.
//!
//! - [`TunDevice`]: the device, and what the kernel does while its link is down.
//! - [`PacketQueue`]: what waits for one carrier.
//! - [`Dispatch`]: which carrier takes which packet; [`RoundRobin`] on the client, [`BySource`] on
//!   the server.

mod address;
mod by_source;
mod device;
mod dispatch;
mod queue;
mod round_robin;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

pub use address::InnerAddresses;
pub use by_source::BySource;
pub use device::{TunDevice, TunError};
pub use dispatch::{CarrierId, Dispatch};
pub use queue::PacketQueue;
pub use round_robin::RoundRobin;

use crate::clear::MAX_PACKET;
use crate::log::Throttle;

/// How many packets are read in a row before the carriers get their turn.
const BURST: usize = 64;

/// Joins the device and the carriers.
pub struct Tunnel {
    device: Option<TunDevice>,
    dispatch: RefCell<Box<dyn Dispatch>>,
    dropped: Throttle,
}

/// Why a packet went nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DropReason {
    NotIp,
    NoDevice,
    LinkDown,
    NoCarrier,
    QueueFull,
}

impl DropReason {
    fn as_str(self) -> &'static str {
        match self {
            Self::NotIp => "not_ip",
            Self::NoDevice => "no_device",
            Self::LinkDown => "link_down",
            Self::NoCarrier => "no_carrier",
            Self::QueueFull => "queue_full",
        }
    }
}

impl Tunnel {
    /// Without a device, carriers register and their packets are dropped and counted.
    pub fn new(device: Option<TunDevice>, dispatch: Box<dyn Dispatch>) -> Self {
        Self {
            device,
            dispatch: RefCell::new(dispatch),
            dropped: Throttle::default(),
        }
    }

    /// Lets a carrier take packets.
    pub fn register(&self, id: CarrierId, queue: Rc<PacketQueue>) {
        self.dispatch.borrow_mut().register(id, queue);
        tracing::info!(
            event = "carrier_registered",
            id = id.0,
            carriers = self.carriers()
        );
    }

    /// Takes a carrier out, if it is in.
    pub fn remove(&self, id: CarrierId) {
        let Some(queue) = self.dispatch.borrow_mut().remove(id) else {
            return;
        };
        let (carriers, dropped) = (self.carriers(), queue.dropped());
        tracing::info!(
            event = "carrier_removed",
            id = id.0,
            carriers,
            queue_dropped = dropped
        );
    }

    /// How many carriers take packets now.
    pub fn carriers(&self) -> usize {
        self.dispatch.borrow().len()
    }

    /// How many packets went nowhere, in either direction.
    pub fn dropped(&self) -> u64 {
        self.dropped.count()
    }

    /// A packet that came out of a carrier goes to the device.
    pub fn deliver(&self, from: CarrierId, packet: &[u8]) {
        let Some(addresses) = InnerAddresses::of(packet) else {
            return self.drop_packet(DropReason::NotIp);
        };
        let Some(device) = &self.device else {
            return self.drop_packet(DropReason::NoDevice);
        };
        self.dispatch.borrow_mut().learn(from, addresses.source);
        if device.send(packet).is_err() {
            self.drop_packet(DropReason::LinkDown);
        }
    }

    /// Moves packets from the device to the carriers; ends only when the device is gone. Without a
    /// device it never ends.
    pub async fn pump(&self) -> TunError {
        let Some(device) = &self.device else {
            return std::future::pending().await;
        };
        let mut buffer = vec![0; MAX_PACKET];
        loop {
            match device.receive(&mut buffer).await {
                Ok(length) => self.send(&buffer[..length]),
                Err(error) => return error,
            }
            for _ in 1..BURST {
                let Some(length) = device.try_receive(&mut buffer) else {
                    break;
                };
                self.send(&buffer[..length]);
            }
            tokio::task::yield_now().await;
        }
    }

    /// A packet from the device goes to a carrier.
    fn send(&self, packet: &[u8]) {
        let Some(addresses) = InnerAddresses::of(packet) else {
            return self.drop_packet(DropReason::NotIp);
        };
        match self.dispatch.borrow_mut().choose(&addresses) {
            Some(queue) if queue.push(packet) => {}
            Some(_) => self.drop_packet(DropReason::QueueFull),
            None => self.drop_packet(DropReason::NoCarrier),
        }
    }

    fn drop_packet(&self, reason: DropReason) {
        if let Some((count, suppressed)) = self.dropped.hit(Instant::now()) {
            let reason = reason.as_str();
            tracing::warn!(event = "tun_packet_dropped", reason, count, suppressed);
        }
    }
}
