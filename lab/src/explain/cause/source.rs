//! A source address that no link has, or another one than the packet leaves by.

use std::net::IpAddr;

use fps_netlink::IfIndex;

use super::Case;

pub(super) fn cause(case: &Case<'_>) -> Option<String> {
    if case.flow.came_in.is_some() {
        return None;
    }
    let (_, route) = case.decided()?;
    let (source, whose) = match (case.flow.from, route.source) {
        (Some(from), _) => (from, "the packet's source"),
        (None, Some(source)) => (source, "the source that the route gives"),
        (None, None) => return None,
    };
    if is_own(case, source) {
        return strayed(case, source, route.link?);
    }
    Some(format!(
        "{source}, {whose}, is an address of no link: answers to it go nowhere"
    ))
}

/// A carrier keeps the address that it was dialled from. Where the kernel sends it by another link, as
/// it does when that of the address is down or not the best any more, no router knows it.
fn strayed(case: &Case<'_>, source: IpAddr, out: IfIndex) -> Option<String> {
    let mut holders = case.tables.addresses.iter();
    let holds = |link| {
        let mut all = case.tables.addresses.iter();
        all.any(|it| it.net.addr() == source && it.link == link)
    };
    if !case.is_carrier() || case.in_tunnel().is_some() || holds(out) {
        return None;
    }
    let home = holders.find(|it| it.net.addr() == source)?.link;
    let (home, out) = (case.tables.name(home), case.tables.name(out));
    Some(format!(
        "the carrier's connection has the address {source} of {home}, and its packets leave by {out}, \
         where no router knows it"
    ))
}

fn is_own(case: &Case<'_>, ip: IpAddr) -> bool {
    let mut addresses = case.tables.addresses.iter();
    ip.is_loopback() || addresses.any(|address| address.net.addr() == ip)
}
