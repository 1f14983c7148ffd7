//! A packet that left and that nobody took in.

use fps_netlink::IfIndex;

use super::{Case, Fate};

pub(super) fn cause(case: &Case<'_>) -> Option<String> {
    let link = case.link().filter(|_| case.fate == Some(Fate::Lost))?;
    if case.is_tun(link) || link.index == IfIndex::LOOPBACK {
        return None;
    }
    if !case.plugged.contains(&link.index) {
        return Some(format!(
            "it went into {}:{}, and came out nowhere: what is behind that device lost it",
            case.host, link.name
        ));
    }
    let (_, route) = case.decided()?;
    let next = route.gateway.unwrap_or(case.flow.to);
    Some(format!(
        "it left {}:{}, and no host took it in: {next} is there no longer, or the link loses it",
        case.host, link.name
    ))
}
