//! The tunnel: one TUN device, any number of carriers.
//!
//! - [`TunDevice`]: the device, and what the kernel does while its link is down.
//! - [`PacketQueue`]: what waits for one carrier.
//! - [`Dispatch`]: which carrier takes which packet; [`RoundRobin`] on the client, [`ByLease`] on the
//!   server, or [`BySource`] where it leases no addresses.
//! - [`AutoConfigure`]: the client's addresses, where it takes them from its lease.

mod address;
mod by_lease;
mod by_source;
mod configure;
mod counters;
mod device;
mod dispatch;
mod drop_reason;
mod early;
mod flow;
mod followed;
mod held;
mod inbound;
mod inlets;
mod outward;
mod queue;
mod round_robin;
mod seats;
mod spares;
mod whole;

use std::any::Any;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::os::fd::RawFd;
use std::rc::Rc;

pub use address::InnerAddresses;
pub use by_lease::ByLease;
pub use by_source::BySource;
pub use configure::{AutoConfigure, Leases};
pub use counters::Counters;
pub(crate) use counters::add;
pub use device::{Outbox, Received, TunDevice, TunError};
pub use dispatch::{Carrier, CarrierId, Dispatch, Way};
pub use drop_reason::DropReason;
pub use flow::Flow;
pub use inbound::Inbound;
pub use queue::{Chunk, Packed, PacketQueue};
pub use round_robin::RoundRobin;
pub use whole::Whole;

use tokio::task::unconstrained;

use drop_reason::Drops;
use early::{Early, Standing};
use fps_wire::Refusal;
use fps_wire::fragment::Dropped;
use held::Held;
use inlets::Inlets;
use spares::Spares;

use crate::relay::RelayError;
use crate::session::{Ended, Registration, Sealed};

/// How often the device is read in a row before the carriers get their turn.
const BURST: usize = 8;

/// Joins the device and the carriers.
pub struct Tunnel {
    device: Option<TunDevice>,
    dispatch: RefCell<Box<dyn Dispatch>>,
    configure: Option<AutoConfigure>,
    /// None while one is being written.
    outbox: RefCell<Option<Outbox>>,
    held: Held,
    spares: Spares,
    inlets: Inlets,
    early: Early,
    drops: Drops,
    counters: Counters,
    /// Those of which somebody has proved who he is, and which have not ended.
    authenticated: RefCell<HashSet<CarrierId>>,
    /// What is to be dropped once he has.
    strangers: RefCell<HashMap<CarrierId, Box<dyn Any>>>,
}

impl Tunnel {
    /// Without a device, carriers register and their packets are dropped and counted.
    pub fn new(
        device: Option<TunDevice>,
        dispatch: Box<dyn Dispatch>,
        configure: Option<AutoConfigure>,
    ) -> Self {
        Self {
            device,
            dispatch: RefCell::new(dispatch),
            configure,
            outbox: RefCell::default(),
            held: Held::default(),
            spares: Spares::default(),
            inlets: Inlets::default(),
            early: Early::default(),
            drops: Drops::default(),
            counters: Counters::default(),
            authenticated: RefCell::default(),
            strangers: RefCell::default(),
        }
    }

    /// What has gone by.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Lets a carrier take packets.
    pub fn register(&self, id: CarrierId, queue: Rc<PacketQueue>, who: Registration) {
        let carrier = Carrier { id, queue };
        let old = self.dispatch.borrow_mut().register(carrier, &who);
        self.authenticated.borrow_mut().insert(id);
        drop(self.strangers.borrow_mut().remove(&id));
        add(&self.counters.candidates, 1);
        add(&self.counters.authenticated, 1);
        add(&self.counters.registered, 1);
        let carriers = self.carriers();
        if !old.is_empty() {
            add(&self.counters.replaced, 1);
            let replaced = old.len();
            tracing::info!(event = "duplicate_client_replaced", id = id.0, replaced);
        }
        for old in old {
            add(&self.counters.removed, 1);
            old.queue.replace();
        }
        tracing::info!(event = "carrier_registered", id = id.0, carriers);
        if let Registration::Client {
            leases: Some(kept), ..
        } = who
        {
            add(&self.counters.leases_assigned, 1);
            self.counters.leases_kept.set(kept);
        }
        if let Registration::Server {
            lease: Some(lease),
            lease_v6,
        } = who
        {
            self.counters.leased_address.set(Some(lease.client));
            let (address, prefix_len) = (lease.client, lease.prefix_len);
            tracing::info!(event = "tun_lease_received", id = id.0, %address, prefix_len);
            if let Some(configure) = &self.configure {
                configure.take(Leases {
                    v4: lease,
                    v6: lease_v6,
                });
            }
        }
    }

    /// Takes a carrier out; says whether it was in. Its flows wait until it is
    /// [released](Self::release), or long enough.
    pub fn remove(&self, id: CarrierId) -> bool {
        let Some(queue) = self.dispatch.borrow_mut().remove(id) else {
            return false;
        };
        add(&self.counters.removed, 1);
        let (carriers, dropped) = (self.carriers(), queue.dropped());
        tracing::info!(
            event = "carrier_removed",
            id = id.0,
            carriers,
            queue_dropped = dropped
        );
        true
    }

    /// Nothing that went by a carrier, which is out, is on its way any more: its flows go on by others.
    pub fn release(&self, id: CarrierId) {
        self.dispatch.borrow_mut().release(id);
        self.send_held();
    }

    /// Books the packets of a carrier that has ended: what still waits goes nowhere. How many of those
    /// that were sent have arrived only the other end can say, so both ends tell what they know.
    pub(crate) fn book(&self, id: CarrierId, queue: &PacketQueue, sent: u64, received: u64) {
        let mut waited = 0;
        while let Some(chunk) = queue.pop() {
            waited += chunk.count();
            (0..chunk.count()).for_each(|_| self.drops.count(DropReason::CarrierEnded));
        }
        if self.authenticated.borrow().contains(&id) {
            tracing::info!(
                event = "session_stats",
                id = id.0,
                packets_sent = sent,
                packets_received = received,
                packets_waited = waited
            );
        }
    }

    /// Forgets a carrier that has ended, and says whether anybody had proved who he is on it.
    pub fn forget(&self, id: CarrierId) -> bool {
        drop(self.strangers.borrow_mut().remove(&id));
        self.authenticated.borrow_mut().remove(&id)
    }

    /// Keeps something until somebody has proved on a carrier who he is, or it has ended.
    pub fn expect(&self, id: CarrierId, until: impl Any) {
        self.strangers.borrow_mut().insert(id, Box::new(until));
    }

    /// How many carriers take packets now.
    pub fn carriers(&self) -> usize {
        self.dispatch.borrow().len()
    }

    /// How many packets went nowhere for a reason, in either direction.
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.drops.of(reason)
    }

    /// A record was no auth, or no accept.
    pub fn refused(&self, refusal: Refusal) {
        self.counters.refused(refusal);
    }

    /// A record of ours has been opened.
    pub fn opened(&self) {
        add(&self.counters.records_decoded, 1);
    }

    /// A carrier has ended early.
    pub(crate) fn session_failed(&self, error: &RelayError) {
        match error {
            RelayError::Session(Ended::Record(_)) => add(&self.counters.records_invalid, 1),
            RelayError::Session(_) => add(&self.counters.server_accept_failed, 1),
            _ => {}
        }
    }

    /// Records of ours go on the link; and so many packets could not be put into any.
    pub fn sealed(&self, sealed: Sealed) {
        let Sealed {
            records,
            packets,
            lost,
        } = sealed;
        add(&self.counters.records_encoded, records);
        add(
            &self.counters.packets_to_carriers,
            packets.saturating_sub(lost),
        );
        (0..lost).for_each(|_| self.drops.count(DropReason::TooLarge));
    }

    /// A part of a packet came to nothing.
    pub fn fragment_dropped(&self, dropped: Dropped) {
        tracing::debug!(event = "fragment_dropped", error = %dropped);
        self.counters.fragments.count(dropped);
        self.drops.count(DropReason::Fragment);
    }

    /// A carrier begins to read from its link.
    pub fn begin_reading(&self, id: CarrierId, link: RawFd) {
        self.inlets.open(id, link);
    }

    /// So many bytes more have been read of a carrier's link, and all packets in them delivered.
    pub fn have_read(&self, id: CarrierId, bytes: usize) {
        self.inlets.have_read(id, bytes);
        self.deliver_early();
    }

    /// Nothing more is read of it.
    pub fn end_reading(&self, id: CarrierId) {
        self.inlets.close(id);
        self.early.ended();
    }

    /// A packet that came out of a carrier goes to the device: a whole one at once, others with the next
    /// [`flush`](Self::flush). One that would overtake others of its flow waits for them.
    pub fn deliver(&self, from: CarrierId, inbound: Inbound<'_>) {
        add(&self.counters.packets_from_carriers, 1);
        if let Err(reason) = self.try_deliver(from, inbound) {
            self.drops.count(reason);
        }
    }

    fn try_deliver(&self, from: CarrierId, inbound: Inbound<'_>) -> Result<(), DropReason> {
        let packet = inbound.packet().ok_or(DropReason::NotIp)?;
        let addresses = InnerAddresses::of(packet).ok_or(DropReason::NotIp)?;
        self.dispatch.borrow_mut().admit(from, &addresses)?;
        let kept = match self.early.standing(addresses.flow, from) {
            Standing::Awaited => return self.hand_over(inbound),
            Standing::Waits => self.early.push(addresses.flow, inbound),
            Standing::InOrder => {
                let before = self.dispatch.borrow_mut().came(from, &addresses);
                match before.and_then(|carrier| self.inlets.behind(carrier)) {
                    Some(behind) => self.early.begin(addresses.flow, behind, inbound),
                    None => return self.hand_over(inbound),
                }
            }
        };
        kept.then_some(()).ok_or(DropReason::QueueFull)
    }

    /// What has waited for others that are read now.
    fn deliver_early(&self) {
        for packet in self.early.take(&self.inlets) {
            if let Err(reason) = self.hand_over(packet.inbound()) {
                self.drops.count(reason);
            }
        }
    }

    fn hand_over(&self, inbound: Inbound<'_>) -> Result<(), DropReason> {
        let device = self.device.as_ref().ok_or(DropReason::NoDevice)?;
        let length = match inbound {
            Inbound::Packet(packet) => {
                let mut outbox = self.outbox.borrow_mut();
                outbox.get_or_insert_default().push(packet);
                packet.len()
            }
            Inbound::Whole(bytes) => {
                let whole = Whole::read(bytes).ok_or(DropReason::NotIp)?;
                device.send_whole(&whole).map_err(|error| {
                    tracing::debug!(event = "tun_write_failed", error = %error);
                    DropReason::LinkDown
                })?;
                whole.packet().len()
            }
        };
        add(&self.counters.packets_to_device, 1);
        add(&self.counters.bytes_to_device, length as u64);
        Ok(())
    }

    /// Hands the kernel what has been delivered.
    pub async fn flush(&self) {
        // Whoever delivers while this one waits has another to put it in.
        let (Some(device), Some(mut outbox)) = (&self.device, self.outbox.take()) else {
            return;
        };
        let count = outbox.len();
        if count > 0
            // A TUN never makes anybody wait, and nobody may deliver more before this is done: another
            // carrier's packets could overtake.
            && let Err(error) = unconstrained(device.send(&mut outbox)).await
        {
            // Which of them the kernel did not take it does not say; nearly always all.
            tracing::debug!(event = "tun_write_failed", error = %error);
            (0..count).for_each(|_| self.drops.count(DropReason::LinkDown));
        }
        self.outbox.borrow_mut().get_or_insert(outbox);
    }

    /// Moves packets from the device to the carriers; ends only when the device is gone. Without a
    /// device it never ends.
    pub async fn pump(&self) -> TunError {
        let Some(device) = &self.device else {
            return std::future::pending().await;
        };
        let mut room = device.room();
        loop {
            tokio::select! {
                received = device.receive(&mut room) => {
                    if let Err(error) = received {
                        return error;
                    }
                    self.send(&mut room);
                }
                () = self.early.due(&self.inlets) => {
                    self.deliver_early();
                    self.flush().await;
                }
            }
            for _ in 1..BURST {
                if !device.try_receive(&mut room) {
                    break;
                }
                self.send(&mut room);
            }
            tokio::task::yield_now().await;
        }
    }

    /// The balance of the whole run, for who adds it up: nobody can ask for it any more.
    fn tell_balance(&self) {
        let drops = DropReason::ALL.map(|reason| (reason.word(), self.dropped(reason)));
        let drops = drops.iter().filter(|(_, count)| *count > 0);
        let drops: Vec<_> = drops
            .map(|(word, count)| format!("{word}:{count}"))
            .collect();
        let counters = &self.counters;
        tracing::info!(
            event = "tun_stats",
            from_device = counters.packets_from_device.get(),
            to_carriers = counters.packets_to_carriers.get(),
            from_carriers = counters.packets_from_carriers.get(),
            to_device = counters.packets_to_device.get(),
            dropped = drops.join(",")
        );
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        (0..self.early.len()).for_each(|_| self.drops.count(DropReason::CarrierEnded));
        if self.device.is_some() {
            self.tell_balance();
        }
    }
}
