//! The packets of a flow arrive in their order, whatever becomes of the carriers that take turns.
//!
//! Numbered datagrams go both ways in several flows, with silences after which a flow may move to another
//! carrier, while applications come and go and with them the carriers.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fps_netns::testing::with_namespaces;

use crate::host::Host;
use crate::programs::Program;
use crate::site::{Member, SERVER, Site, UUIDS, socket, wait_until};

/// So many flows each way.
const FLOWS: u16 = 8;
/// The first port at the server, and at the client.
const UP: u16 = 5000;
const DOWN: u16 = 6000;
const CONTROL: u16 = 7000;
/// How often an application with carriers of its own comes and goes.
const ROUNDS: usize = 6;
/// How many datagrams are sent at once.
const BURST: u32 = 20;
/// How long the application of each round is there.
const STAY: Duration = Duration::from_millis(300);

/// What has arrived of a flow.
#[derive(Default)]
struct Flow {
    last: u32,
    arrived: u32,
    late: u32,
}

impl Flow {
    /// Takes a datagram with this number.
    fn take(&mut self, number: u32) {
        self.arrived += 1;
        if number <= self.last {
            self.late += 1;
        }
        self.last = self.last.max(number);
    }
}

/// Ends the threads that look at it, however their test ends.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Counts what arrives at a port until it is told to stop and nothing more comes.
fn receive(socket: &UdpSocket, stop: &AtomicBool) -> Flow {
    let mut flow = Flow::default();
    let mut payload = [0; 2000];
    let timeout = Some(Duration::from_millis(200));
    socket.set_read_timeout(timeout).expect("valid");
    loop {
        let came = socket.recv(&mut payload).is_ok();
        match payload.first_chunk() {
            Some(number) if came => flow.take(u32::from_be_bytes(*number)),
            _ if stop.load(Ordering::Relaxed) => return flow,
            _ => {}
        }
    }
}

/// Sends bursts until it is told to stop. Every flow is silent now and then, each at another time.
#[expect(
    clippy::disallowed_methods,
    reason = "a pace, and no event to wait for"
)]
fn send(flows: &[UdpSocket], stop: &AtomicBool) -> u32 {
    let mut payload = [0x5a; 1200];
    let begin = Instant::now();
    let mut number = 0_u32;
    while !stop.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(2));
        let moment = begin.elapsed().as_millis() / 300;
        let first = number;
        for (place, flow) in flows.iter().enumerate() {
            if (moment + place as u128).is_multiple_of(3) {
                continue;
            }
            number = first;
            for _ in 0..BURST {
                number += 1;
                payload[..4].copy_from_slice(&number.to_be_bytes());
                // A TUN whose queue is full says so; that one is lost.
                let _ = flow.send(&payload);
            }
        }
    }
    number
}

/// Sockets on both sides, each pair a flow.
fn flows(
    from: (&Host, &str),
    to: (&Host, &str),
    first_port: u16,
) -> (Vec<UdpSocket>, Vec<UdpSocket>) {
    let pair = |port: u16| {
        let receiver = socket(to.0, &format!("{}:{port}", to.1));
        let sender = socket(from.0, &format!("{}:0", from.1));
        let address = receiver.local_addr().expect("it is bound");
        from.0
            .within(|| sender.connect(address))
            .expect("there is a route");
        (sender, receiver)
    };
    (first_port..first_port + FLOWS).map(pair).unzip()
}

fn carriers(site: &Site) -> (u64, u64) {
    let of = |program| site.status(program)["sessions"]["carriers_current"].as_u64();
    (
        of("client-0").expect("a number"),
        of("server").expect("a number"),
    )
}

/// An application with three connections, when all of them carry.
fn come(site: &mut Site, member: &mut Member) -> Program {
    let application = site.start_application(0, &["--sessions", "3"]);
    member
        .program
        .wait_for(&["event=carrier_registered", " carriers=5"]);
    application
}

#[expect(
    clippy::disallowed_methods,
    reason = "a stay, and no event to wait for"
)]
fn come_and_go(site: &mut Site, member: &mut Member) {
    for round in 0..ROUNDS {
        let mut application = come(site, member);
        thread::sleep(STAY);
        if round % 2 == 0 {
            application.signal(nix::sys::signal::Signal::SIGTERM);
            application.wait();
        }
        // Or it is killed.
        drop(application);
        wait_until("its carriers are gone", || carriers(site) == (2, 2));
    }
}

/// One that is sent late on purpose is seen to be late, through the same tunnel.
fn control(near: (&Host, &str), far: (&Host, &str)) {
    let (sender, receiver) = flows(near, far, CONTROL);
    for number in [1_u32, 3, 2, 4] {
        let sent = sender[0].send(&number.to_be_bytes());
        sent.expect("the TUN takes it");
    }
    let flow = receive(&receiver[0], &AtomicBool::new(true));
    assert_eq!((flow.arrived, flow.late), (4, 1));
}

#[test]
fn no_packet_of_a_flow_overtakes_another() {
    with_namespaces("order::no_packet_of_a_flow_overtakes_another", async || {
        let mut site = Site::new(1, "").await;
        let mut member = site.join(0, UUIDS[0], &["--sessions", "2"]);
        wait_until("both carry", || carriers(&site) == (2, 2));
        let (near, far) = ((&site.near[0], member.lease.as_str()), (&site.far, SERVER));
        control(near, far);
        let (up, at_server) = flows(near, far, UP);
        let (down, at_client) = flows(far, near, DOWN);
        let (stop, sent_all) = (AtomicBool::new(false), AtomicBool::new(false));
        let (stop, sent_all) = (&stop, &sent_all);
        thread::scope(|scope| {
            let (stopped, received) = (Stop(stop), Stop(sent_all));
            let senders = [&up, &down].map(|flows| scope.spawn(move || send(flows, stop)));
            let receivers = at_server.iter().chain(&at_client);
            let receivers: Vec<_> = receivers
                .map(|socket| scope.spawn(move || receive(socket, sent_all)))
                .collect();
            come_and_go(&mut site, &mut member);
            drop(stopped);
            let sent = senders.map(|sender| sender.join().expect("it does not panic"));
            drop(received);
            let flows: Vec<_> = receivers
                .into_iter()
                .map(|it| it.join().expect("it does not panic"))
                .collect();
            let told: Vec<_> = flows.iter().map(|it| (it.arrived, it.late)).collect();
            println!("sent {sent:?}, arrived and late {told:?}");
            assert!(flows.iter().all(|flow| flow.arrived > 0), "{told:?}");
            assert!(flows.iter().all(|flow| flow.late == 0), "{told:?}");
        });
    });
}
