//! A server that leases addresses, and clients, each on a host of its own, with a cable from each client
//! to the server. Ports are the same in all: each host has its own.

use std::io::Read;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::host::Host;
use crate::programs::{DEADLINE, Files, PRIVATE_KEY, PUBLIC_KEY, Program, UUID};

/// Who the clients are.
pub(crate) const UUIDS: [&str; 2] = [UUID, "5a0c1d7e-2b3f-4c4d-9e5f-6a7b8c9d0e1f"];
/// The server's address in its pool, 10.66.0.0/24.
pub(crate) const SERVER: &str = "10.66.0.1";

/// See the module.
pub(crate) struct Site {
    pub(crate) files: Files,
    pub(crate) far: Host,
    pub(crate) near: Vec<Host>,
    pub(crate) server: Program,
    /// Nothing is carried without it.
    pub(crate) origin: Program,
}

/// The cable of a client: the server's address, the client's, and another that it may have.
pub(crate) fn cable(client: usize) -> [String; 3] {
    [1, 2, 3].map(|last| format!("192.0.2.{}", 32 * client + last))
}

impl Site {
    /// As many clients' hosts, cables, the origin and the server. `more` is of the server's `tun`.
    pub(crate) async fn new(clients: usize, more: &str) -> Self {
        let far = host().await;
        // For packets from one client to another.
        far.set_sysctl("net/ipv4/ip_forward", "1");
        let mut near = Vec::new();
        for client in 0..clients {
            let host = host().await;
            connect(&far, &host, client).await;
            near.push(host);
        }
        let files = Files::new();
        let origin = far.within(|| start_origin(&files));
        files.write("server.json", &server_config(more));
        let server = far.within(|| start_server(&files));
        let site = Self {
            files,
            far,
            near,
            server,
            origin,
        };
        site.address_server().await;
        site
    }

    /// Does the route engine's part for the server's TUN.
    pub(crate) async fn address_server(&self) {
        self.far.add_address("fpss0", "10.66.0.1/24").await;
        self.far.set_up("fpss0").await;
    }

    /// Starts the server anew, where the last one has ended.
    pub(crate) async fn start_server(&mut self) {
        self.server = self.far.within(|| start_server(&self.files));
        self.address_server().await;
    }

    /// What the client's configuration says; `client-NUMBER.json` once it has been started.
    pub(crate) fn client_config(client: usize, uuid: &str) -> String {
        let [server, ..] = cable(client);
        format!(
            r#"{{"network": {{"listen": "127.0.0.1:7443", "server": "{server}:7443"}},
            "security": {{"zero_rtt": {{"enabled": true, "profile_id": "site",
              "server_public_key_base64": "{PUBLIC_KEY}",
              "client_uuid": "{uuid}", "client_upgrade_delay_ms": 0}}}},
            "tun": {{"enabled": true, "name": "fpsc0", "mtu": 1400, "auto_configure": true}},
            "ops": {{"status_socket": "client-{client}.status"}},
            "logging": {{"level": "trace"}}}}"#
        )
    }

    /// Starts the program of a client on its host.
    pub(crate) fn start_client(&self, client: usize, uuid: &str) -> Program {
        self.start_client_with(client, &Self::client_config(client, uuid))
    }

    /// The same with another configuration.
    pub(crate) fn start_client_with(&self, client: usize, config: &str) -> Program {
        let name = format!("client-{client}.json");
        let config = self.files.write(&name, config);
        let mut command = Command::new(env!("CARGO_BIN_EXE_fps_client"));
        command.arg("--config").arg(config);
        let start = || Program::start("fps_client", &mut command);
        let mut program = self.near[client].within(start);
        program.wait_for(&["event=listening"]);
        program
    }

    /// Starts an application on a client's host, which makes carriers.
    pub(crate) fn start_application(&self, client: usize, more: &[&str]) -> Program {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fps_carrier"));
        command.args(["client", "--url", "wss://carrier.example.net/fps-carrier"]);
        command.args(["--connect", "127.0.0.1:7443"]).args(more);
        command.arg("--ca-file").arg(self.files.path("ca.pem"));
        self.near[client].within(|| Program::start("application", &mut command))
    }

    /// Program and application of a client, when its address is there and its carrier carries.
    pub(crate) fn join(&mut self, client: usize, uuid: &str, more: &[&str]) -> Member {
        let mut program = self.start_client(client, uuid);
        let application = self.start_application(client, more);
        let lease = lease(&program.wait_for(&["event=tun_auto_configured"]));
        self.server.wait_for(&["event=carrier_registered"]);
        Member {
            program,
            application,
            lease,
        }
    }

    /// What a program that runs says of itself: `server`, or `client-NUMBER`.
    pub(crate) fn status_text(&self, program: &str) -> String {
        let socket = self.files.path(&format!("{program}.status"));
        let mut stream = UnixStream::connect(socket).expect("it runs");
        stream.set_read_timeout(Some(DEADLINE)).expect("valid");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("it answers");
        text
    }

    /// The same, read.
    pub(crate) fn status(&self, program: &str) -> Value {
        serde_json::from_str(&self.status_text(program)).expect("JSON")
    }

    /// How many packets a program has dropped for a reason.
    pub(crate) fn dropped(&self, program: &str, reason: &str) -> u64 {
        let dropped = &self.status(program)["tun"]["dropped"];
        let count = dropped[reason].as_u64();
        count.unwrap_or_else(|| panic!("no {reason} in {dropped}"))
    }
}

/// A client that has a lease.
pub(crate) struct Member {
    pub(crate) program: Program,
    pub(crate) application: Program,
    pub(crate) lease: String,
}

/// The address that a line tells.
fn lease(line: &str) -> String {
    let (_, rest) = line.split_once("address=").expect("an address");
    rest.split(' ').next().expect("a word").to_owned()
}

/// A host without IPv6, so that nobody sends anything that no test has asked for.
async fn host() -> Host {
    let host = Host::new().await;
    for which in ["all", "default"] {
        host.set_sysctl(&format!("net/ipv6/conf/{which}/disable_ipv6"), "1");
        host.set_sysctl(&format!("net/ipv4/conf/{which}/rp_filter"), "0");
        host.set_sysctl(&format!("net/ipv4/conf/{which}/send_redirects"), "0");
    }
    host
}

/// Puts a cable between the server and a client.
async fn connect(far: &Host, near: &Host, client: usize) {
    let link = format!("far{client}");
    let pid = std::process::id();
    let namespace = format!("/proc/{pid}/fd/{}", near.descriptor().as_raw_fd());
    let line = format!("link add {link} type veth peer name near netns {namespace}");
    let mut ip = Command::new("ip");
    let output = far.within(|| ip.args(line.split(' ')).output());
    let output = output.expect("ip is there (iproute2)");
    assert!(output.status.success(), "ip {line}: {output:?}");
    let [server, address, _] = cable(client);
    for (host, link, address) in [(far, link.as_str(), server), (near, "near", address)] {
        host.add_address(link, &format!("{address}/27")).await;
        host.set_up(link).await;
    }
    // The carriers come and go with these; the kernel then sees them at once.
    for (host, link) in [(far, link.as_str()), (near, "near")] {
        host.link(link).await;
    }
}

fn server_config(more: &str) -> String {
    let [one, two] = UUIDS;
    format!(
        r#"{{"network": {{"listen": "0.0.0.0:7443", "origin": "127.0.0.1:8443"}},
        "security": {{"zero_rtt": {{"enabled": true, "profile_id": "site",
          "server_private_key_base64": "{PRIVATE_KEY}",
          "server_public_key_base64": "{PUBLIC_KEY}",
          "allowed_client_uuids": ["{one}", "{two}"]}}}},
        "tun": {{"enabled": true, "name": "fpss0", "mtu": 1400, {more}
          "lease_pool": "10.66.0.0/24", "lease_file": "leases.json"}},
        "ops": {{"status_socket": "server.status"}},
        "logging": {{"level": "trace"}}}}"#
    )
}

fn start_server(files: &Files) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fps_server"));
    command.arg("--config").arg(files.path("server.json"));
    let mut server = Program::start("fps_server", &mut command);
    server.wait_for(&["event=listening"]);
    server
}

fn start_origin(files: &Files) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fps_carrier"));
    command.args(["origin", "--listen", "127.0.0.1:8443", "--self-signed"]);
    command.arg("--cert-out").arg(files.path("ca.pem"));
    let mut origin = Program::start("origin", &mut command);
    origin.wait_for(&["READY origin"]);
    origin
}

/// A socket on a host that waits long enough for anything.
pub(crate) fn socket(host: &Host, address: &str) -> UdpSocket {
    let socket = host.within(|| UdpSocket::bind(address));
    let socket = socket.unwrap_or_else(|error| panic!("bind {address}: {error}"));
    socket.set_read_timeout(Some(DEADLINE)).expect("valid");
    socket
}

/// The next that arrives, and from where.
pub(crate) fn next(at: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 2000];
    let (length, from) = at.recv_from(&mut buffer).expect("something arrives");
    buffer.truncate(length);
    (buffer, from)
}

/// Asks until it holds: of what a program counts there is no event to wait for.
pub(crate) fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + 2 * DEADLINE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}: not in time");
    }
}
