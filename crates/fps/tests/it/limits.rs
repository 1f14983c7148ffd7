//! How much it takes: with a peer that does not read, and with a hundred carriers. A thousand are in
//! benches/soak, since their TLS takes a minute in a build that is not optimised.

use std::net::UdpSocket;

use fps_netns::testing::with_namespaces;
use nix::sys::signal::Signal;

use crate::crowd::{MOST_KIB, many, under_traffic};
use crate::host::Host;
use crate::site::{Member, Site, UUIDS, next, socket, wait_until};

const AT_SERVER: &str = "10.66.0.1:5000";
/// What a flood's packet carries.
const PAYLOAD: [u8; 1300] = [0x5a; 1300];
/// How much TCP's buffers may hold before the queue fills, in packets: 64 MiB.
const MOST_BUFFERED: u64 = 50_000;

/// Sends so many, and waits until the server has read what the kernel has not dropped of them.
fn flood(site: &Site, from: &UdpSocket, to: &str, count: u64) {
    let read = || site.status("server")["tun"]["packets_from_device"].as_u64();
    let before = read().expect("a number") + site.far.not_sent("fpss0");
    for _ in 0..count {
        from.send_to(&PAYLOAD, to).expect("the TUN takes it");
    }
    wait_until("the server reads what was sent", || {
        read().expect("a number") + site.far.not_sent("fpss0") >= before + count
    });
}

/// Sends to a client that does not read until its queue is full and TCP takes no more from it, and says
/// how much it took. A first packet that is dropped says little: the queue may be full while TCP still
/// takes what is in it.
fn fill(site: &Site, from: &UdpSocket, to: &str) -> u64 {
    let taken = || site.status("server")["tun"]["packets_to_carriers"].as_u64();
    let (mut sent, mut before) = (0, None);
    while before != taken() || site.dropped("server", "queue_full") == 0 {
        before = taken();
        assert!(
            sent < MOST_BUFFERED,
            "{sent} packets wait, and none is dropped"
        );
        flood(site, from, to, 100);
        sent += 100;
    }
    sent
}

/// A question of a client, and the server's answer; neither is sent twice.
fn ask(host: &Host, member: &Member, server: &UdpSocket) {
    let near = socket(host, &format!("{}:0", member.lease));
    near.send_to(b"question", AT_SERVER)
        .expect("the TUN takes it");
    let (question, from) = next(server);
    assert_eq!(question, b"question");
    server.send_to(b"answer", from).expect("the TUN takes it");
    assert_eq!(next(&near).0, b"answer");
}

#[test]
fn a_peer_that_does_not_read_costs_little_and_nobody_else_anything() {
    with_namespaces(
        "limits::a_peer_that_does_not_read_costs_little_and_nobody_else_anything",
        async || {
            let mut site = Site::new(2, "").await;
            let server = socket(&site.far, AT_SERVER);
            let stalled = site.join(0, UUIDS[0], &["--echo-timeout-ms", "3600000"]);
            let other = site.join(1, UUIDS[1], &[]);
            ask(&site.near[0], &stalled, &server);
            ask(&site.near[1], &other, &server);
            assert_eq!(site.dropped("server", "queue_full"), 0);
            let before = site.server.resident_kib();
            stalled.program.signal(Signal::SIGSTOP);
            let to = format!("{}:5000", stalled.lease);
            let sent = fill(&site, &server, &to);
            // From here on hardly any finds room: TCP's send buffer may still grow, to 4 MiB (tcp(7)).
            let gone = || site.dropped("server", "queue_full") + site.far.not_sent("fpss0");
            let before_flood = gone();
            (0..50).for_each(|_| flood(&site, &server, &to, 200));
            let gone = gone() - before_flood;
            assert!(gone > 6_000, "only {gone} of 10 000 found no room");
            assert!(
                site.dropped("server", "queue_full") > 1_000,
                "all by the kernel"
            );
            let waiting = waiting(&site);
            assert!(waiting * 1328 <= 1 << 20, "{waiting} packets wait");
            let after = site.server.resident_kib();
            println!(
                "a stalled peer: full after {sent} packets, {waiting} wait; RSS of the server \
                 {before} KiB before, {after} KiB after"
            );
            assert!(after < MOST_KIB, "{after} KiB");
            for _ in 0..20 {
                ask(&site.near[1], &other, &server);
            }
            assert_eq!(site.status("server")["sessions"]["carriers_current"], 2);
            // Once it reads again all that has waited comes, and what is new.
            stalled.program.signal(Signal::SIGCONT);
            wait_until("what has waited leaves", || self::waiting(&site) == 0);
            ask(&site.near[0], &stalled, &server);
            assert_eq!(site.status("server")["sessions"]["carriers_current"], 2);
        },
    );
}

#[test]
fn what_waits_when_its_carrier_ends_is_counted() {
    with_namespaces(
        "limits::what_waits_when_its_carrier_ends_is_counted",
        async || {
            let mut site = Site::new(1, "").await;
            let server = socket(&site.far, AT_SERVER);
            let stalled = site.join(0, UUIDS[0], &[]);
            ask(&site.near[0], &stalled, &server);
            stalled.program.signal(Signal::SIGSTOP);
            fill(&site, &server, &format!("{}:5000", stalled.lease));
            assert!(waiting(&site) > 0 && site.dropped("server", "carrier_ended") == 0);
            stalled.program.signal(Signal::SIGKILL);
            let parts = ["event=session_stats", "packets_received=1 "];
            let line = site.server.wait_for(&parts);
            let ended = site.dropped("server", "carrier_ended");
            assert!(
                line.ends_with(&format!(" packets_waited={ended}")),
                "{line}"
            );
            assert!(ended > 0);
            assert_eq!(waiting(&site), 0);
        },
    );
}

#[test]
fn a_client_that_comes_again_does_not_wait_for_a_process_that_hangs() {
    with_namespaces(
        "limits::a_client_that_comes_again_does_not_wait_for_a_process_that_hangs",
        async || {
            let mut site = Site::new(2, "").await;
            let server = socket(&site.far, AT_SERVER);
            let hangs = site.join(0, UUIDS[0], &["--echo-timeout-ms", "3600000"]);
            ask(&site.near[0], &hangs, &server);
            hangs.program.signal(Signal::SIGSTOP);
            // The server's carrier waits for TCP to take more.
            fill(&site, &server, &format!("{}:5000", hangs.lease));
            let again = site.join(1, UUIDS[0], &[]);
            let parts = ["event=session_closed", "reason=duplicate_client_replaced"];
            site.server.wait_for(&parts);
            (0..20).for_each(|_| ask(&site.near[1], &again, &server));
        },
    );
}

#[test]
fn an_application_that_does_not_read_keeps_no_packet_back() {
    with_namespaces(
        "limits::an_application_that_does_not_read_keeps_no_packet_back",
        async || {
            let mut site = Site::new(1, "").await;
            let server = socket(&site.far, AT_SERVER);
            let member = site.join(0, UUIDS[0], &[]);
            member.application.signal(Signal::SIGSTOP);
            for _ in 0..50 {
                ask(&site.near[0], &member, &server);
            }
            let status = site.status("client-0");
            assert_eq!(status["sessions"]["carriers_current"], 1, "by which else");
        },
    );
}

/// How many packets of the server's TUN are in no carrier yet, and not dropped either.
fn waiting(site: &Site) -> u64 {
    let tun = &site.status("server")["tun"];
    let number = |value: &serde_json::Value| value.as_u64().expect("a number");
    let outward = [
        "queue_full",
        "carrier_ended",
        "no_carrier",
        "not_ip",
        "not_ipv4",
    ];
    let dropped = outward
        .into_iter()
        .chain(["unassigned_destination", "packet_too_large"]);
    let dropped: u64 = dropped.map(|word| number(&tun["dropped"][word])).sum();
    number(&tun["packets_from_device"]) - number(&tun["packets_to_carriers"]) - dropped
}

#[test]
fn a_hundred_carriers_under_traffic_fit_in_thirty_mebibytes() {
    with_namespaces(
        "limits::a_hundred_carriers_under_traffic_fit_in_thirty_mebibytes",
        async || {
            let mut site = Site::new(1, "").await;
            let member = many(&mut site, 100);
            assert_eq!(site.status("server")["sessions"]["carriers_current"], 100);
            let (client, server) = under_traffic(&site, &member, 200);
            println!(
                "100 carriers, 10 000 packets each way: RSS of the client at most {client} KiB, of the server {server} KiB"
            );
            for kib in [client, server] {
                assert!(kib < MOST_KIB, "{kib} KiB");
            }
        },
    );
}
