//! Where a packet was seen: the hops of an expectation's evidence, and its other lines.

use crate::draw;
use crate::report::{Expectation, Hop, Way};

/// In words.
pub(super) fn way(hop: &Hop) -> &'static str {
    match hop.way {
        Way::In => "in",
        Way::Out => "out",
        Way::PassingBy => "passing by",
    }
}

/// The hop as the picture has it; none of a packet that was not for the host.
pub(super) fn drawn(hop: &Hop) -> Option<draw::Hop<'_>> {
    let way = match hop.way {
        Way::In => draw::Way::In,
        Way::Out => draw::Way::Out,
        Way::PassingBy => return None,
    };
    Some(draw::Hop {
        host: &hop.host,
        link: &hop.link,
        way,
    })
}

/// The lines that show no hop.
pub(super) fn other_lines(it: &Expectation) -> Vec<&str> {
    let lines = it.evidence.iter().enumerate();
    let others = lines.filter(|(line, _)| !it.hops.iter().any(|hop| hop.line == *line));
    others.map(|(_, text)| text.as_str()).collect()
}
