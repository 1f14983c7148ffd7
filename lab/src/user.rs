//! Users of a lab, as this process has them.
//!
//! Rules and questions about routes speak of users as the user namespace of whoever asks has them
//! (`current_user_ns` in net/core/fib_rules.c and net/ipv4/route.c), which is not the lab's where an
//! ordinary user runs it: that one has a root alone, which is this user.

use fps_netlink::Flow;
use nix::unistd::geteuid;

/// A user of a lab as the kernel knows him when this process asks.
pub(crate) fn seen_here(user: u32) -> u32 {
    match user {
        0 => geteuid().as_raw(),
        other => other,
    }
}

/// A packet of a lab, with its user as the kernel knows him when this process asks. One of IPv6 that came
/// in is of the machine's root, whoever the lab's is (`ip6_route_input` in net/ipv6/route.c).
pub(crate) fn flow_seen_here(flow: Flow) -> Flow {
    if flow.came_in.is_some() && flow.to.is_ipv6() {
        return flow;
    }
    let user = flow.user.map(seen_here);
    Flow { user, ..flow }
}
