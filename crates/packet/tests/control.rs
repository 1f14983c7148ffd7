//! The positive control: the capture sees it, and nobody answers it.

#[path = "support/net.rs"]
mod net;
#[path = "support/tun.rs"]
mod tun;

use std::net::IpAddr;

use fps_netns::Namespace;
use fps_netns::testing::with_namespaces;
use fps_packet::{Capture, Direction, Frame, InjectError, Injector, Nonce, injectable};
use net::{address, capture_until, connect, index, netlink, packet_socket, ping};
use nix::libc;
use tun::Tun;

const IPV4: u16 = libc::ETH_P_IP as u16;
const IPV6: u16 = libc::ETH_P_IPV6 as u16;

fn has(nonce: Nonce) -> impl Fn(&Frame) -> bool {
    move |frame| frame.packet().and_then(|packet| packet.control()) == Some(nonce)
}

fn is_probe(nonce: Nonce) -> impl Fn(&Frame) -> bool {
    move |frame| frame.packet().and_then(|packet| packet.nonce()) == Some(nonce)
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn is_seen_on_a_veth_and_taken_by_nobody_behind_it() {
    with_namespaces(
        "is_seen_on_a_veth_and_taken_by_nobody_behind_it",
        async || {
            let (left, right) = (Namespace::create().unwrap(), Namespace::create().unwrap());
            connect(&left, &right).await;
            let mut near = Capture::arm(packet_socket(&right)).unwrap();
            let mut far = Capture::arm(packet_socket(&left)).unwrap();
            let eth0 = index(&netlink(&right), "eth0").await.get();
            let nonce = Nonce::random().unwrap();
            let packet = injectable(ip("10.0.0.2"), ip("10.0.0.1"), nonce).unwrap();
            Injector::new(packet_socket(&right))
                .send(eth0, IPV4, &packet)
                .unwrap();

            let seen = capture_until(&mut near, has(nonce)).await;
            let control = seen.iter().find(|frame| has(nonce)(frame)).unwrap();
            assert_eq!(
                (control.ifindex, control.direction),
                (eth0, Direction::Sent)
            );
            assert_eq!(
                control.packet().unwrap().to_string(),
                "10.0.0.2:9 > 10.0.0.1:9 udp"
            );

            let seen = capture_until(&mut far, has(nonce)).await;
            let control = seen.iter().find(|frame| has(nonce)(frame)).unwrap();
            assert_eq!(control.direction, Direction::OtherHost);
        },
    );
}

#[test]
fn is_seen_on_a_tun_device() {
    with_namespaces("is_seen_on_a_tun_device", async || {
        let host = Namespace::create().unwrap();
        let _tun = Tun::new(&host, "fpsc0");
        let fpsc0 = address(&netlink(&host), "fpsc0", "10.66.0.2/30")
            .await
            .get();
        let mut capture = Capture::arm(packet_socket(&host)).unwrap();
        let injector = Injector::new(packet_socket(&host));
        for (protocol, from, to) in [
            (IPV4, "10.66.0.2", "10.66.0.1"),
            (IPV6, "fd66::2", "fd66::1"),
        ] {
            let nonce = Nonce::random().unwrap();
            let packet = injectable(ip(from), ip(to), nonce).unwrap();
            injector.send(fpsc0, protocol, &packet).unwrap();
            let seen = capture_until(&mut capture, has(nonce)).await;
            let control = seen.iter().find(|frame| has(nonce)(frame)).unwrap();
            assert_eq!(
                (control.ifindex, control.direction),
                (fpsc0, Direction::Sent)
            );
            assert_eq!(control.bytes, packet);
        }
    });
}

/// A tunnel may carry the control to its far end; there it must die without a word.
#[test]
fn out_of_a_tunnel_it_is_dropped_without_a_word() {
    with_namespaces("out_of_a_tunnel_it_is_dropped_without_a_word", async || {
        let host = Namespace::create().unwrap();
        let mut tun = Tun::new(&host, "fpss0");
        let netlink = netlink(&host);
        address(&netlink, "fpss0", "10.66.0.1/30").await;
        address(&netlink, "fpss0", "fd66::1/64").await;
        address(&netlink, "lo", "10.0.0.1/32").await;
        let mut capture = Capture::arm(packet_socket(&host)).unwrap();
        // To the host itself, and to a third one through it.
        for (from, to) in [
            ("10.66.0.2", "10.66.0.1"),
            ("10.66.0.2", "10.99.0.1"),
            ("fd66::2", "fd66::1"),
            ("fd66::2", "fd99::1"),
        ] {
            let nonce = Nonce::random().unwrap();
            tun.deliver(&injectable(ip(from), ip(to), nonce).unwrap());
            // The kernel works a TUN's packet off inside write(2), so a ping after it is a fence.
            let fence = Nonce::random().unwrap();
            ping(&host, [10, 0, 0, 1], fence);
            let seen = capture_until(&mut capture, is_probe(fence)).await;
            let ours: Vec<_> = seen.iter().filter(|frame| has(nonce)(frame)).collect();
            let [control] = ours[..] else {
                panic!("{from} > {to}: {seen:#?}")
            };
            assert_eq!(control.direction, Direction::Received);
        }
    });
}

/// The counterpart of the test before: with the right length and checksum the host does answer.
#[test]
fn a_valid_packet_out_of_a_tunnel_is_answered() {
    with_namespaces("a_valid_packet_out_of_a_tunnel_is_answered", async || {
        let host = Namespace::create().unwrap();
        let mut tun = Tun::new(&host, "fpss0");
        address(&netlink(&host), "fpss0", "10.66.0.1/30").await;
        let mut capture = Capture::arm(packet_socket(&host)).unwrap();
        let nonce = Nonce::random().unwrap();
        let mut packet = injectable(ip("10.66.0.2"), ip("10.66.0.1"), nonce).unwrap();
        // Undo the flipped bit of the header's checksum.
        packet[11] ^= 1;
        tun.deliver(&packet);
        let answered = |frame: &Frame| frame.direction == Direction::Sent && has(nonce)(frame);
        let seen = capture_until(&mut capture, answered).await;
        let answer = seen.into_iter().find(answered).unwrap();
        let text = "10.66.0.1 > 10.66.0.2 icmp unreachable: port (10.66.0.2:9 > 10.66.0.1:9 udp)";
        assert_eq!(answer.packet().unwrap().to_string(), text);
    });
}

#[test]
fn an_interface_that_is_down_or_absent_is_an_error() {
    with_namespaces(
        "an_interface_that_is_down_or_absent_is_an_error",
        async || {
            let host = Namespace::create().unwrap();
            let injector = Injector::new(packet_socket(&host));
            for ifindex in [1, 77] {
                let error = injector.send(ifindex, IPV4, &[0; 20]).unwrap_err();
                assert!(matches!(error, InjectError::Send { .. }), "{error:?}");
                let text = format!(
                    "cannot inject 20 bytes on interface {ifindex}: it must exist in the socket's \
                 namespace and be up"
                );
                assert_eq!(error.to_string(), text);
            }
        },
    );
}
