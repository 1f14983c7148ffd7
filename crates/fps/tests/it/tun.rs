//! The tunnel end to end: both TUNs and all four programs in one namespace, carriers on loopback.

use std::fs;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use socket2::SockRef;

use crate::namespace::{isolated, run};
use crate::programs::{Chain, DEADLINE, Program, UUID};

const TUNS: Option<(&str, &str)> = Some(("fpsc0", "fpss0"));
const NEAR: &str = "10.9.0.1:4000";
const FAR: &str = "10.9.0.2:4000";

/// Does the route engine's part.
fn bring_up() {
    for (link, address) in [("fpsc0", "10.9.0.1/24"), ("fpss0", "10.9.0.2/24")] {
        // Both ends are local addresses here, and such a source is refused as forged otherwise.
        let setting = |name| format!("/proc/sys/net/ipv4/conf/{link}/{name}");
        fs::write(setting("accept_local"), "1").expect("root of the namespace");
        fs::write(setting("rp_filter"), "0").expect("root of the namespace");
        run("ip", &["address", "add", address, "dev", link]);
        run("ip", &["link", "set", link, "up"]);
    }
    fs::write("/proc/sys/net/ipv4/conf/all/rp_filter", "0").expect("root of the namespace");
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
    isolated("tun::packets_cross_both_ways", || {
        let mut chain = Chain::start(UUID, TUNS);
        for link in ["fpsc0", "fpss0"] {
            let shown = run("ip", &["-o", "link", "show", link]);
            assert!(
                shown.contains("mtu 1280") && shown.contains("state DOWN"),
                "{shown}"
            );
            assert!(!shown.contains("UP"), "brought up by FPS: {shown}");
            let shown = run("ip", &["-o", "address", "show", "dev", link]);
            assert!(shown.is_empty(), "addressed by FPS: {shown}");
        }
        chain.wait_registered();
        bring_up();
        let (near, far) = (socket("fpsc0", NEAR), socket("fpss0", FAR));
        exchange(&near, &far, b"ping");
        exchange(&far, &near, b"pong");
        exchange(&near, &far, &[b'x'; 1252]);
        assert!(!chain.carrier.said().contains("event=disconnected"));
    });
}

#[test]
fn two_carriers_share_the_packets_and_one_can_die() {
    isolated(
        "tun::two_carriers_share_the_packets_and_one_can_die",
        || {
            let mut chain = Chain::start(UUID, TUNS);
            chain.wait_registered();
            let second = crate::programs::start_carrier(&chain.files, &chain.client_address);
            chain.wait_registered();
            bring_up();
            let (near, far) = (socket("fpsc0", NEAR), socket("fpss0", FAR));
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
    isolated(
        "tun::a_link_that_goes_down_drops_packets_and_nothing_else",
        || {
            let mut chain = Chain::start(UUID, TUNS);
            chain.wait_registered();
            bring_up();
            let (near, far) = (socket("fpsc0", NEAR), socket("fpss0", FAR));
            exchange(&near, &far, b"before");
            run("ip", &["link", "set", "fpss0", "down"]);
            near.send_to(b"lost", FAR).expect("the near link is up");
            chain
                .server
                .wait_for(&["event=tun_packet_dropped", "reason=link_down"]);
            run("ip", &["link", "set", "fpss0", "up"]);
            exchange(&near, &far, b"after");
            run("ip", &["link", "set", "fpsc0", "down"]);
            run("ip", &["link", "set", "fpsc0", "up"]);
            exchange(&near, &far, b"after both");
            exchange(&far, &near, b"and back");
        },
    );
}

#[test]
fn a_link_that_never_comes_up_costs_no_time() {
    isolated("tun::a_link_that_never_comes_up_costs_no_time", || {
        let mut chain = Chain::start(UUID, TUNS);
        chain.wait_registered();
        let before = chain.client.cpu_ticks() + chain.server.cpu_ticks();
        // The kernel's clock for CPU time ticks 100 times a second: a program that spins for one
        // second has about that many.
        chain.carrier.watch(Duration::from_secs(1));
        let spent = chain.client.cpu_ticks() + chain.server.cpu_ticks() - before;
        assert!(spent < 30, "{spent} ticks in one idle second");
    });
}

#[test]
fn a_deleted_tun_ends_the_program() {
    isolated("tun::a_deleted_tun_ends_the_program", || {
        let mut chain = Chain::start(UUID, TUNS);
        run("ip", &["link", "del", "fpsc0"]);
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
    isolated("tun::refuses_a_tun_held_by_another_process", || {
        let chain = Chain::start(UUID, TUNS);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_fps_client"));
        command.arg("--config").arg(chain.files.path("client.json"));
        let mut second = Program::start("second client", &mut command);
        assert_eq!(second.wait().code(), Some(1), "{}", second.said());
        second.said_all(&["event=tun_open_failed", "no other program holds fpsc0"]);
        assert!(
            !second.said().contains("event=listening"),
            "{}",
            second.said()
        );
    });
}
