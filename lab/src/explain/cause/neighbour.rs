//! A next hop that nobody on the link is.

use super::Case;

pub(super) fn cause(case: &Case<'_>) -> Option<String> {
    let next = case.mute?;
    let link = case.link()?.name;
    let how = match next.is_ipv4() {
        true => "ARP",
        false => "neighbour discovery",
    };
    let what = match next == case.flow.to {
        true => "",
        false => ", the gateway",
    };
    Some(format!(
        "nobody on {}:{link} answers for {next}{what} ({how}): no host there has that address, or it is \
         down",
        case.host
    ))
}
