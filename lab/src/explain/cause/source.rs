//! A source address that no link has, or another one than the packet leaves by.

use std::net::IpAddr;

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
        return None;
    }
    Some(format!(
        "{source}, {whose}, is an address of no link: answers to it go nowhere"
    ))
}

fn is_own(case: &Case<'_>, ip: IpAddr) -> bool {
    let mut addresses = case.tables.addresses.iter();
    ip.is_loopback() || addresses.any(|address| address.net.addr() == ip)
}
