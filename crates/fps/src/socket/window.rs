//! How much of a peer may wait in our socket.
//!
//! Where we are what is slow, all that the peer may send waits there, and a packet of a quiet flow behind
//! it. The kernel lets that grow to megabytes (`tcp_rcv_space_adjust` in net/ipv4/tcp_input.c): it looks at
//! how much is read in a round trip, which the waiting makes longer. So where the round trip is short, we
//! choose the buffer: what is read in two of the shortest and a millisecond more. A link that could carry
//! more fills it, is read faster for that, and is given twice as much the next time. Where a buffer would
//! be large, it is left to the kernel.

use std::os::fd::{BorrowedFd, RawFd};
use std::time::{Duration, Instant};

use nix::libc;
use nix::sys::socket::{getsockopt, setsockopt, sockopt};

/// How often it is chosen.
const PERIOD: Duration = Duration::from_millis(50);
/// How long what was read last may have waited.
const WAIT: Duration = Duration::from_millis(1);
/// In it nobody is kept waiting, and a burst has room.
const LEAST: u64 = 256 << 10;
/// From here on the kernel knows better.
const MOST: u64 = 2 << 20;
/// Where `tcpi_min_rtt` is in `struct tcp_info` (linux/tcp.h, since Linux 4.6): microseconds.
const MIN_RTT: usize = 148;
/// `SOCK_RCVBUF_LOCK` (linux/socket.h): the kernel does not choose by itself.
const RECEIVE_LOCK: libc::c_int = 2;

/// See the module.
#[derive(Debug)]
pub(crate) struct ReceiveWindow {
    socket: RawFd,
    since: Instant,
    read: u64,
    /// Bytes in a second, at most; it is forgotten little by little.
    peak: u64,
    chosen: Chosen,
}

/// Who has chosen the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chosen {
    /// We have: so many bytes.
    Here(u64),
    /// The kernel does.
    Kernel,
    /// The kernel always does, since it does not take it back (SO_BUF_LOCK, since Linux 5.14).
    Kept,
}

impl ReceiveWindow {
    /// Of a socket that is open for as long as this is used.
    pub(crate) fn new(socket: RawFd, now: Instant) -> Self {
        let mut window = Self {
            socket,
            since: now,
            read: 0,
            peak: 0,
            chosen: Chosen::Kernel,
        };
        window.chosen = match lock(socket) {
            Some(_) => window.choose(LEAST),
            None => Chosen::Kept,
        };
        window
    }

    /// So many bytes more have been read.
    pub(crate) fn have_read(&mut self, bytes: usize, now: Instant) {
        self.read += bytes as u64;
        let time = now.saturating_duration_since(self.since);
        if time < PERIOD || self.chosen == Chosen::Kept {
            return;
        }
        let rate = rate(self.read, time);
        (self.since, self.read) = (now, 0);
        self.peak = rate.max(self.peak - self.peak / 8);
        if let Some(round_trip) = round_trip(self.socket) {
            let wanted = wanted(self.peak, round_trip);
            if is_other(self.chosen, wanted) {
                self.chosen = self.choose(wanted);
            }
        }
    }

    fn choose(&self, bytes: u64) -> Chosen {
        match bytes < MOST && set(self.socket, bytes) {
            true => Chosen::Here(bytes),
            false => {
                unlock(self.socket);
                Chosen::Kernel
            }
        }
    }
}

/// Whether to choose again. What shrinks drops packets that it has promised to take, so that has to be
/// worth it.
fn is_other(chosen: Chosen, wanted: u64) -> bool {
    match chosen {
        Chosen::Here(bytes) => wanted > bytes + bytes / 4 || wanted < bytes / 2,
        Chosen::Kernel => wanted < MOST / 2,
        Chosen::Kept => false,
    }
}

/// Bytes in a second.
fn rate(bytes: u64, time: Duration) -> u64 {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
    bytes.saturating_mul(1_000_000) / micros
}

fn wanted(rate: u64, round_trip: Duration) -> u64 {
    let time = round_trip.saturating_mul(2).saturating_add(WAIT);
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let bytes = rate.saturating_mul(micros) / 1_000_000;
    bytes.max(LEAST)
}

/// The shortest round trip of the connection; none where the kernel does not know it.
fn round_trip(socket: RawFd) -> Option<Duration> {
    let mut info = [0_u8; MIN_RTT + 4];
    let mut length = libc::socklen_t::try_from(info.len()).ok()?;
    // SAFETY: the kernel writes as many bytes as there are, at most, and how many they are.
    let asked = unsafe {
        libc::getsockopt(
            socket,
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    let whole = asked == 0 && usize::try_from(length) == Ok(info.len());
    let micros = info.last_chunk().copied().map(u32::from_ne_bytes)?;
    // It is all ones as long as nothing has been acknowledged.
    (whole && micros != u32::MAX).then(|| Duration::from_micros(micros.into()))
}

/// Chooses the buffer; says whether it is so large now. SO_RCVBUF in socket(7): the kernel doubles what it
/// is told, since what it keeps of a packet takes room as well, and takes no more than
/// net.core.rmem_max.
fn set(socket: RawFd, bytes: u64) -> bool {
    // SAFETY: it is open for as long as this is used.
    let socket = unsafe { BorrowedFd::borrow_raw(socket) };
    // A quarter more for what it keeps of each: of long packets it is less.
    let Ok(told) = usize::try_from(bytes * 5 / 8) else {
        return false;
    };
    setsockopt(&socket, sockopt::RcvBuf, &told).is_ok()
        && getsockopt(&socket, sockopt::RcvBuf).is_ok_and(|has| has >= told * 2)
}

/// Leaves the buffer to the kernel again.
fn unlock(socket: RawFd) {
    let Some(locks) = lock(socket) else {
        return;
    };
    let locks = locks & !RECEIVE_LOCK;
    // SAFETY: the kernel reads one int.
    let _ = unsafe {
        libc::setsockopt(
            socket,
            libc::SOL_SOCKET,
            libc::SO_BUF_LOCK,
            (&raw const locks).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
}

/// Which buffers the kernel does not choose by itself; none where it does not tell.
fn lock(socket: RawFd) -> Option<libc::c_int> {
    let mut locks: libc::c_int = 0;
    let mut length = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the kernel writes one int.
    let asked = unsafe {
        libc::getsockopt(
            socket,
            libc::SOL_SOCKET,
            libc::SO_BUF_LOCK,
            (&raw mut locks).cast(),
            &raw mut length,
        )
    };
    (asked == 0).then_some(locks)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;

    use super::*;

    const GIGABIT: u64 = 125_000_000;

    #[test]
    fn the_buffer_is_for_what_is_read_in_two_round_trips_and_a_little() {
        let ms = Duration::from_millis;
        assert_eq!(wanted(GIGABIT, ms(20)), 5_125_000);
        assert_eq!(wanted(3 * GIGABIT, ms(0)), 375_000);
        assert_eq!(wanted(0, ms(20)), LEAST);
    }

    #[test]
    fn a_link_that_fills_it_is_given_twice_as_much() {
        let round_trip = Duration::from_millis(100);
        let mut held = LEAST;
        for _ in 0..6 {
            let next = wanted(rate(held, round_trip), round_trip);
            assert!(next >= held * 2 - 1, "{next} after {held}");
            assert!(is_other(Chosen::Here(held), next));
            held = next;
        }
        assert!(held > 16 << 20);
    }

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
        let near = TcpStream::connect(listener.local_addr().expect("an address"));
        let (far, _) = listener.accept().expect("accept");
        (near.expect("connect"), far)
    }

    /// A large one is the kernel's again, and a small one ours.
    #[test]
    fn the_kernel_has_it_back_where_it_would_be_large() {
        let (near, _far) = pair();
        let socket = near.as_raw_fd();
        let is_locked = || lock(socket).expect("Linux 5.14") & RECEIVE_LOCK != 0;
        let begin = Instant::now();
        let mut window = ReceiveWindow::new(socket, begin);
        assert_eq!(window.chosen, Chosen::Here(LEAST));
        assert!(is_locked());
        window.have_read(1 << 30, begin + PERIOD);
        assert_eq!(window.chosen, Chosen::Kernel);
        assert!(!is_locked());
        // A little at a time, until the peak is forgotten.
        for number in 2..100 {
            window.have_read(1, begin + PERIOD * number);
        }
        assert!(is_locked());
        let least = getsockopt(&near, sockopt::RcvBuf).expect("its buffer");
        assert!(least < 1 << 20, "{least}");
    }
}
