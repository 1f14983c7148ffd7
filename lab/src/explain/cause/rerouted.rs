//! A packet that leaves by another link than the routes lead to: something marks it on its way out
//! (a `route` chain of nftables, whose mark has the kernel look again: `nf_route` in
//! net/netfilter/nft_chain_route.c).

use fps_netlink::Flow;

use super::{Case, mark};

pub(super) fn cause(case: &Case<'_>) -> Option<String> {
    let left_by = case.left_by.as_ref()?;
    let link = case.link()?;
    if link.name == *left_by {
        return None;
    }
    let fib = case.tables.fib();
    let given = mark::marks(case).into_iter().find(|mark| {
        let flow = Flow {
            mark: *mark,
            ..case.flow
        };
        let link = fib.lookup(&flow).link();
        link.is_some_and(|index| case.tables.name(index) == left_by.as_str())
    });
    // Without such a mark the routes may have changed since it left, which says nothing of a firewall.
    let mark = given?;
    Some(format!(
        "it left by {left_by}, where the routes do not lead it: a firewall gives it the mark {mark}, by \
         which they do"
    ))
}
