//! A mark that a rule looks for, and that the packet has not.

use std::collections::BTreeSet;

use fps_netlink::{Flow, Fwmark};

use super::Case;

pub(super) fn cause(case: &Case<'_>) -> Option<String> {
    let now = case.link();
    let right = |link: Option<&fps_netlink::Link>| match (&case.wanted, link) {
        (Some(wanted), Some(link)) => link.name == *wanted,
        // The carrier must leave by something that is no tunnel.
        (None, Some(link)) => case.is_carrier() && !case.is_tun(link),
        (_, None) => false,
    };
    if right(now) {
        return None;
    }
    let fib = case.tables.fib();
    let cure = marks(case).into_iter().find(|mark| {
        let flow = Flow {
            mark: *mark,
            ..case.flow
        };
        let link = fib.lookup(&flow).link();
        right(link.and_then(|index| case.tables.link(index)))
    })?;
    let flow = Flow {
        mark: cure,
        ..case.flow
    };
    let link = fib
        .lookup(&flow)
        .link()
        .map(|index| case.tables.name(index))?;
    let whose = if case.is_carrier() {
        "the carrier's socket"
    } else {
        "the socket"
    };
    Some(match (case.flow.mark, cure) {
        (Fwmark(0), cure) => format!(
            "{whose} carries no mark: with {cure}, for which there is a rule, it would leave by {link}"
        ),
        (mark, Fwmark(0)) => {
            format!("{whose} carries the mark {mark}: without one it would leave by {link}")
        }
        (mark, cure) => format!(
            "{whose} carries the mark {mark}, and the rules here are for {cure}, with which it would \
             leave by {link}"
        ),
    })
}

/// The marks that rules of this host are about, and none. Of a packet that is not the carrier's not
/// those that keep packets out of a tunnel.
pub(super) fn marks(case: &Case<'_>) -> BTreeSet<Fwmark> {
    let carrier = case.is_carrier();
    let own = case.tunnel.as_ref().and_then(|tunnel| tunnel.mark);
    let rules = case
        .tables
        .rules
        .iter()
        .filter(|rule| carrier || !rule.inverted);
    let marks = rules.filter_map(|rule| rule.mark).map(|mark| mark.mark);
    let marks = marks.filter(|mark| carrier || Some(*mark) != own);
    let all = marks.chain([Fwmark(0)]);
    all.filter(|mark| *mark != case.flow.mark).collect()
}
