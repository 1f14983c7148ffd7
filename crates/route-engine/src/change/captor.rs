//! Other tunnels that take everything.

use fps_netlink::{Fwmark, RouteProtocol, Rule, TableId};

use crate::KernelState;

/// The rules that lead all ordinary packets of a host, those without a mark, to a table with a
/// default route: another full tunnel's.
pub(crate) fn captors<'a>(
    state: &'a KernelState,
    foreign: impl Fn(&Rule) -> bool + 'a,
) -> impl Iterator<Item = &'a Rule> {
    let captures = move |rule: &&Rule| {
        // The kernel's own lead to the machine's tables.
        rule.protocol != RouteProtocol::Kernel
            && foreign(rule)
            && takes_ordinary_packets(rule)
            && rule
                .table()
                .is_some_and(|table| has_default(state, rule, table))
    };
    state.rules.iter().filter(captures)
}

fn takes_ordinary_packets(rule: &Rule) -> bool {
    let chooses_by_more = rule.from.is_some()
        || rule.to.is_some()
        || rule.output.is_some()
        || rule.narrower
        || rule.suppress_prefix.is_some()
        || rule
            .input
            .as_ref()
            .is_some_and(|link| link.as_str() != "lo");
    let by_mark = rule.mark.is_none_or(|mark| mark.chooses(Fwmark(0)));
    !chooses_by_more && by_mark != rule.inverted
}

/// A default route, or its two halves, as some set them to leave the default route alone.
fn has_default(state: &KernelState, rule: &Rule, table: TableId) -> bool {
    let of = |length| {
        let mut routes = state.routes.iter();
        routes.any(|route| {
            let here = route.table == table && route.family() == rule.family;
            here && route.to.prefix_len() == length && !route.refuses()
        })
    };
    table != TableId::MAIN && (of(0) || of(1))
}
