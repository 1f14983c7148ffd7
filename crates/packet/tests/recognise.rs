//! What packets say: each kind that a lab meets, whole and cut off.

#[path = "support/bytes.rs"]
mod bytes;

use bytes::{ICMP, ICMPV6, IPV4, IPV6, TCP, UDP};
use fps_packet::{Icmp, Nonce, Packet, TcpFlags, Transport};

/// Asserts the one-line text of each packet.
fn assert_lines(protocol: u16, cases: &[(Vec<u8>, &str)]) {
    for (bytes, line) in cases {
        let packet = Packet::parse(protocol, bytes).expect(line);
        assert_eq!(packet.to_string(), *line);
    }
}

#[test]
fn names_ipv4_packets() {
    let cases = [
        (
            bytes::icmp(8, 0, [0, 7, 0, 1], b""),
            ICMP,
            "icmp echo request",
        ),
        (
            bytes::icmp(0, 0, [0, 7, 0, 1], b""),
            ICMP,
            "icmp echo reply",
        ),
        (
            bytes::icmp(3, 1, [0; 4], b""),
            ICMP,
            "icmp unreachable: host",
        ),
        (
            bytes::icmp(3, 13, [0; 4], b""),
            ICMP,
            "icmp unreachable: prohibited",
        ),
        (
            bytes::icmp(3, 9, [0; 4], b""),
            ICMP,
            "icmp unreachable: code 9",
        ),
        (
            bytes::icmp(3, 4, [0, 0, 0x05, 0x00], b""),
            ICMP,
            "icmp too big: mtu 1280",
        ),
        (bytes::icmp(11, 0, [0; 4], b""), ICMP, "icmp time exceeded"),
        (bytes::icmp(5, 1, [0; 4], b""), ICMP, "icmp type 5"),
        (vec![0; 30], 47, "protocol 47"),
    ];
    let cases = cases.map(|(behind, protocol, text)| {
        (
            bytes::ipv4(protocol, &behind),
            format!("192.168.188.112 > 203.0.113.80 {text}"),
        )
    });
    assert_lines(
        IPV4,
        &cases
            .each_ref()
            .map(|(bytes, line)| (bytes.clone(), line.as_str())),
    );
}

#[test]
fn names_ports_and_flags() {
    let line = |text| format!("192.168.188.112:40112 > 203.0.113.80:{text}");
    for (flags, text) in [
        (0x02, "80 tcp [S]"),
        (0x12, "80 tcp [S.]"),
        (0x10, "80 tcp [.]"),
        (0x11, "80 tcp [F.]"),
        (0x14, "80 tcp [R.]"),
        (0x04, "80 tcp [R]"),
        (0x08, "80 tcp [none]"),
    ] {
        let bytes = bytes::ipv4(TCP, &bytes::tcp(flags, &[], b""));
        assert_lines(IPV4, &[(bytes, &line(text))]);
    }
    assert_lines(
        IPV4,
        &[(bytes::ipv4(UDP, &bytes::udp(b"x")), &line("53 udp"))],
    );
}

#[test]
fn names_ipv6_packets() {
    let ports = "[fd00::1]:40112 > [fd00::2]";
    assert_lines(
        IPV6,
        &[
            (
                bytes::ipv6(TCP, &bytes::tcp(2, &[], b"")),
                &format!("{ports}:80 tcp [S]"),
            ),
            (
                bytes::ipv6(UDP, &bytes::udp(b"")),
                &format!("{ports}:53 udp"),
            ),
        ],
    );
    for (kind, code, text) in [
        (128, 0, "icmp6 echo request"),
        (129, 0, "icmp6 echo reply"),
        (1, 0, "icmp6 unreachable: no route"),
        (1, 3, "icmp6 unreachable: host"),
        (1, 4, "icmp6 unreachable: port"),
        (2, 0, "icmp6 too big: mtu 1280"),
        (3, 0, "icmp6 time exceeded"),
        (135, 0, "icmp6 type 135"),
    ] {
        let bytes = bytes::ipv6(ICMPV6, &bytes::icmp(kind, code, [0, 0, 5, 0], b""));
        assert_lines(IPV6, &[(bytes, &format!("fd00::1 > fd00::2 {text}"))]);
    }
}

#[test]
fn reads_the_numbers_of_a_ping() {
    for (protocol, bytes) in [
        (
            IPV4,
            bytes::ipv4(ICMP, &bytes::icmp(8, 0, [0x12, 0x34, 0, 7], b"abc")),
        ),
        (
            IPV6,
            bytes::ipv6(ICMPV6, &bytes::icmp(128, 0, [0x12, 0x34, 0, 7], b"abc")),
        ),
    ] {
        let packet = Packet::parse(protocol, &bytes).unwrap();
        let expected = Transport::Icmp(Icmp::EchoRequest { id: 0x1234, seq: 7 });
        assert_eq!(packet.transport, expected);
        assert_eq!(packet.payload, b"abc");
    }
}

#[test]
fn looks_behind_ipv4_and_tcp_options() {
    let nonce = Nonce::random().unwrap();
    let segment = bytes::tcp(0x18, &[1; 12], &nonce.payload());
    let bytes = bytes::ipv4_with(TCP, &[1; 8], 0, &segment);
    let packet = Packet::parse(IPV4, &bytes).unwrap();
    let flags = TcpFlags {
        ack: true,
        ..TcpFlags::default()
    };
    let expected = Transport::Tcp {
        source_port: 40112,
        destination_port: 80,
        flags,
    };
    assert_eq!(packet.transport, expected);
    assert_eq!(packet.nonce(), Some(nonce));
}

#[test]
fn looks_behind_ipv6_extension_headers() {
    let nonce = Nonce::random().unwrap();
    let datagram = bytes::udp(&nonce.payload());
    let (hop_by_hop, routing, fragment, options, authentication) = (0, 43, 44, 60, 51);
    // An authentication header counts words of 4 bytes, less two: 4 is 24 bytes.
    let authenticated = [
        &[options, 4],
        &[0; 22][..],
        &bytes::extension(UDP, 0, &datagram),
    ];
    let chain = bytes::extension(
        routing,
        1,
        &bytes::extension(
            fragment,
            2,
            &bytes::fragment(authentication, 0, &authenticated.concat()),
        ),
    );
    let bytes = bytes::ipv6(hop_by_hop, &chain);
    let packet = Packet::parse(IPV6, &bytes).unwrap();
    assert_eq!(packet.to_string(), "[fd00::1]:40112 > [fd00::2]:53 udp");
    assert_eq!(packet.nonce(), Some(nonce));
}

#[test]
fn a_later_fragment_has_no_transport_and_no_nonce() {
    let nonce = Nonce::random().unwrap();
    let datagram = bytes::udp(&nonce.payload());
    for (protocol, first, later) in [
        (
            IPV4,
            // More fragments follow.
            bytes::ipv4_with(UDP, &[], 0x2000, &datagram),
            bytes::ipv4_with(UDP, &[], 185, &datagram),
        ),
        (
            IPV6,
            bytes::ipv6(44, &bytes::fragment(UDP, 0, &datagram)),
            bytes::ipv6(44, &bytes::fragment(UDP, 185, &datagram)),
        ),
    ] {
        assert_eq!(
            Packet::parse(protocol, &first).unwrap().nonce(),
            Some(nonce)
        );
        let later = Packet::parse(protocol, &later).unwrap();
        assert_eq!(later.transport, Transport::Fragment);
        assert_eq!(later.nonce(), None);
        assert!(later.to_string().ends_with(" fragment"), "{later}");
    }
}

#[test]
fn finds_the_nonce_where_a_probe_carries_it() {
    let nonce = Nonce::random().unwrap();
    let payload = nonce.payload();
    for (protocol, bytes) in [
        (
            IPV4,
            bytes::ipv4(ICMP, &bytes::icmp(8, 0, [0; 4], &payload)),
        ),
        (
            IPV4,
            bytes::ipv4(ICMP, &bytes::icmp(0, 0, [0; 4], &payload)),
        ),
        (IPV4, bytes::ipv4(UDP, &bytes::udp(&payload))),
        (IPV4, bytes::ipv4(TCP, &bytes::tcp(0x10, &[], &payload))),
        (
            IPV6,
            bytes::ipv6(ICMPV6, &bytes::icmp(128, 0, [0; 4], &payload)),
        ),
        (
            IPV6,
            bytes::ipv6(ICMPV6, &bytes::icmp(129, 0, [0; 4], &payload)),
        ),
        (IPV6, bytes::ipv6(UDP, &bytes::udp(&payload))),
    ] {
        let packet = Packet::parse(protocol, &bytes).unwrap();
        assert_eq!(packet.nonce(), Some(nonce), "{packet}");
        assert!(packet.quoted().is_none(), "{packet}");
    }
    let without = bytes::ipv4(UDP, &bytes::udp(b"hello"));
    assert_eq!(Packet::parse(IPV4, &without).unwrap().nonce(), None);
}

#[test]
fn finds_the_nonce_in_what_an_icmp_error_quotes() {
    let nonce = Nonce::random().unwrap();
    let about = bytes::ipv4(UDP, &bytes::udp(&nonce.payload()));
    let about6 = bytes::ipv6(UDP, &bytes::udp(&nonce.payload()));
    for (protocol, bytes, line) in [
        (
            IPV4,
            bytes::ipv4(ICMP, &bytes::icmp(3, 3, [0; 4], &about)),
            "192.168.188.112 > 203.0.113.80 icmp unreachable: port \
             (192.168.188.112:40112 > 203.0.113.80:53 udp)",
        ),
        (
            IPV4,
            bytes::ipv4(ICMP, &bytes::icmp(11, 0, [0; 4], &about)),
            "192.168.188.112 > 203.0.113.80 icmp time exceeded \
             (192.168.188.112:40112 > 203.0.113.80:53 udp)",
        ),
        (
            IPV6,
            bytes::ipv6(ICMPV6, &bytes::icmp(2, 0, [0, 0, 5, 0], &about6)),
            "fd00::1 > fd00::2 icmp6 too big: mtu 1280 ([fd00::1]:40112 > [fd00::2]:53 udp)",
        ),
    ] {
        let packet = Packet::parse(protocol, &bytes).unwrap();
        assert_eq!(packet.nonce(), Some(nonce));
        assert_eq!(packet.to_string(), line);
        assert_eq!(packet.quoted().unwrap().nonce(), Some(nonce));
    }
}

#[test]
fn an_error_about_an_error_is_forged_and_has_no_nonce() {
    let nonce = Nonce::random().unwrap();
    let mut bytes = bytes::ipv4(UDP, &bytes::udp(&nonce.payload()));
    for _ in 0..50 {
        bytes = bytes::ipv4(ICMP, &bytes::icmp(3, 1, [0; 4], &bytes));
    }
    let packet = Packet::parse(IPV4, &bytes).unwrap();
    assert_eq!(packet.nonce(), None);
    assert_eq!(
        packet.to_string(),
        "192.168.188.112 > 203.0.113.80 icmp unreachable: host"
    );
}

#[test]
fn padding_behind_the_packet_is_no_payload() {
    let mut bytes = bytes::ipv4(UDP, &bytes::udp(b"abc"));
    bytes.extend([0; 20]);
    assert_eq!(Packet::parse(IPV4, &bytes).unwrap().payload, b"abc");
    let mut bytes = bytes::ipv6(UDP, &bytes::udp(b"abc"));
    bytes.extend([0; 20]);
    assert_eq!(Packet::parse(IPV6, &bytes).unwrap().payload, b"abc");
}

#[test]
fn a_length_of_zero_means_all_of_a_large_packet() {
    let nonce = Nonce::random().unwrap();
    let mut bytes = bytes::ipv4(UDP, &bytes::udp(&nonce.payload()));
    bytes[2..4].fill(0);
    assert_eq!(Packet::parse(IPV4, &bytes).unwrap().nonce(), Some(nonce));
    let mut bytes = bytes::ipv6(UDP, &bytes::udp(&nonce.payload()));
    bytes[4..6].fill(0);
    assert_eq!(Packet::parse(IPV6, &bytes).unwrap().nonce(), Some(nonce));
}

#[test]
fn a_header_cut_off_leaves_the_protocol_number() {
    let bytes = bytes::ipv4(TCP, &bytes::tcp(2, &[], b"")[..8]);
    assert_eq!(
        Packet::parse(IPV4, &bytes).unwrap().transport,
        Transport::Other(TCP)
    );
    let bytes = bytes::ipv6(0, &bytes::extension(UDP, 9, b"")[..8]);
    assert_eq!(
        Packet::parse(IPV6, &bytes).unwrap().transport,
        Transport::Other(0)
    );
    // Options that the header announces and the packet lacks.
    let mut bytes = bytes::ipv4(UDP, &bytes::udp(b""));
    bytes[0] = 0x4f;
    assert!(Packet::parse(IPV4, &bytes).is_none());
}

#[test]
fn what_is_not_ip_is_no_packet() {
    let udp = bytes::ipv4(UDP, &bytes::udp(b""));
    assert!(Packet::parse(0x0806, &udp).is_none(), "ARP");
    assert!(
        Packet::parse(IPV6, &udp).is_none(),
        "IPv4 behind IPv6's EtherType"
    );
    assert!(Packet::parse(IPV4, &[]).is_none());
    assert!(Packet::parse(IPV4, &udp[..19]).is_none());
    let mut short = udp;
    short[0] = 0x44;
    assert!(
        Packet::parse(IPV4, &short).is_none(),
        "a header of 16 bytes"
    );
}
