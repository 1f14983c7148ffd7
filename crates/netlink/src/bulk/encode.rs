//! The bytes of many requests.

use std::mem::discriminant;
use std::net::IpAddr;

use ipnet::IpNet;
use netlink_packet_core::NetlinkMessage;

use super::RouteRequest;
use crate::Route;

/// Where a message of a route has what differs from one destination to the next: the sequence number
/// (`struct nlmsghdr`), the prefix length (`rtm_dst_len` in `struct rtmsg`, behind 16 bytes of
/// header), and the address, which is the first attribute behind them both.
const SEQUENCE: usize = 8;
const LENGTH: usize = 16 + 1;
const ADDRESS: usize = 16 + 12 + 4;

/// The messages, numbered from `first` on; the last one with more flags.
pub(super) fn requests(requests: &[RouteRequest<'_>], first: u32, last: u16) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(requests.len() * 64);
    let mut template = Template::default();
    for (at, request) in (0_u32..).zip(requests) {
        let flags = if at as usize + 1 == requests.len() {
            last
        } else {
            0
        };
        template.encode(*request, first.wrapping_add(at), flags, &mut bytes);
    }
    bytes
}

/// The last message that was encoded whole. Routes in bulk mostly differ in their destinations
/// alone, and to copy the bytes takes a tenth of the time.
#[derive(Default)]
struct Template<'a> {
    of: Option<(RouteRequest<'a>, u16)>,
    bytes: Vec<u8>,
}

impl<'a> Template<'a> {
    fn encode(&mut self, request: RouteRequest<'a>, sequence: u32, flags: u16, to: &mut Vec<u8>) {
        let fits = |(of, its): &(RouteRequest<'_>, u16)| *its == flags && alike(*of, request);
        if !self.of.as_ref().is_some_and(fits) {
            self.bytes = whole(request, flags);
            self.of = Some((request, flags));
        }
        let begin = to.len();
        to.extend_from_slice(&self.bytes);
        let message = &mut to[begin..];
        message[SEQUENCE..SEQUENCE + 4].copy_from_slice(&sequence.to_ne_bytes());
        let net = request.route().to;
        if net.prefix_len() > 0 {
            message[LENGTH] = net.prefix_len();
            match net.addr() {
                IpAddr::V4(ip) => message[ADDRESS..ADDRESS + 4].copy_from_slice(&ip.octets()),
                IpAddr::V6(ip) => message[ADDRESS..ADDRESS + 16].copy_from_slice(&ip.octets()),
            }
        }
    }
}

/// Whether the messages of two requests differ at most in sequence number and destination. A default
/// route has no attribute for its destination.
fn alike(one: RouteRequest<'_>, other: RouteRequest<'_>) -> bool {
    let elsewhere = |route: &Route, to: IpNet| Route {
        to,
        ..route.clone()
    };
    let (a, b) = (one.route(), other.route());
    discriminant(&one) == discriminant(&other)
        && a.family() == b.family()
        && (a.to.prefix_len() > 0) == (b.to.prefix_len() > 0)
        && elsewhere(a, b.to) == *b
}

/// A message, with sequence number 0.
fn whole(request: RouteRequest<'_>, flags: u16) -> Vec<u8> {
    let mut message = NetlinkMessage::from(request.message());
    message.header.flags = request.flags() | flags;
    message.finalize();
    let length = message.buffer_len();
    let mut bytes = vec![0; length.next_multiple_of(4)];
    message.serialize(&mut bytes[..length]);
    bytes
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::NLM_F_ACK;

    use super::*;
    use crate::{IfIndex, RouteKind, TableId};

    /// Routes of many kinds, some alike and some not.
    fn routes() -> Vec<Route> {
        let nets = [
            "10.1.0.0/16",
            "10.2.3.0/24",
            "0.0.0.0/0",
            "10.4.5.6/32",
            "fd00:1::/32",
            "::/0",
            "fd00:2::1/128",
            "10.7.0.0/16",
        ];
        let mut routes = Vec::new();
        for (metric, link) in [(None, 1), (Some(5), 1), (None, 2)] {
            for net in nets {
                let link = IfIndex::new(link).unwrap();
                let route = Route::new(net.parse().unwrap()).on_link(link);
                let route = route.in_table(TableId(4242));
                let throw = route.clone().of_kind(RouteKind::Throw);
                routes.push(Route { metric, ..route });
                routes.push(throw);
            }
        }
        routes
    }

    #[test]
    fn a_copy_is_what_is_encoded_whole() {
        let routes = routes();
        let mut requests_ = Vec::new();
        for pair in routes
            .iter()
            .flat_map(|a| routes.iter().map(move |b| (a, b)))
        {
            let (a, b) = pair;
            requests_.extend([RouteRequest::Add(a), RouteRequest::Add(b)]);
            requests_.extend([RouteRequest::Delete(a), RouteRequest::Delete(b)]);
            requests_.extend([RouteRequest::Replace(a), RouteRequest::Append(b)]);
        }
        let mut expected = Vec::new();
        for (at, request) in requests_.iter().enumerate() {
            let last = at + 1 == requests_.len();
            let mut bytes = whole(*request, if last { NLM_F_ACK } else { 0 });
            let sequence = 7 + u32::try_from(at).unwrap();
            bytes[SEQUENCE..SEQUENCE + 4].copy_from_slice(&sequence.to_ne_bytes());
            expected.extend(bytes);
        }
        assert_eq!(requests(&requests_, 7, NLM_F_ACK), expected);
    }
}
