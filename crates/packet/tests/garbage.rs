//! Damaged packets never panic the reader, and never show a nonce that is not there.

#[path = "support/bytes.rs"]
mod bytes;

use bytes::{ICMP, ICMPV6, IPV4, IPV6, TCP, UDP};
use fps_netns::testing::Dice;
use fps_packet::{Nonce, Packet};

/// Valid packets of each kind, which all carry the nonce.
fn samples(nonce: Nonce) -> Vec<(u16, Vec<u8>)> {
    let payload = nonce.payload();
    let udp = bytes::udp(&payload);
    let chain = bytes::extension(44, 1, &bytes::fragment(UDP, 0, &udp));
    vec![
        (IPV4, bytes::ipv4_with(UDP, &[1; 8], 0, &udp)),
        (
            IPV4,
            bytes::ipv4(TCP, &bytes::tcp(0x18, &[1; 12], &payload)),
        ),
        (
            IPV4,
            bytes::ipv4(ICMP, &bytes::icmp(8, 0, [0; 4], &payload)),
        ),
        (
            IPV4,
            bytes::ipv4(ICMP, &bytes::icmp(3, 3, [0; 4], &bytes::ipv4(UDP, &udp))),
        ),
        (IPV6, bytes::ipv6(0, &chain)),
        (
            IPV6,
            bytes::ipv6(ICMPV6, &bytes::icmp(3, 0, [0; 4], &bytes::ipv6(UDP, &udp))),
        ),
    ]
}

/// Reads everything that there is to read.
fn read(protocol: u16, bytes: &[u8]) -> Option<Nonce> {
    let packet = Packet::parse(protocol, bytes)?;
    assert!(packet.to_string().contains(" > "));
    packet.nonce()
}

#[test]
fn every_cut_of_a_valid_packet_reads() {
    let nonce = Nonce::random().unwrap();
    for (protocol, sample) in samples(nonce) {
        assert_eq!(read(protocol, &sample), Some(nonce));
        for length in 0..sample.len() {
            assert_eq!(
                read(protocol, &sample[..length]),
                None,
                "cut to {length}: {sample:02x?}"
            );
        }
    }
}

#[test]
fn damaged_packets_read() {
    let samples = samples(Nonce::random().unwrap());
    let mut dice = Dice::new(0x0046_5053);
    for _ in 0..200_000 {
        let (protocol, sample) = &samples[dice.throw(samples.len())];
        let mut damaged = sample.clone();
        for _ in 0..=dice.throw(4) {
            let at = dice.throw(damaged.len());
            damaged[at] = dice.draw() as u8;
        }
        damaged.truncate(dice.throw(sample.len()) + 1);
        read(*protocol, &damaged);
    }
}

#[test]
fn noise_reads_and_carries_no_nonce() {
    let mut dice = Dice::new(0x4142_4344);
    for _ in 0..100_000 {
        let mut noise: Vec<u8> = (0..dice.throw(120)).map(|_| dice.draw() as u8).collect();
        // A right version lets most of it past the first check.
        for (protocol, version) in [(IPV4, 0x45), (IPV6, 0x60)] {
            if let Some(first) = noise.first_mut() {
                *first = version;
            }
            assert_eq!(read(protocol, &noise), None);
        }
    }
}
