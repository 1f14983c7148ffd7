//! How soon after a roam the LAN's route is copied, and whether it follows churn.
//!
//! Needs root or user namespaces. A subscriber of its own takes the time at which the kernel tells of
//! the new address, and at which it tells of the copy in the table of `fps-route watch`. It prints
//! medians and the 99th percentile, and fails where a limit is exceeded.

#[path = "support/limits.rs"]
mod limits;

use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use fps_netlink::{
    Address, Event, Events, FPS_ROUTE_PROTOCOL, Family, Group, IfIndex, LinkName, Netlink, Route,
    RouteFilter, TableId, VethPair,
};
use fps_netns::Namespace;
use ipnet::IpNet;

const ROAMS: u8 = 100;
/// Address changes, one every half a millisecond: well below what gathers a burst.
const CHURN: u8 = 200;
const CHURN_EVERY: Duration = Duration::from_micros(500);

const MEDIAN: Duration = Duration::from_millis(5);
const PERCENTILE_99: Duration = Duration::from_millis(20);
/// How far the copies may be behind while addresses change all the time.
const BEHIND: Duration = Duration::from_millis(20);

const COPIES: TableId = TableId(101);
const PATIENCE: Duration = Duration::from_secs(10);

struct Host {
    netlink: Netlink,
    lan: IfIndex,
    events: Events,
    watch: Child,
    /// Holds the far end of the links.
    _far: Namespace,
    _records: tempfile::TempDir,
}

fn name(text: &str) -> LinkName {
    text.parse().unwrap()
}

impl Host {
    async fn new() -> Self {
        let (here, far) = (Namespace::create().unwrap(), Namespace::create().unwrap());
        let netlink = here.within(Netlink::open).unwrap().unwrap();
        let beyond = far.within(Netlink::open).unwrap().unwrap();
        beyond.create_bridge(&name("br0")).await.unwrap();
        let bridge = beyond.link(&name("br0")).await.unwrap().unwrap().index;
        for (port, peer) in [("port0", "fpsc0"), ("port1", "wlan0")] {
            let pair = VethPair {
                port: &name(port),
                bridge,
                peer: &name(peer),
                namespace: here.as_fd(),
            };
            beyond.create_veth(pair).await.unwrap();
        }
        let lan = netlink.link(&name("wlan0")).await.unwrap().unwrap().index;
        netlink.set_up(lan).await.unwrap();
        let records = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_fps-route"));
        let options = "watch --tun fpsc0 --full-tunnel --keep-lan --except-fwmark 17 --no-dns";
        command.args(options.split(' ')).stdout(Stdio::piped());
        command.env("FPS_ROUTE_STATE_DIR", records.path());
        let mut watch = here.within(|| command.spawn()).unwrap().unwrap();
        let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
        let ready = lines.any(|line| line.unwrap().contains("\"ready\""));
        assert!(ready, "fps-route watch ended");
        // Nobody reads on; it must not wait for one who does.
        std::thread::spawn(move || lines.for_each(drop));
        let groups = [Group::AddressV4, Group::RouteV4];
        let events = here.within(|| Events::subscribe(&groups)).unwrap().unwrap();
        Self {
            netlink,
            lan,
            events,
            watch,
            _far: far,
            _records: records,
        }
    }

    fn address(&self, number: u8) -> Address {
        let net: IpNet = format!("10.0.{number}.23/24").parse().unwrap();
        Address::new(self.lan, net)
    }

    /// When the kernel tells of something.
    async fn told(&mut self, is: impl Fn(&Event) -> bool) -> Instant {
        let wait = async {
            loop {
                let event = self.events.next().await.unwrap();
                assert_ne!(event, Event::Overrun);
                if is(&event) {
                    return Instant::now();
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("an event")
    }

    /// Out of one subnet, into another: until the copy stands.
    async fn roam(&mut self, from: u8, to: u8) -> Duration {
        let (old, new) = (self.address(from), self.address(to));
        self.netlink.delete_address(&old).await.unwrap();
        self.netlink.add_address(&new).await.unwrap();
        let net = new.net.trunc();
        let appeared = self
            .told(|event| *event == Event::Address(new.clone()))
            .await;
        let is_copy = |route: &Route| route.table == COPIES && route.to == net;
        let copied = self
            .told(|event| matches!(event, Event::Route(route) if is_copy(route)))
            .await;
        copied - appeared
    }

    async fn copies(&self) -> Vec<IpNet> {
        let (family, table) = (Family::V4, Some(COPIES));
        let routes = self
            .netlink
            .routes(RouteFilter { family, table })
            .await
            .unwrap();
        let ours = routes
            .iter()
            .filter(|route| route.protocol == FPS_ROUTE_PROTOCOL);
        ours.map(|route| route.to).collect()
    }

    /// Changes the address all the time, each for half a millisecond; and says how long, at most, a
    /// copy stood after its address had gone.
    async fn churn(&self) -> Duration {
        let mut longest = Duration::ZERO;
        // The addresses that are gone, each with when it went.
        let mut gone: Vec<(IpNet, Instant)> = Vec::new();
        for number in 1..CHURN {
            let next = Instant::now() + CHURN_EVERY;
            let (old, new) = (self.address(number - 1), self.address(number));
            self.netlink.add_address(&new).await.unwrap();
            self.netlink.delete_address(&old).await.unwrap();
            gone.push((old.net.trunc(), Instant::now()));
            let copies = self.copies().await;
            gone.retain(|(net, _)| copies.contains(net));
            if let Some((_, since)) = gone.first() {
                longest = longest.max(since.elapsed());
            }
            while Instant::now() < next {
                tokio::task::yield_now().await;
            }
        }
        longest
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.watch.kill();
        let _ = self.watch.wait();
    }
}

async fn run() -> bool {
    let mut host = Host::new().await;
    let first = host.address(0);
    host.netlink.add_address(&first).await.unwrap();
    let mut times = Vec::new();
    for to in 1..=ROAMS {
        times.push(host.roam(to - 1, to).await);
    }
    times.sort();
    let (median, last) = (times[times.len() / 2], times[times.len() * 99 / 100 - 1]);
    println!("{ROAMS} roams, from the address to the copied route:");
    println!(
        "  median {median:.1?}, 99th percentile {last:.1?}, longest {:.1?}",
        times.last().unwrap()
    );
    let gone = host.address(ROAMS);
    host.netlink.delete_address(&gone).await.unwrap();
    host.netlink.add_address(&first).await.unwrap();
    let behind = host.churn().await;
    println!("{CHURN} address changes, one every {CHURN_EVERY:?}: at most {behind:.1?} behind");
    limits::judge([
        (format!("median at most {MEDIAN:?}"), median <= MEDIAN),
        (
            format!("99th percentile at most {PERCENTILE_99:?}"),
            last <= PERCENTILE_99,
        ),
        (format!("behind at most {BEHIND:?}"), behind <= BEHIND),
    ])
}

fn main() -> ExitCode {
    limits::run(run())
}
