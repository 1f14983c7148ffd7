//! What is measured.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::hosts::Hosts;

/// How long a flow is measured.
const FLOW: Duration = Duration::from_secs(2);
/// How long it may get going before that.
const START: Duration = Duration::from_millis(500);
/// How much is written at once, as iperf3 does.
const CHUNK: usize = 128 << 10;

/// Bits in a second of one flow from near to far, and the pings beside it.
#[expect(clippy::disallowed_methods, reason = "a measurement lasts so long")]
pub(crate) fn flow(hosts: &Hosts, to: &str, pings: bool) -> (f64, Vec<Duration>) {
    let listener = hosts
        .far
        .within(|| TcpListener::bind((to, 0)))
        .unwrap()
        .unwrap();
    let address = listener.local_addr().unwrap();
    let received = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&received);
    let reader = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = vec![0; CHUNK];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            counted.fetch_add(length as u64, Ordering::Relaxed);
        }
    });
    let mut stream = hosts
        .near
        .within(|| TcpStream::connect(address))
        .unwrap()
        .unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let writer = std::thread::spawn(move || {
        let chunk = vec![0x5a; CHUNK];
        while !stopped.load(Ordering::Relaxed) && stream.write_all(&chunk).is_ok() {}
    });
    std::thread::sleep(START);
    let (begin, before) = (Instant::now(), received.load(Ordering::Relaxed));
    let mut times = Vec::new();
    if pings {
        times = ping(hosts, to, FLOW);
    }
    std::thread::sleep(FLOW.saturating_sub(begin.elapsed()));
    let bytes = received.load(Ordering::Relaxed) - before;
    let rate = bytes as f64 * 8.0 / begin.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    reader.join().unwrap();
    (rate, times)
}

/// Round trips of a small datagram, one after the other.
#[expect(
    clippy::disallowed_methods,
    reason = "one after the other, but not at once"
)]
fn ping(hosts: &Hosts, to: &str, time: Duration) -> Vec<Duration> {
    let echo = hosts
        .far
        .within(|| UdpSocket::bind((to, 0)))
        .unwrap()
        .unwrap();
    let address: SocketAddr = echo.local_addr().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    echo.set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let echo = std::thread::spawn(move || {
        let mut buffer = [0; 64];
        while !stopped.load(Ordering::Relaxed) {
            if let Ok((length, from)) = echo.recv_from(&mut buffer) {
                let _ = echo.send_to(&buffer[..length], from);
            }
        }
    });
    let socket = hosts
        .near
        .within(|| UdpSocket::bind("0.0.0.0:0"))
        .unwrap()
        .unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let (begin, mut times, mut number) = (Instant::now(), Vec::new(), 0_u64);
    while begin.elapsed() < time {
        let sent = Instant::now();
        number += 1;
        socket.send_to(&number.to_be_bytes(), address).unwrap();
        let mut answer = [0; 64];
        // One that is lost counts as long as it was waited for.
        let _ = socket.recv_from(&mut answer);
        times.push(sent.elapsed());
        std::thread::sleep(Duration::from_millis(10));
    }
    stop.store(true, Ordering::Relaxed);
    echo.join().unwrap();
    times
}

pub(crate) fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> T {
    values.sort_by(|one, other| one.partial_cmp(other).expect("comparable"));
    values[values.len() / 2]
}
