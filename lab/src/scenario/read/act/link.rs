//! `link` and `roam`

use crate::scenario::model::{LinkChange, LinkState, Roam};
use crate::scenario::read::{Lab, link, net};
use crate::scenario::syntax::Node;

const STATES: &[(&str, LinkState)] = &[
    ("up", LinkState::Up),
    ("down", LinkState::Down),
    ("plugged", LinkState::Plugged),
    ("unplugged", LinkState::Unplugged),
];

/// Reads a change of a link's state.
pub(crate) fn change(node: Node<'_>, lab: &Lab) -> Option<LinkChange> {
    let table = node.table("`link`", &["on", "link", "state"])?;
    let on = super::on(&table, lab);
    let word = table.need("link", "\"wlan0\"").and_then(Node::word);
    let state = table
        .need("state", "\"down\"")
        .and_then(|node| node.choice("state", STATES));
    let (on, word) = (on?, word?);
    // A TUN device goes up and down but has no cable.
    let link = match state? {
        LinkState::Up | LinkState::Down => lab.interface(&on, word),
        LinkState::Plugged | LinkState::Unplugged => lab.link(&on, word),
    };
    Some(LinkChange {
        on,
        link: link?,
        state: state?,
    })
}

/// Reads a roam and moves the link's addresses.
pub(crate) fn roam(node: Node<'_>, lab: &mut Lab) -> Option<Roam> {
    let table = node.table("`roam`", &["on", "link", "to", "ip", "via", "metric"])?;
    let on = super::on(&table, lab);
    let word = table.need("link", "\"wlan0\"").and_then(Node::word);
    let net = net::named(&table, "to", lab);
    let on = on?;
    let name = lab.link(&on, word?)?;
    lab.plugs.clear(&on, &name);
    let to = link::link(&table, net, &on, &name, lab);
    Some(Roam { on, link: name, to })
}
