//! Packets spelled out byte by byte, so that the reader under test has no part in making them.

/// EtherTypes.
pub(crate) const IPV4: u16 = 0x0800;
pub(crate) const IPV6: u16 = 0x86dd;

/// Protocol numbers (IANA), which are IPv6's next headers, too.
pub(crate) const ICMP: u8 = 1;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const ICMPV6: u8 = 58;

/// From 192.168.188.112 to 203.0.113.80; `offset` is the fragment's, in units of 8 bytes.
pub(crate) fn ipv4_with(protocol: u8, options: &[u8], offset: u16, behind: &[u8]) -> Vec<u8> {
    assert_eq!(options.len() % 4, 0);
    let header = 20 + options.len();
    let mut bytes = vec![0x40 | (header / 4) as u8, 0];
    bytes.extend(((header + behind.len()) as u16).to_be_bytes());
    bytes.extend([0x12, 0x34]);
    bytes.extend(offset.to_be_bytes());
    bytes.extend([64, protocol, 0, 0]);
    bytes.extend([192, 168, 188, 112]);
    bytes.extend([203, 0, 113, 80]);
    bytes.extend(options);
    bytes.extend(behind);
    bytes
}

pub(crate) fn ipv4(protocol: u8, behind: &[u8]) -> Vec<u8> {
    ipv4_with(protocol, &[], 0, behind)
}

/// From fd00::1 to fd00::2.
pub(crate) fn ipv6(next: u8, behind: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x60, 0, 0, 0];
    bytes.extend((behind.len() as u16).to_be_bytes());
    bytes.extend([next, 64]);
    for last in [1, 2] {
        bytes.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    bytes.extend(behind);
    bytes
}

/// From port 40112 to port 80, with `options` in words of 4 bytes.
pub(crate) fn tcp(flags: u8, options: &[u8], payload: &[u8]) -> Vec<u8> {
    assert_eq!(options.len() % 4, 0);
    let mut bytes = vec![0x9c, 0xb0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2];
    bytes.extend([
        (((20 + options.len()) / 4) as u8) << 4,
        flags,
        0xff,
        0xff,
        0,
        0,
        0,
        0,
    ]);
    bytes.extend(options);
    bytes.extend(payload);
    bytes
}

/// From port 40112 to port 53.
pub(crate) fn udp(payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x9c, 0xb0, 0, 53];
    bytes.extend(((8 + payload.len()) as u16).to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(payload);
    bytes
}

/// An ICMP or ICMPv6 message.
pub(crate) fn icmp(kind: u8, code: u8, rest: [u8; 4], payload: &[u8]) -> Vec<u8> {
    [&[kind, code, 0, 0], &rest[..], payload].concat()
}

/// A fragment header in front of `next`; `offset` in units of 8 bytes.
pub(crate) fn fragment(next: u8, offset: u16, behind: &[u8]) -> Vec<u8> {
    let mut bytes = vec![next, 0];
    // The lowest bit says that more fragments follow.
    bytes.extend((offset << 3 | 1).to_be_bytes());
    bytes.extend([0, 0, 0, 1]);
    bytes.extend(behind);
    bytes
}

/// A hop-by-hop, routing or destination header of 8 bytes and `more` times 8.
pub(crate) fn extension(next: u8, more: u8, behind: &[u8]) -> Vec<u8> {
    let mut bytes = vec![next, more];
    bytes.extend(vec![0; 6 + usize::from(more) * 8]);
    bytes.extend(behind);
    bytes
}
