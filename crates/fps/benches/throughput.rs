//! One TCP flow through the tunnel, beside the same flow over a plain veth, in turns: as a ratio, since
//! machines differ. And a ping while it runs.
//!
//! As root, or in a user namespace. Needs `ip` (iproute2).

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use fps_netns::Namespace;

/// How long a flow is measured.
const FLOW: Duration = Duration::from_secs(2);
/// How long it may get going before that.
const START: Duration = Duration::from_millis(500);
/// How much is written at once, as iperf3 does.
const CHUNK: usize = 128 << 10;
const ROUNDS: usize = 5;
const PATIENCE: Duration = Duration::from_secs(20);

const UUID: &str = "3f2b8c1d-9a4e-4f6b-8c2d-1e5f7a9b3c4d";

/// Two hosts with a cable between them.
struct Hosts {
    near: Namespace,
    far: Namespace,
}

const NEAR: &str = "192.0.2.2";
const FAR: &str = "192.0.2.1";

fn ip(namespace: &Namespace, line: &str) {
    let mut ip = Command::new("ip");
    let status = namespace.within(|| ip.args(line.split(' ')).status());
    let status = status.expect("enter a namespace").expect("run ip");
    assert!(status.success(), "ip {line}");
}

impl Hosts {
    fn new() -> Self {
        let make = || Namespace::create().expect("root, or a user namespace");
        let hosts = Self {
            near: make(),
            far: make(),
        };
        for host in [&hosts.near, &hosts.far] {
            ip(host, "link set lo up");
        }
        // `ip` takes a namespace by the pid of somebody in it.
        let mut somebody = Command::new("sleep");
        let somebody = somebody.arg("60").stdout(Stdio::null());
        let somebody = hosts.far.within(|| somebody.spawn());
        let somebody = Kill(somebody.expect("enter").expect("run sleep"));
        let line = format!(
            "link add near0 type veth peer name far0 netns {}",
            somebody.0.id()
        );
        ip(&hosts.near, &line);
        drop(somebody);
        for (host, link, address) in [(&hosts.near, "near0", NEAR), (&hosts.far, "far0", FAR)] {
            ip(host, &format!("addr add {address}/24 dev {link}"));
            ip(host, &format!("link set {link} up"));
        }
        hosts
    }
}

/// Killed when it is dropped.
struct Kill(Child);

impl Drop for Kill {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A program of the tunnel, and what it says.
struct Program {
    _child: Kill,
    lines: Receiver<String>,
}

impl Program {
    fn start(namespace: &Namespace, program: &str, line: &str) -> Self {
        let mut command = Command::new(program);
        command
            .args(line.split(' '))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = namespace.within(|| command.spawn());
        let mut child = child.expect("enter").expect("run a program");
        let (tell, lines) = channel();
        let outputs: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().expect("piped")),
            Box::new(child.stderr.take().expect("piped")),
        ];
        for output in outputs {
            let tell = tell.clone();
            std::thread::spawn(move || {
                let lines = BufReader::new(output).lines().map_while(Result::ok);
                // Nobody may be there to read them any more.
                lines.for_each(|line| drop(tell.send(line)));
            });
        }
        let _child = Kill(child);
        Self { _child, lines }
    }

    fn wait_for(&self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        let mut said = String::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("no {text}, but: {said}");
            };
            if line.contains(text) {
                return;
            }
            said += &line;
            said.push('\n');
        }
    }
}

/// What a tunnel speaks.
#[derive(Clone, Copy, PartialEq)]
enum Wire {
    /// What any build of FPS does.
    Version5,
    /// What two of ours do.
    Extended,
}

impl Wire {
    fn word(self) -> &'static str {
        match self {
            Self::Version5 => "version 5",
            Self::Extended => "extended",
        }
    }

    /// Both tunnels are there at once, so each has its own of all that can be taken.
    fn number(self) -> u8 {
        match self {
            Self::Version5 => 0,
            Self::Extended => 1,
        }
    }

    fn far(self) -> String {
        format!("10.66.{}.1", self.number())
    }

    /// The ratio to a veth, at least.
    fn least(self) -> f64 {
        match self {
            Self::Version5 => 0.15,
            Self::Extended => 0.4,
        }
    }
}

/// The programs of a tunnel between the hosts.
struct Tunnel {
    _programs: Vec<Program>,
    _folder: tempfile::TempDir,
}

/// The configurations of server and client.
fn configurations(wire: Wire) -> [(&'static str, String); 2] {
    let key = fps::random::private_key().expect("random bytes");
    let private = fps_wire::base64::encode(&*key.to_bytes());
    let public = key.public().to_base64();
    let (number, extensions) = (wire.number(), wire == Wire::Extended);
    let server = format!(
        r#"{{"network": {{"listen": "{FAR}:744{number}", "origin": "127.0.0.1:844{number}"}},
        "security": {{"zero_rtt": {{"enabled": true, "profile_id": "bench",
          "extensions": {extensions},
          "server_private_key_base64": "{private}", "server_public_key_base64": "{public}",
          "allowed_client_uuids": ["{UUID}"]}}}},
        "tun": {{"enabled": true, "name": "fpss{number}", "mtu": 1400,
          "lease_pool": "10.66.{number}.0/30", "lease_file": "leases.json"}}}}"#
    );
    let client = format!(
        r#"{{"network": {{"listen": "127.0.0.1:744{number}", "server": "{FAR}:744{number}"}},
        "security": {{"zero_rtt": {{"enabled": true, "profile_id": "bench",
          "extensions": {extensions},
          "client_uuid": "{UUID}", "server_public_key_base64": "{public}",
          "client_upgrade_delay_ms": 0}}}},
        "tun": {{"enabled": true, "name": "fpsc{number}", "mtu": 1400, "auto_configure": true}}}}"#
    );
    [("server.json", server), ("client.json", client)]
}

impl Tunnel {
    fn start(hosts: &Hosts, wire: Wire) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).display().to_string();
        for (name, text) in configurations(wire) {
            // It holds keys, so nobody else may read it.
            let mut file = OpenOptions::new();
            let file = file.write(true).create_new(true).mode(0o600).open(at(name));
            let mut file = file.expect("the folder is ours");
            file.write_all(text.as_bytes()).expect("there is room");
        }
        let (number, far) = (wire.number(), wire.far());
        let (ca, carrier) = (at("ca.pem"), env!("CARGO_BIN_EXE_fps_carrier"));
        let line = format!("origin --listen 127.0.0.1:844{number} --self-signed --cert-out {ca}");
        let origin = Program::start(&hosts.far, carrier, &line);
        origin.wait_for("READY origin");
        let line = format!("--config {}", at("server.json"));
        let server = Program::start(&hosts.far, env!("CARGO_BIN_EXE_fps_server"), &line);
        server.wait_for("event=listening");
        ip(&hosts.far, &format!("addr add {far}/30 dev fpss{number}"));
        ip(&hosts.far, &format!("link set fpss{number} up"));
        let line = format!("--config {}", at("client.json"));
        let client = Program::start(&hosts.near, env!("CARGO_BIN_EXE_fps_client"), &line);
        client.wait_for("event=listening");
        let line = format!(
            "client --url wss://carrier.example.net/fps-carrier --connect 127.0.0.1:744{number} \
             --ca-file {ca} --reconnect-min-ms 10"
        );
        let application = Program::start(&hosts.near, carrier, &line);
        if wire == Wire::Extended {
            client.wait_for("event=carrier_extended");
        } else {
            client.wait_for("event=tun_auto_configured");
        }
        Self {
            _programs: vec![origin, server, client, application],
            _folder: folder,
        }
    }
}

/// Bits in a second of one flow from near to far, and the pings beside it.
#[expect(clippy::disallowed_methods, reason = "a measurement lasts so long")]
fn flow(hosts: &Hosts, to: &str, pings: bool) -> (f64, Vec<Duration>) {
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

fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> T {
    values.sort_by(|one, other| one.partial_cmp(other).expect("comparable"));
    values[values.len() / 2]
}

/// A tunnel, and what was measured of it.
struct Measured {
    wire: Wire,
    _tunnel: Tunnel,
    rates: Vec<f64>,
}

impl Measured {
    /// Says what came of it, beside a veth, and whether it is what it has to be.
    fn judge(&self, hosts: &Hosts, plain: f64) -> bool {
        let (word, rate) = (self.wire.word(), median(self.rates.clone()));
        let ratio = rate / plain;
        println!("{word}: {:.2} Gbit/s, {ratio:.3} of the veth", rate / 1e9);
        let (_, pings) = flow(hosts, &self.wire.far(), true);
        let under_load = median(pings);
        println!("{word}: ping under load {under_load:.1?}");
        let least = self.wire.least();
        let enough = format!("at least {least} of the veth");
        let quick = under_load < Duration::from_millis(3);
        let mut kept = true;
        for (what, holds) in [
            (enough.as_str(), ratio >= least),
            ("ping under load below 3 ms", quick),
        ] {
            let verdict = if holds { "kept:    " } else { "EXCEEDED:" };
            println!("{verdict} {word}, {what}");
            kept &= holds;
        }
        kept
    }
}

fn main() -> ExitCode {
    let hosts = Hosts::new();
    let mut plain = Vec::new();
    let mut tunnels = [Wire::Version5, Wire::Extended].map(|wire| Measured {
        wire,
        _tunnel: Tunnel::start(&hosts, wire),
        rates: Vec::new(),
    });
    for round in 0..ROUNDS {
        let (rate, _) = flow(&hosts, FAR, false);
        plain.push(rate);
        print!("round {round}: veth {:.2} Gbit/s", rate / 1e9);
        for it in &mut tunnels {
            let (rate, _) = flow(&hosts, &it.wire.far(), false);
            it.rates.push(rate);
            print!(", {} {:.2}", it.wire.word(), rate / 1e9);
        }
        println!();
    }
    let plain = median(plain);
    println!("one TCP flow over a veth: {:.2} Gbit/s", plain / 1e9);
    let kept = tunnels.iter().map(|it| it.judge(&hosts, plain));
    match kept.fold(true, |all, kept| all & kept) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
