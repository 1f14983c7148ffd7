//! Servers that say what a test wants.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use hickory_proto::op::Message;
use hickory_proto::rr::RecordType;

use super::{DEADLINE, a, answer, frame, read_frame, write_all};

/// What a question came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Udp,
    Tcp,
}

type Answers = dyn Fn(&Message, Transport) -> Vec<Message> + Send + Sync;

/// A server at an address of its own, by UDP and TCP.
pub(super) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    answers: Box<Answers>,
    asked: Mutex<Vec<String>>,
    more: Condvar,
    stops: AtomicBool,
}

impl Server {
    /// One that gives every name the address 10.0.0.`last` for a minute.
    pub(super) fn of(last: u8) -> Self {
        Self::new(move |query, _| {
            let name = query.queries[0].name().to_ascii();
            let is_a = query.queries[0].query_type() == RecordType::A;
            let records = is_a.then(|| a(&name, 60, last));
            vec![answer(query, Vec::from_iter(records))]
        })
    }

    /// One that never answers.
    pub(super) fn silent() -> Self {
        Self::new(|_, _| vec![])
    }

    pub(super) fn new(
        answers: impl Fn(&Message, Transport) -> Vec<Message> + Send + Sync + 'static,
    ) -> Self {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.2:0").unwrap();
            // Another program may have the port for TCP.
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        let shared = Arc::new(Shared {
            answers: Box::new(answers),
            asked: Mutex::default(),
            more: Condvar::new(),
            stops: AtomicBool::new(false),
        });
        let (one, other) = (Arc::clone(&shared), Arc::clone(&shared));
        thread::spawn(move || one.serve_udp(&udp));
        thread::spawn(move || other.serve_tcp(&tcp));
        Self { address, shared }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The names that it has been asked for, each with the transport.
    pub(super) fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Waits until it has been asked so often.
    pub(super) fn wait_for(&self, count: usize) {
        let asked = self.shared.asked.lock().unwrap();
        let is_less = |asked: &mut Vec<String>| asked.len() < count;
        let waited = self
            .shared
            .more
            .wait_timeout_while(asked, DEADLINE, is_less);
        let (asked, timeout) = waited.unwrap();
        assert!(!timeout.timed_out(), "asked only {asked:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stops.store(true, Ordering::SeqCst);
        // Each thread waits for a question; a lost wake-up only leaves it there.
        let _ = UdpSocket::bind("127.0.0.2:0").and_then(|socket| socket.send_to(&[], self.address));
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn stops(&self) -> bool {
        self.stops.load(Ordering::SeqCst)
    }

    fn answers(&self, query: &Message, transport: Transport) -> Vec<Message> {
        let name = query.queries[0].name().to_ascii();
        self.asked.lock().unwrap().push(match transport {
            Transport::Udp => name,
            Transport::Tcp => format!("{name} by TCP"),
        });
        self.more.notify_all();
        (self.answers)(query, transport)
    }

    fn serve_udp(&self, socket: &UdpSocket) {
        let mut bytes = [0; 65535];
        loop {
            let (length, peer) = socket.recv_from(&mut bytes).unwrap();
            if self.stops() {
                return;
            }
            let query = Message::from_vec(&bytes[..length]).unwrap();
            for message in self.answers(&query, Transport::Udp) {
                // Whoever asked may have given up.
                let _ = socket.send_to(&message.to_vec().unwrap(), peer);
            }
        }
    }

    fn serve_tcp(&self, listener: &TcpListener) {
        loop {
            let (mut stream, _) = listener.accept().unwrap();
            if self.stops() {
                return;
            }
            while let Some(query) = read_frame(&mut stream) {
                for message in self.answers(&query, Transport::Tcp) {
                    write_all(&mut stream, &frame(&message));
                }
            }
        }
    }
}

/// An address of this machine at which nobody listens.
pub(super) fn nobody() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.3:0").unwrap();
    socket.local_addr().unwrap()
}
