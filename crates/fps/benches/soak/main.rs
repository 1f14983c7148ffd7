//! Two clients and a server under traffic for minutes, while applications are killed, clients roam, one
//! does not read, the server restarts and somebody forges sources; then every packet is accounted for.
//!
//! ```text
//! sent into a TUN = read by the program + dropped by the kernel before
//! read            = put into records of a carrier + dropped, by reason
//! put into records, all carriers = came out of records at the other end + lost with carriers
//! came out        = handed to the TUN + dropped, by reason
//! handed          = refused by a link that is down + arrived at a socket + no room in a socket
//! ```
//!
//! What was put into records and handed to TCP is lost when the connection ends before it has arrived.
//! No counter of the sender can know how much that is. So each end says at a carrier's end what it has
//! sent and received on it (`event=session_stats`), and the difference is what was *lost with the
//! carrier*. It cannot hide another loss: no end may have received more than the other has sent, before
//! the first fault nothing at all may be missing, and carriers that end in peace at the end of the run
//! lose nothing either.
//!
//! What lies in the kernel's queue of a TUN that is closed is counted nowhere. So what goes to the
//! clients rests while the server restarts; what comes from them does not.
//!
//! As root, or in a user namespace. Needs `ip` (iproute2). `--minutes N` says how long, 10 unless told.

mod books;
mod ledger;
mod traffic;

#[path = "../../tests/it/crowd.rs"]
mod crowd;
#[expect(dead_code, reason = "shared with the tests")]
#[path = "../../tests/it/host.rs"]
mod host;
#[expect(dead_code, reason = "shared with the tests")]
#[path = "../../tests/it/programs.rs"]
mod programs;
#[expect(dead_code, reason = "shared with the tests")]
#[path = "../../tests/it/site.rs"]
mod site;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use fps_netlink::Address;
use nix::sys::signal::Signal;
use serde_json::Value;

use books::end;
use crowd::MOST_KIB;
use ledger::Checks;
use site::{Member, Site, UUIDS, cable, socket, wait_until};
use traffic::{LENGTH, Receiver, Sender};

/// How long the traffic flows before the first fault, and after each.
const CALM: Duration = Duration::from_secs(4);
/// How much a program may grow from the first third of the run to the last, in KiB.
const MOST_GROWTH: u64 = 4 << 10;
/// How many packets a client that does not read is sent at once: fewer than a TUN's own queue holds.
const FLOOD: u64 = 400;
/// More than TCP's buffers and the queue of a carrier hold.
const MOST_FLOOD: u64 = 100_000;
/// How a carrier's application comes again.
const AGAIN: [&str; 4] = ["--reconnect-min-ms", "50", "--reconnect-max-ms", "200"];

/// Everything that runs.
struct Soak {
    site: Site,
    members: Vec<Member>,
    up: Vec<Sender>,
    down: Vec<Sender>,
    forger: Sender,
    at_server: Receiver,
    at_clients: Vec<Receiver>,
    /// The logs of servers that have ended.
    servers: Vec<String>,
    /// What the kernel has dropped before it reached the TUNs of those.
    kernel_down: u64,
    /// What those have read from their TUNs.
    read_down: u64,
    /// Which address each client has on its cable.
    place: Vec<usize>,
    memory: Vec<[u64; 3]>,
    /// How many questions each client has asked, and got the answer.
    asked: [u64; 2],
    /// How many packets have been sent to a client that did not read.
    flooded: u64,
}

fn number(status: &Value, key: &str) -> u64 {
    let value = status["tun"][key].as_u64();
    value.unwrap_or_else(|| panic!("no {key} in {status}"))
}

impl Soak {
    async fn start() -> Self {
        let mut site = Site::new(2, "").await;
        let mut members = Vec::new();
        for (client, uuid) in UUIDS.into_iter().enumerate() {
            members.push(site.join(client, uuid, &AGAIN));
        }
        let leases: Vec<_> = members.iter().map(|it| it.lease.clone()).collect();
        let at_server = Receiver::start(&site.far, "0.0.0.0:5000", leases.clone());
        let server = vec![site::SERVER.to_owned()];
        let receive = |host| Receiver::start(host, "0.0.0.0:5001", server.clone());
        let at_clients = site.near.iter().map(receive).collect();
        site.near[0].add_address("lo", "10.66.0.99/32").await;
        let forged = socket(&site.near[0], "10.66.0.99:0");
        let up = (0..2).map(|client| {
            let from = socket(&site.near[client], &format!("{}:0", leases[client]));
            Sender::start(from, "10.66.0.1:5000", 500)
        });
        let down = leases.iter().map(|lease| {
            let from = socket(&site.far, "10.66.0.1:0");
            Sender::start(from, &format!("{lease}:5001"), 500)
        });
        Self {
            up: up.collect(),
            down: down.collect(),
            forger: Sender::start(forged, "10.66.0.1:5000", 20),
            site,
            members,
            at_server,
            at_clients,
            servers: Vec::new(),
            kernel_down: 0,
            read_down: 0,
            place: vec![1, 1],
            memory: Vec::new(),
            asked: [0; 2],
            flooded: 0,
        }
    }

    /// What the clients' TUNs have been sent, one after the other.
    fn sent_up(&self, client: usize) -> u64 {
        let forged = if client == 0 { self.forger.sent() } else { 0 };
        self.up[client].sent() + forged + self.asked[client]
    }

    fn sent_down(&self) -> u64 {
        let paced: u64 = self.down.iter().map(Sender::sent).sum();
        paced + self.asked.iter().sum::<u64>() + self.flooded
    }

    /// A question by each client's carrier, and its answer: what was on the way before has arrived.
    fn ask(&mut self) {
        let server = socket(&self.site.far, "10.66.0.1:5002");
        for client in 0..2 {
            let lease = &self.members[client].lease;
            let near = socket(&self.site.near[client], &format!("{lease}:0"));
            let sent = near.send_to(b"question", "10.66.0.1:5002");
            sent.expect("the TUN takes it");
            let (question, from) = site::next(&server);
            let sent = server.send_to(&question, from);
            sent.expect("the TUN takes it");
            assert_eq!(site::next(&near).0, b"question");
            self.asked[client] += 1;
        }
    }

    /// Waits until the server has read all that was sent into its TUN. The senders must rest.
    fn settle_down(&self) {
        wait_until("the server", || {
            let here = number(&self.site.status("server"), "packets_from_device");
            let kernel = self.kernel_down + self.site.far.not_sent("fpss0");
            self.read_down + here + kernel == self.sent_down()
        });
    }

    /// The same of a client.
    fn settle_up(&self, client: usize) {
        wait_until("a client", || {
            let status = self.site.status(&format!("client-{client}"));
            let kernel = self.site.near[client].not_sent("fpsc0");
            number(&status, "packets_from_device") + kernel == self.sent_up(client)
        });
    }

    /// Without a fault nothing is lost: all senders rest, and what went in on one side comes out on the
    /// other.
    fn nothing_is_missing(&self) -> bool {
        let senders = self.up.iter().chain(&self.down).chain([&self.forger]);
        let gates: Vec<_> = senders.map(|it| it.gate.lock().expect("whole")).collect();
        self.settle_down();
        (0..2).for_each(|client| self.settle_up(client));
        let programs = || {
            let clients = [0, 1].map(|client| self.site.status(&format!("client-{client}")));
            (self.site.status("server"), clients)
        };
        let crossed = |from: &str, to: &str| {
            let (server, clients) = programs();
            let sum = |key| -> u64 { clients.iter().map(|it| number(it, key)).sum() };
            (sum(from) == number(&server, to)) && (number(&server, from) == sum(to))
        };
        wait_until("the way through the carriers", || {
            crossed("packets_to_carriers", "packets_from_carriers")
        });
        let (server, clients) = programs();
        let queued: u64 = clients
            .iter()
            .chain([&server])
            .map(|it| number(it, "packets_from_device") - number(it, "packets_to_carriers"))
            .sum();
        drop(gates);
        queued == 0
    }

    /// Listens for so long, and looks at the memory meanwhile.
    fn calm(&mut self) {
        let end = Instant::now() + CALM;
        while Instant::now() < end {
            self.site.server.watch(Duration::from_millis(500));
            let [one, two] = [0, 1].map(|client| self.members[client].program.resident_kib());
            self.memory
                .push([self.site.server.resident_kib(), one, two]);
        }
    }

    /// Hears what a client has said up to now, so that the next line is a new one.
    fn forget(&mut self, client: usize) {
        self.members[client].program.said();
    }

    fn wait_carried(&mut self, client: usize) {
        let program = &mut self.members[client].program;
        program.wait_for(&["event=carrier_registered"]);
    }

    /// Ends a client's application and starts another.
    fn lose_carriers(&mut self, client: usize, signal: Signal) {
        self.forget(client);
        self.members[client].application.signal(signal);
        self.members[client].application.wait();
        let again = self.site.start_application(client, &AGAIN);
        self.members[client].application = again;
        self.wait_carried(client);
    }

    /// Another address on the cable, and the old one gone before it is there.
    async fn roam(&mut self, client: usize) {
        self.forget(client);
        let (host, addresses) = (&self.site.near[client], cable(client));
        let near = host.link("near").await.index;
        let old = format!("{}/27", addresses[self.place[client]]);
        let old = Address::new(near, old.parse().expect("a net"));
        let deleted = host.netlink.delete_address(&old).await;
        deleted.expect("root of the namespace");
        self.place[client] = 3 - self.place[client];
        let new = format!("{}/27", addresses[self.place[client]]);
        host.add_address("near", &new).await;
        self.wait_carried(client);
    }

    /// Restarts the server; where a client is to be stalled, while more waits for it than it reads.
    async fn restart_server(&mut self, stalled: bool) {
        (0..2).for_each(|client| self.forget(client));
        let gates: Vec<_> = self.down.iter().map(|it| it.gate.clone()).collect();
        let gates: Vec<_> = gates.iter().map(|it| it.lock().expect("whole")).collect();
        if stalled {
            self.members[0].program.signal(Signal::SIGSTOP);
            self.flood();
        }
        self.settle_down();
        self.kernel_down += self.site.far.not_sent("fpss0");
        self.read_down += number(&self.site.status("server"), "packets_from_device");
        let log = end(&mut self.site.server);
        self.servers.push(log);
        if stalled {
            self.members[0].program.signal(Signal::SIGCONT);
        }
        self.site.start_server().await;
        (0..2).for_each(|client| self.wait_carried(client));
        drop(gates);
    }

    /// Sends to the first client, which does not read, until its queue is full.
    fn flood(&mut self) {
        let from = socket(&self.site.far, "10.66.0.1:0");
        let to = format!("{}:5001", self.members[0].lease);
        let (before, begin) = (self.site.dropped("server", "queue_full"), self.flooded);
        while self.site.dropped("server", "queue_full") == before {
            assert!(self.flooded - begin < MOST_FLOOD, "the queue is never full");
            for _ in 0..FLOOD {
                let sent = from.send_to(&[0x5a; LENGTH], &to);
                sent.expect("the TUN takes it");
            }
            self.flooded += FLOOD;
            self.settle_down();
        }
    }

    /// One fault of each kind in turn, until the time is over.
    async fn faults(&mut self, time: Duration) -> usize {
        let (begin, mut count) = (Instant::now(), 0);
        while begin.elapsed() < time {
            match count % 5 {
                0 => self.lose_carriers(0, Signal::SIGKILL),
                1 => self.roam(1).await,
                2 => self.restart_server(count % 2 == 0).await,
                3 => self.lose_carriers(1, Signal::SIGTERM),
                _ => self.roam(0).await,
            }
            count += 1;
            self.calm();
        }
        count
    }
}

/// A thousand carriers on one server.
async fn thousand() -> Checks {
    let mut checks = Checks::default();
    let mut site = Site::new(1, "").await;
    let begin = Instant::now();
    let member = crowd::many(&mut site, 1000);
    let took = begin.elapsed();
    let (client, server) = crowd::under_traffic(&site, &member, 50);
    let kept = &site.status("server")["sessions"]["carriers_current"];
    println!("1 000 carriers within {took:.1?}, 2 500 packets each way");
    checks.hold(&format!("{kept} carry at the end"), *kept == 1000);
    for (name, kib) in [("client", client), ("server", server)] {
        let text = format!("RSS of the {name}: at most {kib} KiB");
        checks.hold(&text, kib < MOST_KIB + (20 << 10));
    }
    checks
}

async fn run(minutes: u64) -> bool {
    let thousand = thousand().await;
    let mut soak = Soak::start().await;
    soak.calm();
    let mut calm = Checks::default();
    println!("before the first fault");
    calm.hold(
        "all that was sent into a TUN has crossed",
        soak.nothing_is_missing(),
    );
    let faults = soak.faults(Duration::from_secs(60 * minutes)).await;
    println!("after {minutes} min");
    let checks = soak.close(faults);
    [thousand, calm, checks].iter().all(Checks::all_hold)
}

fn main() -> ExitCode {
    // cargo adds an option of its own.
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let minutes = match (args.next().as_deref(), args.next()) {
        (None, _) => Some(10),
        (Some("--minutes"), Some(count)) => count.parse().ok(),
        _ => None,
    };
    let Some(minutes) = minutes else {
        eprintln!("usage: soak [--minutes N]");
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().expect("a runtime");
    match runtime.block_on(run(minutes)) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
