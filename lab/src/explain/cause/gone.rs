//! No way at all: no route, or a link that is down.

use fps_netlink::Verdict;

use super::Case;

pub(super) fn cause(case: &Case<'_>) -> Option<String> {
    if let Some(link) = case.link().filter(|link| !link.up || !link.carrier) {
        let what = if link.up { "has no carrier" } else { "is down" };
        return Some(format!("{}, by which it would leave, {what}", link.name));
    }
    let down = |name: &fps_netlink::LinkName| case.tables.named(name).is_none_or(|link| !link.up);
    if let Some(wanted) = case.wanted.as_ref().filter(|wanted| down(wanted)) {
        let what = match case.tables.named(wanted) {
            Some(_) => "is down",
            None => "does not exist",
        };
        return Some(format!("{wanted} {what}, and its routes have gone with it"));
    }
    match case.verdict() {
        Verdict::Lost => Some(format!("no table has a route for {}", case.flow.to)),
        Verdict::TakenForNeighbour(link) => Some(format!(
            "no route has its turn for {}, and the socket is bound to {}",
            case.flow.to,
            case.tables.name(link)
        )),
        Verdict::Leaves { .. } | Verdict::Refused { .. } => None,
    }
}
