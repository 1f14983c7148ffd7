//! The forwarder.

mod answers;
mod cache;
mod cname;
mod limits;
mod program;
mod routing;
mod server;
mod tcp;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, Query, ResponseCode};
use hickory_proto::rr::rdata::{A, CNAME, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use server::Server;

/// How long anything may take before a test fails.
const DEADLINE: Duration = Duration::from_secs(10);

/// A forwarder that runs until this is dropped.
struct Forwarder {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
    log: Receiver<String>,
}

impl Forwarder {
    /// With servers for all names and for some; and with these limits.
    fn start(default: &[&Server], routes: &[(&str, &Server)], limits: Value) -> Self {
        Self::with(&config(default, routes, limits))
    }

    fn with(config: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_config(&folder, config);
        let mut child = Command::new(env!("CARGO_BIN_EXE_fps-dns"))
            .arg("--config")
            .arg(folder.path().join("dns.json"))
            .args(["--log-level", "debug"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = lines(child.stderr.take().unwrap());
        let address = ready(&mut child);
        Self {
            child,
            address,
            folder,
            log,
        }
    }

    /// Waits for a line of the log with this text.
    fn wait_for_line(&self, text: &str) -> String {
        loop {
            let line = self.log.recv_timeout(DEADLINE).expect(text);
            if line.contains(text) {
                return line;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(pid, signal).unwrap();
    }

    /// A client with an address of its own.
    fn client(&self) -> Client {
        let socket = UdpSocket::bind(SocketAddr::new(self.address.ip(), 0)).unwrap();
        socket.connect(self.address).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        Client(socket)
    }

    fn ask(&self, name: &str) -> Message {
        self.client().ask(&query(name, RecordType::A))
    }

    /// The one address that a name has.
    fn address_of(&self, name: &str) -> String {
        let answer = self.ask(name);
        match &answer.answers[..] {
            [record] => record.data.to_string(),
            _ => panic!("{name}: {answer:?}"),
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks by UDP.
struct Client(UdpSocket);

impl Client {
    fn send(&self, message: &Message) {
        self.0.send(&message.to_vec().unwrap()).unwrap();
    }

    fn receive(&self) -> Message {
        let mut bytes = [0; 65535];
        let length = uninterrupted(|| self.0.recv(&mut bytes)).expect("no answer came");
        Message::from_vec(&bytes[..length]).unwrap()
    }

    fn ask(&self, message: &Message) -> Message {
        self.send(message);
        let answer = self.receive();
        assert_eq!(answer.metadata.id, message.metadata.id);
        assert_eq!(answer.queries, message.queries);
        answer
    }
}

/// The lines of a pipe, read as they come, so that whoever writes them is never held up.
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            eprintln!("{line}");
            // The test may have ended.
            let _ = sender.send(line);
        }
    });
    lines
}

/// Waits for the line that says where the forwarder is.
fn ready(child: &mut Child) -> SocketAddr {
    let mut line = String::new();
    let out = child.stdout.take().unwrap();
    BufReader::new(out).read_line(&mut line).unwrap();
    let address = line.strip_prefix("READY fps-dns ");
    address.expect(&line).trim().parse().unwrap()
}

fn config(default: &[&Server], routes: &[(&str, &Server)], limits: Value) -> Value {
    let routes = routes
        .iter()
        .map(|(domain, server)| json!({ "domains": [domain], "servers": [server.address()] }));
    json!({
        "listen": ["127.0.0.1:0"],
        "default": default.iter().map(|server| server.address()).collect::<Vec<_>>(),
        "routes": routes.collect::<Vec<_>>(),
        "limits": limits,
    })
}

fn write_config(folder: &TempDir, config: &Value) {
    std::fs::write(folder.path().join("dns.json"), config.to_string()).unwrap();
}

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn query(of: &str, record_type: RecordType) -> Message {
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name(of), record_type));
    message
}

/// With EDNS, for answers of so many bytes.
fn query_with_payload(of: &str, payload: u16) -> Message {
    let mut message = query(of, RecordType::A);
    let mut edns = Edns::new();
    edns.set_max_payload(payload);
    message.set_edns(edns);
    message
}

fn a(of: &str, ttl: u32, last: u8) -> Record {
    Record::from_rdata(name(of), ttl, RData::A(A::new(10, 0, 0, last)))
}

fn cname(from: &str, to: &str) -> Record {
    Record::from_rdata(name(from), 60, RData::CNAME(CNAME(name(to))))
}

fn soa(minimum: u32) -> Record {
    let soa = SOA::new(name("ns.test."), name("root.test."), 1, 2, 3, 4, minimum);
    Record::from_rdata(name("test."), 60, RData::SOA(soa))
}

/// The answer with these records.
fn answer(query: &Message, records: Vec<Record>) -> Message {
    let mut message = Message::response(query.metadata.id, query.metadata.op_code);
    message.queries = query.queries.clone();
    message.answers = records;
    message
}

fn failure(query: &Message, rcode: ResponseCode) -> Message {
    let mut message = answer(query, vec![]);
    message.metadata.response_code = rcode;
    message
}

fn rcode(message: &Message) -> ResponseCode {
    message.metadata.response_code
}

/// As TCP carries it.
fn frame(message: &Message) -> Vec<u8> {
    let bytes = message.to_vec().unwrap();
    [
        &u16::try_from(bytes.len()).unwrap().to_be_bytes(),
        &bytes[..],
    ]
    .concat()
}

/// The next message of a connection; none where it has ended.
fn read_frame(stream: &mut TcpStream) -> Option<Message> {
    let mut length = [0; 2];
    let first = uninterrupted(|| stream.read(&mut length[..1]));
    match first.expect("no answer came") {
        0 => return None,
        _ => stream.read_exact(&mut length[1..]).unwrap(),
    }
    let mut bytes = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut bytes).unwrap();
    Some(Message::from_vec(&bytes).unwrap())
}

/// A socket with a timeout says EINTR also where others would go on, as when the process was stopped
/// for a moment (signal(7)).
fn uninterrupted<T>(mut receive: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match receive() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

fn write_all(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).unwrap();
}
