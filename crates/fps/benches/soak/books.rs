//! The end of a run: all programs are ended, and what each has written down is added up.

use nix::sys::signal::Signal;

use crate::crowd::MOST_KIB;
use crate::ledger::{Balance, Checks, Ends, Lost, compare};
use crate::programs::Program;
use crate::traffic::{Sender, without_room};
use crate::{MOST_GROWTH, Soak};

/// Ends a program as one should, and gives what it has said.
pub(crate) fn end(program: &mut Program) -> String {
    program.signal(Signal::SIGTERM);
    let status = program.wait();
    let log = program.said();
    assert!(status.success() && !log.contains("panicked"), "{log}");
    log
}

/// Whether each program was as small at the end as at the beginning.
fn check_memory(checks: &mut Checks, memory: &[[u64; 3]]) {
    let third = memory.len() / 3;
    for (at, name) in ["server", "client 0", "client 1"].into_iter().enumerate() {
        let most = |part: &[[u64; 3]]| part.iter().map(|it| it[at]).max().unwrap_or(0);
        let (first, last) = (
            most(&memory[..third]),
            most(&memory[memory.len() - third..]),
        );
        let grown = last.saturating_sub(first);
        let text =
            format!("RSS of {name}: at most {first} KiB in the first third, {last} in the last");
        checks.hold(&text, grown < MOST_GROWTH && last < MOST_KIB);
    }
}

/// What all programs have written down.
struct Books {
    clients: Vec<Balance>,
    /// All of them together.
    both: Balance,
    server: Balance,
    lost: Lost,
    /// What the kernel has dropped before each client's TUN.
    kernel_up: [u64; 2],
}

impl Soak {
    /// Ends everything, and adds up.
    pub(crate) fn close(mut self, faults: usize) -> Checks {
        let mut checks = Checks::default();
        let books = self.end(&mut checks);
        let lost = books.lost;
        println!(
            "{faults} faults, {} servers, {} carriers; lost with {} of them: {} packets up, {} down",
            self.servers.len(),
            lost.carriers,
            lost.with_losses,
            lost.up,
            lost.down
        );
        let text = format!("{} carriers ended in peace and lost nothing", lost.peaceful);
        checks.hold(&text, lost.peaceful >= 2);
        self.check_ways(&mut checks, &books);
        checks.equal("forged ones that arrived", load(&self.at_server.forged), 0);
        for word in ["spoofed_source", "queue_full", "carrier_ended"] {
            let count = books.server.drops(word);
            checks.hold(
                &format!("the servers have dropped some, {word}: {count}"),
                count > 0,
            );
        }
        let refused: u64 = self.down.iter().map(Sender::refused).sum();
        println!("  not sent, since there was no TUN: {refused}");
        println!("  dropped by clients: {:?}", books.both.dropped);
        println!("  dropped by servers: {:?}", books.server.dropped);
        check_memory(&mut checks, &self.memory);
        checks
    }

    /// Ends the senders, lets what is on its way arrive, then ends the programs.
    fn end(&mut self, checks: &mut Checks) -> Books {
        let senders = self.up.iter_mut().chain(&mut self.down);
        senders.chain([&mut self.forger]).for_each(Sender::stop);
        self.settle_down();
        (0..2).for_each(|client| self.settle_up(client));
        self.ask();
        let peace = self.site.server.said().len();
        self.kernel_down += self.site.far.not_sent("fpss0");
        let kernel_up = [0, 1].map(|client| self.site.near[client].not_sent("fpsc0"));
        let (mut clients, mut client_ends) = (Vec::new(), Ends::default());
        for member in &mut self.members {
            let peace = member.program.said().len();
            end(&mut member.application);
            let log = end(&mut member.program);
            client_ends.read(&log, "target_connected", "local", peace);
            clients.push(Balance::of(&log));
        }
        let log = end(&mut self.site.server);
        self.servers.push(log);
        let (mut server, mut server_ends) = (Balance::default(), Ends::default());
        let last = self.servers.len() - 1;
        for (at, log) in self.servers.iter().enumerate() {
            let peace = if at == last { peace } else { log.len() };
            server_ends.read(log, "accepted", "peer", peace);
            server.add(&Balance::of(log));
        }
        let lost = compare(&client_ends, &server_ends).unwrap_or_else(|wrong| {
            checks.hold(&wrong, false);
            Lost::default()
        });
        let mut both = Balance::default();
        clients.iter().for_each(|client| both.add(client));
        Books {
            clients,
            both,
            server,
            lost,
            kernel_up,
        }
    }

    /// From the sockets that send to those that receive.
    fn check_ways(&self, checks: &mut Checks, books: &Books) {
        for (client, balance) in books.clients.iter().enumerate() {
            let seen = balance.from_device + books.kernel_up[client];
            let text = format!("client {client}: sent into the TUN = read + dropped by the kernel");
            checks.equal(&text, self.sent_up(client), seen);
        }
        let seen = books.server.from_device + self.kernel_down;
        let text = "server: sent into the TUN = read + dropped by the kernel";
        checks.equal(text, self.sent_down(), seen);
        let asked: u64 = self.asked.iter().sum();
        let up = load(&self.at_server.arrived) + without_room(&self.site.far);
        let (both, server, lost) = (&books.both, &books.server, books.lost);
        one_way(checks, "up", (both, lost.up, server), up + asked);
        let arrived = self.at_clients.iter().map(|it| load(&it.arrived));
        let room = self.site.near.iter().map(without_room);
        let down = arrived.chain(room).sum::<u64>();
        one_way(checks, "down", (server, lost.down, both), down + asked);
    }
}

fn load(count: &std::sync::atomic::AtomicU64) -> u64 {
    count.load(std::sync::atomic::Ordering::Relaxed)
}

/// From the TUNs of one side to the sockets of the other.
fn one_way(checks: &mut Checks, way: &str, through: (&Balance, u64, &Balance), arrived: u64) {
    let (from, lost, to) = through;
    let away = from.to_carriers + from.outward();
    checks.equal(
        &format!("{way}: read = into carriers + dropped"),
        from.from_device,
        away,
    );
    let crossed = to.from_carriers + lost;
    checks.equal(
        &format!("{way}: into carriers = out of them + lost with them"),
        from.to_carriers,
        crossed,
    );
    let out = to.to_device + to.inward();
    checks.equal(
        &format!("{way}: out of carriers = to the TUN + dropped"),
        to.from_carriers,
        out,
    );
    let landed = to.drops("link_down") + arrived;
    checks.equal(
        &format!("{way}: to the TUN = arrived + link down"),
        to.to_device,
        landed,
    );
    for word in ["not_ip", "fragment"] {
        checks.equal(&format!("{way}: {word}"), from.drops(word), 0);
    }
}
