//! A host that does not forward, and was sent what is for others (`ip_route_input_slow` in
//! net/ipv4/route.c, `ip6_forward` in net/ipv6/ip6_output.c).

use fps_netlink::IfIndex;

use super::{Case, Fate};

pub(super) fn cause(case: &Case<'_>) -> Option<String> {
    let (Some(Fate::Stranded), Some(key)) = (&case.fate, &case.forwards_not) else {
        return None;
    };
    let link = case.verdict().link().filter(|it| *it != IfIndex::LOOPBACK);
    link.map(|_| {
        format!(
            "{} does not forward ({key} = 0), and {} is somebody else's address",
            case.host, case.flow.to
        )
    })
}
