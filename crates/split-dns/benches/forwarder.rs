//! How many questions a second `fps-dns` answers, from its cache and by asking a server, beside
//! dnsmasq where that is installed.
//!
//! All is on the loopback: this program is both client and server, so that a machine with few
//! processors measures it along. It fails where a limit is missed.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{Name, RData, Record, RecordType};

/// How many questions wait for an answer at a time.
const WINDOW: usize = 64;
const QUESTIONS: usize = 50_000;
/// How many names there are where all are in the cache.
const NAMES: usize = 100;
/// After what time a question is lost, and asked again.
const PATIENCE: Duration = Duration::from_millis(500);

/// What is wanted, in questions a second.
const CACHED: f64 = 20_000.0;
const FORWARDED: f64 = 8_000.0;
/// And as a part of what dnsmasq does.
const RATIO: f64 = 1.0;
/// How long all but one of a hundred answers may take with half of that to do.
const LATENCY: Duration = Duration::from_millis(2);
/// For how long that is looked at.
const LOAD: Duration = Duration::from_secs(3);

/// Answers everything with one address, for an hour.
fn serve(socket: &UdpSocket) {
    let mut bytes = [0; 512];
    while let Ok((length, peer)) = socket.recv_from(&mut bytes) {
        let query = Message::from_vec(&bytes[..length]).expect("a question");
        let name = query.queries[0].name().clone();
        let mut answer = query.into_response();
        let data = RData::A(A::new(10, 0, 0, 1));
        answer.add_answer(Record::from_rdata(name, 3600, data));
        // Whoever asked may have given up.
        let _ = socket.send_to(&answer.to_vec().expect("a short message"), peer);
    }
}

/// A program that ends with this.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What answers there.
fn start(command: &mut Command) -> Option<Program> {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.spawn().ok().map(Program)
}

fn fps_dns(listen: SocketAddr, server: SocketAddr) -> Option<Program> {
    let program = env!("CARGO_BIN_EXE_fps-dns");
    start(Command::new(program).args([format!("--listen={listen}"), format!("--default={server}")]))
}

fn dnsmasq(listen: SocketAddr, server: SocketAddr) -> Option<Program> {
    start(Command::new("dnsmasq").args([
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--pid-file=",
        "--no-resolv",
        "--no-hosts",
        "--bind-interfaces",
        "--cache-size=10000",
        "--dns-forward-max=1024",
        &format!("--listen-address={}", listen.ip()),
        &format!("--port={}", listen.port()),
        &format!("--server={}#{}", server.ip(), server.port()),
    ]))
}

fn question(id: u16, name: &str) -> Vec<u8> {
    let mut message = Message::query();
    message.metadata.id = id;
    message.metadata.recursion_desired = true;
    let name = Name::from_ascii(name).expect("a name");
    message.add_query(Query::query(name, RecordType::A));
    message.to_vec().expect("a short message")
}

/// Asks all, a window at a time, and again what is lost; how many a second, and how many were lost.
fn ask(address: SocketAddr, name: impl Fn(usize) -> String) -> (f64, usize) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.connect(address).expect("a connected socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let all: Vec<_> = (0..QUESTIONS)
        .map(|number| question(id(number), &name(number)))
        .collect();
    let (mut waiting, mut next, mut lost) = (HashMap::new(), 0, 0);
    let mut bytes = [0; 512];
    let begin = Instant::now();
    while next < QUESTIONS || !waiting.is_empty() {
        while waiting.len() < WINDOW && next < QUESTIONS {
            // A program that is not up yet refuses it: it counts as lost.
            let _ = socket.send(&all[next]);
            waiting.insert(id(next), next);
            next += 1;
        }
        match socket.recv(&mut bytes) {
            Ok(_) => {
                assert_eq!(bytes[3] & 0xf, 0, "a question has failed");
                waiting.remove(&u16::from_be_bytes([bytes[0], bytes[1]]));
            }
            Err(_) => {
                lost += waiting.len();
                for number in waiting.values() {
                    let _ = socket.send(&all[*number]);
                }
            }
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate need not be exact")]
    let rate = QUESTIONS as f64 / begin.elapsed().as_secs_f64();
    (rate, lost)
}

/// Asks so many times a second, whatever comes back; the 99th percentile of how long the answers took.
fn latency(address: SocketAddr, rate: f64, name: impl Fn(usize) -> String) -> Duration {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.connect(address).expect("a connected socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count"
    )]
    let count = (rate * LOAD.as_secs_f64()) as usize;
    let all: Vec<_> = (0..count)
        .map(|number| question(id(number), &name(number)))
        .collect();
    let (begin, pause) = (Instant::now(), Duration::from_secs_f64(1.0 / rate));
    let mut took = vec![PATIENCE; count];
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut due = begin;
            for message in &all {
                thread::park_timeout(due.saturating_duration_since(Instant::now()));
                socket.send(message).expect("room in the buffer");
                due += pause;
            }
        });
        let mut bytes = [0; 512];
        // From when it was due: that the sender was late is part of what a client sees.
        while let Ok(length) = socket.recv(&mut bytes) {
            assert!(length > 3 && bytes[3] & 0xf == 0, "a question has failed");
            let number = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
            let due = pause * u32::try_from(number).expect("less than 2^16");
            took[number] = begin.elapsed().saturating_sub(due);
            if number + 1 == count {
                break;
            }
        }
    });
    took.sort_unstable();
    took[count * 99 / 100]
}

fn id(number: usize) -> u16 {
    u16::try_from(number % (1 << 16)).expect("less than 2^16")
}

/// A port that is free now.
fn free(ip: &str) -> SocketAddr {
    let socket = UdpSocket::bind((ip, 0)).expect("a socket");
    socket.local_addr().expect("its address")
}

/// Waits until somebody answers there.
fn wait_for(address: SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let deadline = Instant::now() + Duration::from_secs(10);
    socket.connect(address).expect("a connected socket");
    socket
        .set_read_timeout(Some(Duration::from_millis(20)))
        .expect("a timeout");
    while Instant::now() < deadline {
        let _ = socket.send(&question(1, "ready.test."));
        if socket.recv(&mut [0; 512]).is_ok() {
            return;
        }
    }
    panic!("nobody answers at {address}");
}

/// Questions a second from the cache, and forwarded.
fn measure(
    name: &str,
    start: fn(SocketAddr, SocketAddr) -> Option<Program>,
    server: SocketAddr,
) -> Option<Figures> {
    let listen = free("127.0.0.1");
    let _program = start(listen, server)?;
    wait_for(listen);
    let kept = |number| format!("n{}.test.", number % NAMES);
    let (forwarded, lost) = ask(listen, |number| format!("a{number}.fps.test."));
    println!("{name:8} forwarded   {forwarded:>8.0}/s, lost {lost}");
    let (cached, lost) = ask(listen, kept);
    println!("{name:8} from cache  {cached:>8.0}/s, lost {lost}");
    let busy = [
        latency(listen, CACHED / 2.0, kept),
        latency(listen, FORWARDED / 2.0, |number| {
            format!("b{number}.fps.test.")
        }),
    ];
    println!("{name:8} 99 % within {busy:.2?} at half load, from cache and forwarded");
    Some(Figures {
        cached,
        forwarded,
        slowest: busy[0].max(busy[1]),
    })
}

/// What one program does.
struct Figures {
    /// Questions a second from the cache.
    cached: f64,
    /// And forwarded.
    forwarded: f64,
    /// The slower of the two 99th percentiles at half load.
    slowest: Duration,
}

fn main() -> ExitCode {
    let socket = UdpSocket::bind("127.0.0.2:0").expect("a socket");
    let server = socket.local_addr().expect("its address");
    thread::spawn(move || serve(&socket));
    let ours = measure("fps-dns", fps_dns, server).expect("it is built");
    let mut kept = true;
    let mut judge = |what: &str, is: f64, least: f64| {
        let word = if is >= least {
            "kept:    "
        } else {
            "MISSED:  "
        };
        println!("{word} {what}: {is:.2}, at least {least}");
        kept &= is >= least;
    };
    judge("from cache a second", ours.cached, CACHED);
    judge("forwarded a second", ours.forwarded, FORWARDED);
    let within = LATENCY.as_secs_f64() / ours.slowest.as_secs_f64();
    judge("2 ms to the 99th percentile at half load", within, 1.0);
    match measure("dnsmasq", dnsmasq, server) {
        Some(theirs) => {
            judge(
                "from cache beside dnsmasq",
                ours.cached / theirs.cached,
                RATIO,
            );
            judge(
                "forwarded beside dnsmasq",
                ours.forwarded / theirs.forwarded,
                RATIO,
            );
        }
        None => println!("NOT MEASURED: dnsmasq is not installed"),
    }
    if kept {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
