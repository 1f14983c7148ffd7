//! A packet as one line of evidence, close to what tcpdump(8) prints.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::{Icmp, Packet, TcpFlags, Transport};

impl fmt::Display for Packet<'_> {
    /// Such as `10.66.0.2:40112 > 10.66.1.10:80 tcp [S]`. An ICMP error ends with the packet that
    /// it is about, in parentheses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (source, destination) = (self.source, self.destination);
        match self.transport {
            Transport::Tcp {
                source_port,
                destination_port,
                flags,
            } => {
                let source = SocketAddr::new(source, source_port);
                let destination = SocketAddr::new(destination, destination_port);
                write!(f, "{source} > {destination} tcp [{flags}]")
            }
            Transport::Udp {
                source_port,
                destination_port,
            } => {
                let source = SocketAddr::new(source, source_port);
                let destination = SocketAddr::new(destination, destination_port);
                write!(f, "{source} > {destination} udp")
            }
            Transport::Icmp(icmp) => {
                let name = if source.is_ipv4() { "icmp" } else { "icmp6" };
                write!(f, "{source} > {destination} {name} ")?;
                icmp.describe(source).fmt(f)?;
                match self.quoted() {
                    // The quote of a quote would be forged, and could nest without end.
                    Some(about) if about.quoted().is_none() => write!(f, " ({about})"),
                    _ => Ok(()),
                }
            }
            Transport::Fragment => write!(f, "{source} > {destination} fragment"),
            Transport::Other(number) => write!(f, "{source} > {destination} protocol {number}"),
        }
    }
}

impl Icmp {
    /// The message in words; `source` tells ICMP from ICMPv6.
    fn describe(self, source: IpAddr) -> String {
        match self {
            Self::EchoRequest { .. } => "echo request".to_owned(),
            Self::EchoReply { .. } => "echo reply".to_owned(),
            Self::Unreachable { code } => match unreachable_reason(source, code) {
                Some(reason) => format!("unreachable: {reason}"),
                None => format!("unreachable: code {code}"),
            },
            Self::TooBig { mtu } => format!("too big: mtu {mtu}"),
            Self::TimeExceeded => "time exceeded".to_owned(),
            Self::Other { kind } => format!("type {kind}"),
        }
    }
}

/// The codes that Linux sends (RFC 792 and RFC 1812, 5.2.7.1; RFC 4443, 3.1).
fn unreachable_reason(source: IpAddr, code: u8) -> Option<&'static str> {
    let reason = match (source, code) {
        (IpAddr::V4(_), 0) => "net",
        (IpAddr::V4(_), 1) | (IpAddr::V6(_), 3) => "host",
        (IpAddr::V4(_), 2) => "protocol",
        (IpAddr::V4(_), 3) | (IpAddr::V6(_), 4) => "port",
        (IpAddr::V4(_), 13) | (IpAddr::V6(_), 1) => "prohibited",
        (IpAddr::V6(_), 0) => "no route",
        (IpAddr::V6(_), 5) => "source address failed policy",
        (IpAddr::V6(_), 6) => "route rejected",
        _ => return None,
    };
    Some(reason)
}

impl fmt::Display for TcpFlags {
    /// As tcpdump(8) has it: a letter each, and a dot for ACK.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = [
            (self.fin, "F"),
            (self.syn, "S"),
            (self.rst, "R"),
            (self.ack, "."),
        ];
        if !letters.iter().any(|(set, _)| *set) {
            return f.write_str("none");
        }
        letters
            .iter()
            .filter(|(set, _)| *set)
            .try_for_each(|(_, letter)| f.write_str(letter))
    }
}
