//! Numbered datagrams at a pace, and who counts what arrives.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::host::Host;

/// How far apart bursts are.
const TICK: Duration = Duration::from_millis(10);
/// How long each is.
pub(crate) const LENGTH: usize = 600;

/// Sends until it is stopped. Who holds its gate holds it back.
pub(crate) struct Sender {
    sent: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
    pub(crate) gate: Arc<Mutex<()>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sender {
    /// So many a second.
    pub(crate) fn start(socket: UdpSocket, to: &str, per_second: u64) -> Self {
        let mut sender = Self {
            sent: Arc::default(),
            refused: Arc::default(),
            gate: Arc::default(),
            stop: Arc::default(),
            thread: None,
        };
        let (sent, refused) = (Arc::clone(&sender.sent), Arc::clone(&sender.refused));
        let (gate, stop) = (Arc::clone(&sender.gate), Arc::clone(&sender.stop));
        let to: SocketAddr = to.parse().expect("an address");
        let begin = Instant::now();
        sender.thread = Some(std::thread::spawn(move || {
            let mut payload = [0x5a; LENGTH];
            let mut tried = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                pause();
                let _open = gate.lock().expect("nobody panics with it");
                let due = begin.elapsed().as_millis() as u64 * per_second / 1000;
                // What could not be sent in time is not made up for in one burst.
                tried = tried.max(due.saturating_sub(per_second / 10));
                while tried < due {
                    tried += 1;
                    payload[..8].copy_from_slice(&tried.to_be_bytes());
                    let taken = socket.send_to(&payload, to).is_ok();
                    let count = if taken { &sent } else { &refused };
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
        }));
        sender
    }

    /// How many the kernel has taken.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// How many it has not: no TUN was there to send them into.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Ends it.
    pub(crate) fn stop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it does not panic");
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a pace, and no event to wait for"
)]
fn pause() {
    std::thread::sleep(TICK);
}

/// Counts what arrives at a port of a host, by whether the source is one that may send there.
pub(crate) struct Receiver {
    pub(crate) arrived: Arc<AtomicU64>,
    /// From whom nothing may ever come.
    pub(crate) forged: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// Begins.
    pub(crate) fn start(host: &Host, address: &str, honest: Vec<String>) -> Self {
        let socket = host.within(|| UdpSocket::bind(address));
        let socket = socket.expect("the port is free");
        let timeout = Some(Duration::from_millis(100));
        socket.set_read_timeout(timeout).expect("valid");
        let mut receiver = Self {
            arrived: Arc::default(),
            forged: Arc::default(),
            stop: Arc::default(),
            thread: None,
        };
        let (arrived, forged) = (Arc::clone(&receiver.arrived), Arc::clone(&receiver.forged));
        let stop = Arc::clone(&receiver.stop);
        receiver.thread = Some(std::thread::spawn(move || {
            let mut buffer = [0; 2000];
            while !stop.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else {
                    continue;
                };
                let from = from.ip().to_string();
                let good = length == LENGTH && honest.contains(&from);
                let count = if good { &arrived } else { &forged };
                count.fetch_add(1, Ordering::Relaxed);
            }
        }));
        receiver
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// How many datagrams a host's sockets had no room for (`RcvbufErrors` of /proc/net/snmp).
pub(crate) fn without_room(host: &Host) -> u64 {
    let text = host.within(|| std::fs::read_to_string("/proc/thread-self/net/snmp"));
    let text = text.expect("proc is mounted");
    let mut lines = text.lines().filter(|line| line.starts_with("Udp: "));
    let (names, values) = (lines.next().expect("names"), lines.next().expect("values"));
    let mut pairs = names.split(' ').zip(values.split(' '));
    let found = pairs.find(|(name, _)| *name == "RcvbufErrors");
    found.expect("it counts that").1.parse().expect("a number")
}
