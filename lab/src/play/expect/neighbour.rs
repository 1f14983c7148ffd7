//! Whether a host has asked its link for a neighbour and heard nothing (ARP, RFC 826; neighbour
//! discovery, RFC 4861).

use std::net::{IpAddr, Ipv4Addr};

use fps_packet::{Direction, Frame, Icmp, Transport};

use super::CheckError;
use crate::play::stage::Stage;
use crate::scenario::HostName;

/// Where an ARP packet of Ethernet and IPv4 has its sender's address, and the one that is asked for.
const SENDER: usize = 14;
const ASKED: usize = 24;
/// ICMPv6 types (RFC 4861, 4.3 and 4.4).
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;

/// Whether nobody is there: the host has asked since the step began, and got no answer.
pub(super) async fn is_mute(
    stage: &Stage<'_>,
    host: &HostName,
    neighbour: IpAddr,
) -> Result<bool, CheckError> {
    let tape = stage.tape(host);
    // A capture that has lost packets may have lost the answer.
    if tape.sync().await? > 0 {
        return Ok(false);
    }
    Ok(tape.look(|frames| {
        let sent = |frame: &&Frame| frame.direction == Direction::Sent;
        let asked = frames.iter().filter(sent).any(|it| asks(it, neighbour));
        let mut heard = frames.iter().filter(|frame| !sent(frame));
        asked && !heard.any(|it| answers(it, neighbour))
    }))
}

fn asks(frame: &Frame, neighbour: IpAddr) -> bool {
    match neighbour {
        IpAddr::V4(ip) => arp_has(frame, ASKED, ip),
        IpAddr::V6(_) => discovers(frame, SOLICITATION, neighbour),
    }
}

/// Whether a packet comes from that neighbour as its hardware address is learnt: any ARP of its own
/// tells it, whatever it is about.
fn answers(frame: &Frame, neighbour: IpAddr) -> bool {
    match neighbour {
        IpAddr::V4(ip) => arp_has(frame, SENDER, ip),
        IpAddr::V6(_) => discovers(frame, ADVERTISEMENT, neighbour),
    }
}

fn arp_has(frame: &Frame, at: usize, ip: Ipv4Addr) -> bool {
    let arp = u16::try_from(nix::libc::ETH_P_ARP).expect("an EtherType has 16 bits");
    let there = frame.bytes.get(at..).and_then(<[u8]>::first_chunk);
    frame.protocol == arp && there == Some(&ip.octets())
}

/// Whether it is that message of neighbour discovery about an IPv6 address.
fn discovers(frame: &Frame, kind: u8, about: IpAddr) -> bool {
    let IpAddr::V6(about) = about else {
        return false;
    };
    frame.packet().is_some_and(|packet| {
        packet.transport == Transport::Icmp(Icmp::Other { kind })
            && packet.payload.starts_with(&about.octets())
    })
}
