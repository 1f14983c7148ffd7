//! `link` and `roam`

use fps_netlink::LinkName;

use crate::scenario::model::{HostName, LinkChange, LinkState, Roam};
use crate::scenario::read::{Lab, dhcp, link, net};
use crate::scenario::syntax::{Node, Table, Word};

const STATES: &[(&str, LinkState)] = &[
    ("up", LinkState::Up),
    ("down", LinkState::Down),
    ("plugged", LinkState::Plugged),
    ("unplugged", LinkState::Unplugged),
    ("deleted", LinkState::Deleted),
    ("recreated", LinkState::Recreated),
];

/// Reads a change of a link, and carries out what it does to names and addresses.
pub(crate) fn change(node: Node<'_>, lab: &mut Lab) -> Option<LinkChange> {
    let table = node.table("`link`", &["on", "link", "state", "rename"])?;
    let on = super::on(&table, lab);
    let word = table.need("link", "\"wlan0\"").and_then(Node::word);
    let state = state(&table);
    let (on, word, state) = (on?, word?, state?);
    let link = match state {
        // A TUN device goes up and down; all else its program does.
        LinkState::Up | LinkState::Down => lab.interface(&on, word)?,
        LinkState::Plugged | LinkState::Unplugged => lab.link(&on, word)?,
        LinkState::Deleted => {
            let link = lab.link(&on, word)?;
            let plugs = lab.plugs.take(&on, &link);
            lab.cables.delete(&on, &link, plugs);
            link
        }
        LinkState::Recreated => recreate(&on, word, lab)?,
        LinkState::Renamed(new) => {
            let link = lab.link(&on, word)?;
            check_free(&table, &on, &new, lab)?;
            lab.cables.rename(&on, &link, new);
            lab.plugs.rename(&on, &link, new);
            link
        }
    };
    Some(LinkChange { on, link, state })
}

/// The new state: `state`, or `rename`.
fn state(table: &Table<'_>) -> Option<LinkState> {
    match (table.get("state"), table.get("rename")) {
        (Some(state), None) => state.choice("state", STATES),
        (None, Some(name)) => name.word()?.link_name().map(LinkState::Renamed),
        (None, None) => {
            let wrong = table.wrong("`link` says neither `state` nor `rename`");
            table.refuse(wrong.help("add `state = \"down\"` or `rename = \"eth9\"`"))
        }
        (Some(_), Some(_)) => {
            let (state, rename) = (table.key("state")?, table.key("rename")?);
            let wrong = rename.wrong("an act changes a link's state or its name");
            let wrong = wrong.label("the second").other(state.span, "the first");
            rename.refuse(wrong.help("give each an act of its own"))
        }
    }
}

/// Refuses a name that another link of the host has, or comes back with.
fn check_free(table: &Table<'_>, on: &HostName, new: &LinkName, lab: &Lab) -> Option<()> {
    let taken = lab.cables.of(on).any(|cable| cable.name == *new)
        || lab.cables.is_deleted(on, new.as_str())
        || lab.is_tun(on, new.as_str());
    if !taken {
        return Some(());
    }
    let node = table.get("rename")?;
    node.refuse(node.wrong(format!("`{on}` has a link `{new}` already")))
}

fn recreate(on: &HostName, word: Word<'_>, lab: &mut Lab) -> Option<LinkName> {
    if !lab.cables.is_deleted(on, word.text) {
        let link = lab.link(on, word)?;
        let wrong = word.wrong(format!("`{link}` of `{on}` is there"));
        return word.refuse(wrong.label("only what was deleted is made again"));
    }
    let link = word.link_name()?;
    for plug in lab.cables.restore(on, &link) {
        lab.plugs.add(plug);
    }
    Some(link)
}

/// Reads a roam and moves the link's addresses.
pub(crate) fn roam(node: Node<'_>, lab: &mut Lab) -> Option<Roam> {
    let keys = [
        "on", "link", "to", "ip", "via", "metric", "renewal", "privacy",
    ];
    let table = node.table("`roam`", &keys)?;
    let on = super::on(&table, lab);
    let word = table.need("link", "\"wlan0\"").and_then(Node::word);
    let net = net::named(&table, "to", lab);
    let on = on?;
    let name = lab.link(&on, word?)?;
    lab.plugs.clear(&on, &name);
    lab.cables.plug(&on, &name, net.clone());
    let to = link::link(&table, net, &on, &name, lab);
    dhcp::check_wants(lab, node.problems);
    Some(Roam { on, link: name, to })
}
