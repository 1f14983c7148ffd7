//! What a capture sees, in namespaces of its own.

#[path = "support/net.rs"]
mod net;

use std::net::UdpSocket;
use std::time::Instant;

use fps_netns::Namespace;
use fps_netns::testing::with_namespaces;
use fps_packet::{Capture, CaptureError, CaptureOptions, Direction, Frame, Nonce};
use net::{address, capture_until, connect, index, name, netlink, packet_socket, ping};

/// The text of the packet in a frame.
fn text(frame: &Frame) -> String {
    frame
        .packet()
        .map(|packet| packet.to_string())
        .unwrap_or_default()
}

fn has(nonce: Nonce) -> impl Fn(&Frame) -> bool {
    move |frame| frame.packet().and_then(|packet| packet.nonce()) == Some(nonce)
}

#[test]
fn sees_a_ping_and_its_answer_on_each_interface_that_they_pass() {
    with_namespaces(
        "sees_a_ping_and_its_answer_on_each_interface_that_they_pass",
        async || {
            let (left, right) = (Namespace::create().unwrap(), Namespace::create().unwrap());
            connect(&left, &right).await;
            let mut near = Capture::arm(packet_socket(&left)).unwrap();
            let mut far = Capture::arm(packet_socket(&right)).unwrap();
            let nonce = Nonce::random().unwrap();
            let before = Instant::now();
            ping(&left, [10, 0, 0, 2], nonce);

            let (request, reply) = (
                "10.0.0.1 > 10.0.0.2 icmp echo request",
                "10.0.0.2 > 10.0.0.1 icmp echo reply",
            );
            // The bridge device is the last to see the answer.
            let near_netlink = netlink(&left);
            let bridge = index(&near_netlink, "br0").await.get();
            let port = index(&near_netlink, "port0").await.get();
            let seen = capture_until(&mut near, |frame| {
                text(frame) == reply && frame.ifindex == bridge
            })
            .await;
            let way: Vec<_> = seen
                .iter()
                .filter(|frame| has(nonce)(frame))
                .map(|frame| (frame.ifindex, frame.direction, text(frame)))
                .collect();
            let expected = [
                (bridge, Direction::Sent, request),
                (port, Direction::Sent, request),
                (port, Direction::Received, reply),
                (bridge, Direction::Received, reply),
            ];
            assert_eq!(
                way,
                expected.map(|(link, way, text)| (link, way, text.to_owned()))
            );

            let eth0 = index(&netlink(&right), "eth0").await.get();
            let seen = far.drain().unwrap();
            let seen: Vec<_> = seen.iter().filter(|frame| has(nonce)(frame)).collect();
            let [came, went] = seen[..] else {
                panic!("{seen:#?}")
            };
            assert_eq!((came.ifindex, came.direction), (eth0, Direction::Received));
            assert_eq!((went.ifindex, went.direction), (eth0, Direction::Sent));
            assert!(before <= came.at && came.at <= went.at && went.at <= Instant::now());
            assert_eq!((near.dropped().unwrap(), far.dropped().unwrap()), (0, 0));
        },
    );
}

#[test]
fn sees_an_interface_made_after_arming() {
    with_namespaces("sees_an_interface_made_after_arming", async || {
        let (left, right) = (Namespace::create().unwrap(), Namespace::create().unwrap());
        let mut capture = Capture::arm(packet_socket(&right)).unwrap();
        connect(&left, &right).await;
        let nonce = Nonce::random().unwrap();
        ping(&left, [10, 0, 0, 2], nonce);
        let seen = capture_until(&mut capture, has(nonce)).await;
        let eth0 = index(&netlink(&right), "eth0").await.get();
        assert!(
            seen.iter()
                .filter(|frame| has(nonce)(frame))
                .all(|frame| frame.ifindex == eth0)
        );
    });
}

#[test]
fn nothing_from_before_arming_is_in_the_queue() {
    with_namespaces("nothing_from_before_arming_is_in_the_queue", async || {
        let host = Namespace::create().unwrap();
        address(&netlink(&host), "lo", "10.0.0.1/32").await;
        let socket = packet_socket(&host);
        let (early, late) = (Nonce::random().unwrap(), Nonce::random().unwrap());
        ping(&host, [10, 0, 0, 1], early);
        let mut capture = Capture::arm(socket).unwrap();
        ping(&host, [10, 0, 0, 1], late);
        let seen = capture.drain().unwrap();
        assert!(seen.iter().any(has(late)), "{seen:#?}");
        assert!(!seen.iter().any(has(early)), "{seen:#?}");
    });
}

#[test]
fn loopback_shows_each_packet_twice() {
    with_namespaces("loopback_shows_each_packet_twice", async || {
        let host = Namespace::create().unwrap();
        address(&netlink(&host), "lo", "10.0.0.1/32").await;
        let mut capture = Capture::arm(packet_socket(&host)).unwrap();
        ping(&host, [10, 0, 0, 1], Nonce::random().unwrap());
        let seen = capture.drain().unwrap();
        let ways: Vec<_> = seen.iter().map(|frame| frame.direction).collect();
        let once = [Direction::Sent, Direction::Received];
        assert_eq!(
            ways,
            [once, once].concat(),
            "a request and its reply: {seen:#?}"
        );
    });
}

#[test]
fn keeps_the_start_of_a_large_packet_and_its_whole_length() {
    with_namespaces(
        "keeps_the_start_of_a_large_packet_and_its_whole_length",
        async || {
            let host = Namespace::create().unwrap();
            address(&netlink(&host), "lo", "10.0.0.1/32").await;
            let mut capture = Capture::arm(packet_socket(&host)).unwrap();
            let nonce = Nonce::random().unwrap();
            let mut payload = nonce.payload();
            payload.resize(10_000, 0);
            let socket = host
                .within(|| UdpSocket::bind("10.0.0.1:0"))
                .unwrap()
                .unwrap();
            socket.send_to(&payload, "10.0.0.1:9").unwrap();
            // Nobody listens there: the answer quotes the start of the datagram, nonce and all.
            let refused = |frame: &Frame| text(frame).contains("icmp unreachable: port (");
            let seen = capture_until(&mut capture, refused).await;
            assert!(has(nonce)(
                seen.iter().find(|frame| refused(frame)).unwrap()
            ));
            let frame = seen.iter().find(|frame| has(nonce)(frame)).unwrap();
            assert_eq!(
                (frame.length, frame.bytes.len()),
                (10_028, fps_packet::SNAP)
            );
        },
    );
}

#[test]
fn counts_what_a_full_buffer_loses() {
    with_namespaces("counts_what_a_full_buffer_loses", async || {
        let host = Namespace::create().unwrap();
        address(&netlink(&host), "lo", "10.0.0.1/32").await;
        let options = CaptureOptions {
            receive_buffer: 4096,
        };
        let mut capture = Capture::arm_with(packet_socket(&host), options).unwrap();
        let nonce = Nonce::random().unwrap();
        assert_eq!(capture.dropped().unwrap(), 0);
        (0..50).for_each(|_| ping(&host, [10, 0, 0, 1], nonce));
        let seen = capture.drain().unwrap().len() as u32;
        // A request and a reply for each ping, and each twice.
        assert!(seen < 200, "a buffer of 4 KiB held all {seen} packets");
        assert_eq!(capture.dropped().unwrap(), 200 - seen);
        assert_eq!(
            capture.dropped().unwrap(),
            200 - seen,
            "reading reset the count"
        );
        (0..50).for_each(|_| ping(&host, [10, 0, 0, 1], nonce));
        assert!(capture.dropped().unwrap() > 200 - seen, "the count goes on");
    });
}

#[test]
fn waits_until_a_packet_comes_and_again_after_a_drain() {
    with_namespaces(
        "waits_until_a_packet_comes_and_again_after_a_drain",
        async || {
            let host = Namespace::create().unwrap();
            address(&netlink(&host), "lo", "10.0.0.1/32").await;
            let mut capture = Capture::arm(packet_socket(&host)).unwrap();
            for _ in 0..3 {
                let nothing = at_once(capture.readable()).await;
                assert!(nothing.is_none(), "readable without a packet");
                let nonce = Nonce::random().unwrap();
                ping(&host, [10, 0, 0, 1], nonce);
                capture_until(&mut capture, has(nonce)).await;
                capture.drain().unwrap();
            }
        },
    );
}

/// What a future gives without waiting; the reactor has its turn first.
async fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = future => Some(done),
        () = async { for _ in 0..3 { tokio::task::yield_now().await } } => None,
    }
}

#[test]
fn an_interface_that_goes_stops_nothing() {
    with_namespaces("an_interface_that_goes_stops_nothing", async || {
        let (left, right) = (Namespace::create().unwrap(), Namespace::create().unwrap());
        connect(&left, &right).await;
        let near = netlink(&left);
        let mut capture = Capture::arm(packet_socket(&left)).unwrap();
        for link in ["port0", "br0"] {
            let link = index(&near, link).await;
            near.delete_link(link).await.unwrap();
        }
        assert!(near.link(&name("br0")).await.unwrap().is_none());
        address(&near, "lo", "10.0.0.1/32").await;
        let nonce = Nonce::random().unwrap();
        ping(&left, [10, 0, 0, 1], nonce);
        capture_until(&mut capture, has(nonce)).await;
    });
}

#[tokio::test]
async fn refuses_a_socket_of_another_kind() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let error = Capture::arm(socket.into()).unwrap_err();
    assert!(matches!(error, CaptureError::Bind(_)), "{error:?}");
    let text = "cannot bind the capture to all interfaces: give it a socket made with \
                socket(AF_PACKET, SOCK_DGRAM, 0)";
    assert_eq!(error.to_string(), text);
}
