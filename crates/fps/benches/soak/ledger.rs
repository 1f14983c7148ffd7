//! What the programs have written down of their packets, and whether it adds up.

use std::collections::{HashMap, HashSet};

/// What one program has done with packets in its whole life: its last words, `event=tun_stats`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Balance {
    pub(crate) from_device: u64,
    pub(crate) to_carriers: u64,
    pub(crate) from_carriers: u64,
    pub(crate) to_device: u64,
    pub(crate) dropped: HashMap<String, u64>,
}

/// Reasons of packets that came from the TUN and went into no carrier.
const OUTWARD: [&str; 6] = [
    "not_ipv4",
    "no_carrier",
    "queue_full",
    "carrier_ended",
    "packet_too_large",
    "unassigned_destination",
];
/// Reasons of packets that came out of a carrier and did not go to the TUN.
const INWARD: [&str; 5] = [
    "not_ipv4_inward",
    "no_device",
    "unassigned_source",
    "spoofed_source",
    "client_isolation",
];

/// The value of a key in a line of the log.
fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let mut words = line.split(' ');
    words.find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
}

fn number(line: &str, key: &str) -> u64 {
    let found = value(line, key).and_then(|text| text.parse().ok());
    found.unwrap_or_else(|| panic!("no {key} in {line}"))
}

impl Balance {
    /// Of a program's log.
    pub(crate) fn of(log: &str) -> Self {
        let line = log.lines().find(|line| line.contains("event=tun_stats"));
        let line = line.unwrap_or_else(|| panic!("no balance in:\n{log}"));
        let each = value(line, "dropped").unwrap_or("").trim_matches('"');
        let each = each.split(',').filter_map(|it| it.split_once(':'));
        Self {
            from_device: number(line, "from_device"),
            to_carriers: number(line, "to_carriers"),
            from_carriers: number(line, "from_carriers"),
            to_device: number(line, "to_device"),
            dropped: each
                .map(|(word, count)| (word.to_owned(), count.parse().expect("a number")))
                .collect(),
        }
    }

    /// With another's.
    pub(crate) fn add(&mut self, other: &Self) {
        self.from_device += other.from_device;
        self.to_carriers += other.to_carriers;
        self.from_carriers += other.from_carriers;
        self.to_device += other.to_device;
        for (word, count) in &other.dropped {
            *self.dropped.entry(word.clone()).or_default() += count;
        }
    }

    pub(crate) fn drops(&self, word: &str) -> u64 {
        self.dropped.get(word).copied().unwrap_or(0)
    }

    pub(crate) fn outward(&self) -> u64 {
        OUTWARD.iter().map(|word| self.drops(word)).sum()
    }

    pub(crate) fn inward(&self) -> u64 {
        INWARD.iter().map(|word| self.drops(word)).sum()
    }
}

/// What one end of a carrier says of its packets.
#[derive(Clone, Copy, Debug, Default)]
struct End {
    sent: u64,
    received: u64,
}

/// The ends of carriers, by the client's address on the link. That port may come again; then both
/// are one here, which the sums do not mind.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    each: HashMap<String, End>,
    /// Those that have ended in peace.
    peaceful: HashSet<String>,
}

impl Ends {
    /// Reads a log; the address is in this event's line under this key. Behind so many bytes there was
    /// peace.
    pub(crate) fn read(&mut self, log: &str, event: &str, key: &str, peace: usize) {
        let (mut addresses, mut read) = (HashMap::new(), 0);
        for line in log.lines() {
            read += line.len() + 1;
            match value(line, "event") {
                Some(this) if this == event => {
                    let address = value(line, key).expect(line).to_owned();
                    addresses.insert(number(line, "id"), address);
                }
                Some("session_stats") => {
                    let address = addresses[&number(line, "id")].clone();
                    if read > peace {
                        self.peaceful.insert(address.clone());
                    }
                    let end = self.each.entry(address).or_default();
                    end.sent += number(line, "packets_sent");
                    end.received += number(line, "packets_received");
                }
                _ => {}
            }
        }
    }

    fn of(&self, address: &str) -> End {
        self.each.get(address).copied().unwrap_or_default()
    }
}

/// What has been lost with carriers, and how many lost something.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lost {
    pub(crate) carriers: usize,
    pub(crate) with_losses: usize,
    /// Of those both ends have ended when nothing was on the way.
    pub(crate) peaceful: usize,
    pub(crate) up: u64,
    pub(crate) down: u64,
}

/// Compares both ends of each carrier. No end may have got what the other has not sent.
pub(crate) fn compare(clients: &Ends, servers: &Ends) -> Result<Lost, String> {
    let mut lost = Lost::default();
    let only_there = servers.each.keys();
    let only_there = only_there.filter(|it| !clients.each.contains_key(*it));
    for address in clients.each.keys().chain(only_there) {
        let (client, server) = (clients.of(address), servers.of(address));
        let up = client.sent.checked_sub(server.received);
        let down = server.sent.checked_sub(client.received);
        let (Some(up), Some(down)) = (up, down) else {
            return Err(format!(
                "{address}: {client:?} and {server:?} cannot both be"
            ));
        };
        if clients.peaceful.contains(address) && servers.peaceful.contains(address) {
            lost.peaceful += 1;
            if up + down > 0 {
                return Err(format!(
                    "{address}: ended in peace, and {up} and {down} are lost"
                ));
            }
        }
        lost.carriers += 1;
        lost.with_losses += usize::from(up + down > 0);
        lost.up += up;
        lost.down += down;
    }
    Ok(lost)
}

/// Sums that have to be equal.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    wrong: usize,
}

impl Checks {
    /// Prints both, and remembers whether they differ.
    pub(crate) fn equal(&mut self, what: &str, left: u64, right: u64) {
        self.hold(&format!("{what}: {left} = {right}"), left == right);
    }

    pub(crate) fn hold(&mut self, what: &str, holds: bool) {
        println!("  {} {what}", if holds { "ok:   " } else { "WRONG:" });
        self.wrong += usize::from(!holds);
    }

    pub(crate) fn all_hold(&self) -> bool {
        self.wrong == 0
    }
}
