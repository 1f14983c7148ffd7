//! Packets that are sent all the time, and which way each goes.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fps_netlink::{Address, Fwmark, Netlink, Route};
use fps_netns::sysctl;
use fps_packet::{Capture, Direction, Frame};
use nix::sys::socket::sockopt::Mark;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, setsockopt, socket};

use crate::host::{Host, name};

/// A packet to each in less than a millisecond, where the machine has time for it.
const EVERY: Duration = Duration::from_micros(500);
/// On a busy machine, on average.
const EVERY_AT_LEAST: Duration = Duration::from_millis(20);

/// Packets of one socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stream {
    pub(crate) to: IpAddr,
    pub(crate) mark: Option<Fwmark>,
    pub(crate) from: Option<IpAddr>,
}

impl Stream {
    pub(crate) fn to(to: &str) -> Self {
        Self {
            to: to.parse().unwrap(),
            mark: None,
            from: None,
        }
    }

    pub(crate) fn marked(mut self, mark: Fwmark) -> Self {
        self.mark = Some(mark);
        self
    }

    pub(crate) fn sent_from(mut self, from: &str) -> Self {
        self.from = Some(from.parse().unwrap());
        self
    }

    fn open(&self) -> (UdpSocket, SocketAddr) {
        let any: IpAddr = match self.to {
            IpAddr::V4(_) => [0; 4].into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((self.from.unwrap_or(any), 0)).unwrap();
        if let Some(mark) = self.mark {
            setsockopt(&socket, Mark, &mark.0).unwrap();
        }
        (socket, (self.to, 4242).into())
    }
}

/// Sends until it is dropped.
pub(crate) struct Traffic {
    stop: Option<Sender<()>>,
    sender: Option<JoinHandle<u32>>,
    begin: Instant,
}

impl Traffic {
    pub(crate) fn start(host: &Host, streams: &[Stream]) -> Self {
        let open = || streams.iter().map(Stream::open).collect::<Vec<_>>();
        let sockets = host.namespace.within(open).unwrap();
        let (stop, stopped) = channel::<()>();
        let sender = std::thread::spawn(move || {
            let mut rounds = 0;
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                for (socket, to) in &sockets {
                    // Refused for a moment, while rules change, is not sent the wrong way.
                    let _ = socket.send_to(b"?", to);
                }
                rounds += 1;
            }
            rounds
        });
        Self {
            stop: Some(stop),
            sender: Some(sender),
            begin: Instant::now(),
        }
    }

    /// Fails where there were too few rounds to say anything.
    pub(crate) fn stop(mut self) {
        drop(self.stop.take());
        let rounds = self.sender.take().unwrap().join().unwrap();
        let took = self.begin.elapsed();
        assert!(EVERY_AT_LEAST * rounds > took, "{rounds} in {took:?}");
    }
}

/// A host with a LAN in which everyone answers for every address, and a tap on its interfaces.
pub(crate) struct Scene {
    pub(crate) host: Host,
    pub(crate) capture: Capture,
    pub(crate) seen: Vec<Frame>,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let mut host = Host::new().await;
        for namespace in [&host.namespace, &host.far] {
            // An address that is looked for twice is one second late.
            let settle = || sysctl::write("net/ipv6/conf/default/accept_dad", "0");
            namespace.within(settle).unwrap().unwrap();
        }
        host.add_lan().await;
        host.add_address(host.lan, "fd00:2::2/64").await;
        let beyond = host.far.within(Netlink::open).unwrap().unwrap();
        for (bridge, nets) in [
            (
                "br1",
                [
                    "192.0.2.1/24",
                    "192.0.2.9/32",
                    "203.0.113.10/32",
                    "fd00:2::1/64",
                    "fd00:2::9/128",
                    "2001:db8::10/128",
                ]
                .as_slice(),
            ),
            ("br0", &["9.9.9.9/32", "2001:db8:9::9/128"]),
        ] {
            let link = beyond.link(&name(bridge)).await.unwrap().unwrap().index;
            beyond.set_up(link).await.unwrap();
            for net in nets {
                let address = Address::new(link, net.parse().unwrap());
                beyond.add_address(&address).await.unwrap();
            }
        }
        for (to, via) in [("0.0.0.0/0", "192.0.2.1"), ("::/0", "fd00:2::1")] {
            let default = Route::new(to.parse().unwrap()).via(via.parse().unwrap());
            host.netlink.add_route(&default).await.unwrap();
        }
        let (kind, flags) = (SockType::Datagram, SockFlag::SOCK_CLOEXEC);
        let open = || socket(AddressFamily::Packet, kind, flags, None).unwrap();
        let tap = host.namespace.within(open).unwrap();
        Self {
            host,
            capture: Capture::arm(tap).unwrap(),
            seen: Vec::new(),
        }
    }

    pub(crate) fn look(&mut self) {
        self.seen.extend(self.capture.drain().unwrap());
        assert_eq!(self.capture.dropped().unwrap(), 0);
    }

    /// Waits until a packet of each stream has left by an interface from now on.
    pub(crate) async fn until_sent(&mut self, streams: &[(Stream, &str)]) {
        self.look();
        let begin = self.seen.len();
        for (stream, by) in streams {
            let wait = async {
                while !self.ways_from(begin, stream.to).contains(by) {
                    self.capture.readable().await.unwrap();
                    self.look();
                }
            };
            let patience = Duration::from_secs(20);
            let sent = tokio::time::timeout(patience, wait).await;
            sent.unwrap_or_else(|_| panic!("no packet to {} by {by}", stream.to));
        }
    }

    /// The interfaces by which packets of a stream have left, or by which it was asked who has its
    /// destination, in order; each once as long as it stays the same.
    pub(crate) fn ways(&self, stream: Stream) -> Vec<&'static str> {
        self.ways_from(0, stream.to)
    }

    fn ways_from(&self, begin: usize, to: IpAddr) -> Vec<&'static str> {
        let frames = self.seen[begin..].iter();
        let sent = frames
            .filter(|frame| frame.direction == Direction::Sent && concerns(frame) == Some(to));
        let mut ways: Vec<_> = sent
            .map(|frame| match frame.ifindex {
                index if index == self.host.fpsc0.get() => "fpsc0",
                index if index == self.host.lan.get() => "lan0",
                index => panic!("interface {index}"),
            })
            .collect();
        ways.dedup();
        ways
    }
}

/// Where a packet goes, or whom a question for a neighbour is about.
fn concerns(frame: &Frame) -> Option<IpAddr> {
    let bytes = &frame.bytes;
    if frame.protocol == 0x0806 {
        // RFC 826: the operation, 1 for a request, and behind the sender's the target's address.
        let target: [u8; 4] = bytes.get(24..28)?.try_into().ok()?;
        return (bytes.get(6..8)? == [0, 1]).then_some(target.into());
    }
    // RFC 4861, 4.3: a neighbour solicitation, ICMPv6 type 135, has its target 8 bytes in.
    if frame.protocol == 0x86dd && bytes.get(6) == Some(&58) && bytes.get(40) == Some(&135) {
        let target: [u8; 16] = bytes.get(48..64)?.try_into().ok()?;
        return Some(target.into());
    }
    Some(frame.packet()?.destination)
}
