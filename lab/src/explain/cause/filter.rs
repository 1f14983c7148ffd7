//! Reverse path filtering: an answer is dropped, since the way back to its sender leads by another
//! link (`__fib_validate_source` in net/ipv4/fib_frontend.c; tailscale#3310).

use std::net::IpAddr;

use fps_netlink::{Flow, Fwmark};
use indexmap::IndexMap;

use super::{Case, mark};

/// Reverse path filtering on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// `net.ipv4.conf.LINK.rp_filter` by link, `all` among them.
    pub modes: IndexMap<String, u8>,
    /// Whether marks count in its lookup (`src_valid_mark` of `all`).
    pub marks: bool,
}

impl Filter {
    /// The mode of a link: the greater of its own and that of `all`.
    fn of(&self, link: &str) -> u8 {
        let mode = |name: &str| self.modes.get(name).copied().unwrap_or(0);
        mode("all").max(mode(link))
    }
}

pub(super) fn cause(case: &Case<'_>) -> Option<String> {
    let (from, came_by) = case.stranded?;
    let filter = case.filter.as_ref().filter(|_| from.is_ipv4())?;
    let link = case.tables.name(came_by);
    let mode = filter.of(&link);
    if mode == 0 {
        return None;
    }
    let mark = if filter.marks {
        case.flow.mark
    } else {
        Fwmark(0)
    };
    let way = case.tables.fib().lookup(&back(case, from, mark)).link();
    match way {
        Some(back) if back == came_by => None,
        Some(back) if mode == 1 => Some(format!(
            "reverse path filtering (rp_filter = 1 on {link}) drops what comes from {from}: the way \
             back leads by {}{}",
            case.tables.name(back),
            match marked_back(case, filter) {
                true => ", looked up without the mark (src_valid_mark = 0)",
                false => "",
            }
        )),
        None => Some(format!(
            "reverse path filtering (rp_filter = {mode} on {link}) drops what comes from {from}: \
             there is no way back"
        )),
        Some(_) => None,
    }
}

/// The question that the kernel asks: from where the packet is to go, to where it comes from, as the user
/// of what comes in.
fn back(case: &Case<'_>, from: IpAddr, mark: Fwmark) -> Flow {
    Flow {
        user: case.flow.user,
        ..Flow::to(from).sent_from(case.flow.to).marked(mark)
    }
}

/// Whether a mark of the rules here would lead back by the link that it came by, and does not count.
fn marked_back(case: &Case<'_>, filter: &Filter) -> bool {
    let Some((from, came_by)) = case.stranded else {
        return false;
    };
    let fib = case.tables.fib();
    let leads_back = |mark: Fwmark| fib.lookup(&back(case, from, mark)).link() == Some(came_by);
    let own = Some(case.flow.mark).filter(|mark| *mark != Fwmark(0));
    !filter.marks && mark::marks(case).into_iter().chain(own).any(leads_back)
}
