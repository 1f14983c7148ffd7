//! The tunnel end to end: both TUNs and all four programs in one namespace, carriers on loopback.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use fps_netns::testing::with_namespaces;
use nix::sys::signal::Signal;
use socket2::SockRef;

use crate::host::Host;
use crate::programs::{Chain, DEADLINE, Program, UUID, start_carrier};

const TUNS: Option<(&str, &str)> = Some(("fpsc0", "fpss0"));
const NEAR: &str = "10.9.0.1:4000";
const FAR: &str = "10.9.0.2:4000";

/// Does the route engine's part.
async fn bring_up(host: &Host) {
    for (link, address) in [("fpsc0", "10.9.0.1/24"), ("fpss0", "10.9.0.2/24")] {
        // A router solicitation that is dropped would take the one log line in ten seconds.
        host.set_sysctl(&format!("net/ipv6/conf/{link}/disable_ipv6"), "1");
        // Both ends are local addresses here, and such a source is refused as forged otherwise.
        host.set_sysctl(&format!("net/ipv4/conf/{link}/accept_local"), "1");
        host.set_sysctl(&format!("net/ipv4/conf/{link}/rp_filter"), "0");
        host.add_address(link, address).await;
        host.set_up(link).await;
    }
    host.set_sysctl("net/ipv4/conf/all/rp_filter", "0");
}

/// A socket that can only be reached through one link.
fn socket(link: &str, address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).expect("the address is on the link");
    SockRef::from(&socket)
        .bind_device(Some(link.as_bytes()))
        .expect("the link exists");
    socket
        .set_read_timeout(Some(Duration::from_millis(100)))
        .expect("a valid timeout");
    socket
}

/// A socket on either TUN.
fn ends(host: &Host) -> (UdpSocket, UdpSocket) {
    host.within(|| (socket("fpsc0", NEAR), socket("fpss0", FAR)))
}

/// Sends until the text arrives: the first packets may meet a carrier that is just starting.
fn exchange(from: &UdpSocket, to: &UdpSocket, text: &[u8]) {
    let target: SocketAddr = to.local_addr().expect("bound");
    let deadline = Instant::now() + DEADLINE;
    let mut buffer = [0; 2000];
    while Instant::now() < deadline {
        from.send_to(text, target).expect("the link is up");
        match to.recv_from(&mut buffer) {
            Ok((length, _)) if buffer[..length] == *text => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => panic!("cannot receive: {error}"),
        }
    }
    panic!("{} never reached {target}", String::from_utf8_lossy(text));
}

#[test]
fn packets_cross_both_ways() {
    with_namespaces("tun::packets_cross_both_ways", async || {
        let host = Host::new().await;
        let mut chain = host.within(|| Chain::start(UUID, TUNS));
        for link in ["fpsc0", "fpss0"] {
            let link = host.link(link).await;
            assert_eq!(link.mtu, 1280, "{link:?}");
            assert!(!link.up && !link.carrier, "brought up by FPS: {link:?}");
            let addresses = host.netlink.addresses(Some(link.index)).await.unwrap();
            assert_eq!(addresses, [], "addressed by FPS");
        }
        chain.wait_registered();
        bring_up(&host).await;
        let (near, far) = ends(&host);
        exchange(&near, &far, b"ping");
        exchange(&far, &near, b"pong");
        exchange(&near, &far, &[b'x'; 1252]);
        assert!(!chain.carrier.said().contains("event=disconnected"));
    });
}

#[test]
fn two_carriers_share_the_packets_and_one_can_die() {
    with_namespaces(
        "tun::two_carriers_share_the_packets_and_one_can_die",
        async || {
            let host = Host::new().await;
            let mut chain = host.within(|| Chain::start(UUID, TUNS));
            chain.wait_registered();
            let second = host.within(|| start_carrier(&chain.files, &chain.client_address));
            chain.wait_registered();
            bring_up(&host).await;
            let (near, far) = ends(&host);
            for number in 0..20 {
                exchange(&near, &far, format!("there {number}").as_bytes());
                exchange(&far, &near, format!("back {number}").as_bytes());
            }
            second.signal(Signal::SIGKILL);
            chain
                .client
                .wait_for(&["event=carrier_removed", "carriers=1"]);
            chain
                .server
                .wait_for(&["event=carrier_removed", "carriers=1"]);
            exchange(&near, &far, b"one left, there");
            exchange(&far, &near, b"one left, back");
        },
    );
}

#[test]
fn a_link_that_goes_down_drops_packets_and_nothing_else() {
    with_namespaces(
        "tun::a_link_that_goes_down_drops_packets_and_nothing_else",
        async || {
            let host = Host::new().await;
            let mut chain = host.within(|| Chain::start(UUID, TUNS));
            chain.wait_registered();
            bring_up(&host).await;
            let (near, far) = ends(&host);
            exchange(&near, &far, b"before");
            host.set_down("fpss0").await;
            near.send_to(b"lost", FAR).expect("the near link is up");
            chain
                .server
                .wait_for(&["event=tun_packet_dropped", "reason=link_down"]);
            host.set_up("fpss0").await;
            exchange(&near, &far, b"after");
            host.set_down("fpsc0").await;
            host.set_up("fpsc0").await;
            exchange(&near, &far, b"after both");
            exchange(&far, &near, b"and back");
        },
    );
}

#[test]
fn a_link_that_never_comes_up_costs_no_time() {
    with_namespaces(
        "tun::a_link_that_never_comes_up_costs_no_time",
        async || {
            let host = Host::new().await;
            let mut chain = host.within(|| Chain::start(UUID, TUNS));
            chain.wait_registered();
            let before = chain.client.cpu_ticks() + chain.server.cpu_ticks();
            // The kernel's clock for CPU time ticks 100 times a second: a program that spins for one
            // second has about that many.
            chain.carrier.watch(Duration::from_secs(1));
            let spent = chain.client.cpu_ticks() + chain.server.cpu_ticks() - before;
            assert!(spent < 30, "{spent} ticks in one idle second");
        },
    );
}

#[test]
fn a_deleted_tun_ends_the_program() {
    with_namespaces("tun::a_deleted_tun_ends_the_program", async || {
        let host = Host::new().await;
        let mut chain = host.within(|| Chain::start(UUID, TUNS));
        let fpsc0 = host.link("fpsc0").await.index;
        host.netlink.delete_link(fpsc0).await.unwrap();
        assert_eq!(
            chain.client.wait().code(),
            Some(1),
            "{}",
            chain.client.said()
        );
        chain.client.said_all(&["event=tun_gone", "fpsc0"]);
    });
}

#[test]
fn refuses_a_tun_held_by_another_process() {
    with_namespaces("tun::refuses_a_tun_held_by_another_process", async || {
        let host = Host::new().await;
        let chain = host.within(|| Chain::start(UUID, TUNS));
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_fps_client"));
        command.arg("--config").arg(chain.files.path("client.json"));
        let mut second = host.within(|| Program::start("second client", &mut command));
        assert_eq!(second.wait().code(), Some(1), "{}", second.said());
        second.said_all(&["event=tun_open_failed", "no other program holds fpsc0"]);
        assert!(
            !second.said().contains("event=listening"),
            "{}",
            second.said()
        );
    });
}
