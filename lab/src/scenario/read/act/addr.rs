//! `addr`

use fps_netlink::{Lifetimes, LinkName};
use ipnet::IpNet;

use crate::scenario::model::{AddressChange, HostName, RouteAction};
use crate::scenario::read::{Lab, Plug, link::metric, net};
use crate::scenario::syntax::{Node, Table, optional};

/// Reads an address that comes or goes.
pub(crate) fn change(node: Node<'_>, lab: &mut Lab) -> Option<AddressChange> {
    let keys = [
        "on",
        "link",
        "action",
        "ip",
        "valid",
        "preferred",
        "metric",
        "prefix-route",
    ];
    let table = node.table("`addr`", &keys)?;
    let on = super::on(&table, lab);
    let link = table.need("link", "\"wlan0\"").and_then(Node::word);
    let action = super::kernel::action(&table);
    let ip = table.need("ip", "\"192.168.188.20\"");
    let (on, action) = (on?, action?);
    let link = lab.interface(&on, link?)?;
    let ip = ip?;
    let address = address(ip, &on, &link, lab)?;
    let lifetimes = lifetimes(&table, action)?;
    let metric = optional(table.get("metric"), metric);
    let prefix_route = optional(table.get("prefix-route"), Node::flag);
    let (metric, prefix_route) = (metric?, prefix_route?);
    match action {
        RouteAction::Delete => lab.plugs.remove(&on, &link, address.addr()),
        RouteAction::Add => {
            lab.plugs.remove(&on, &link, address.addr());
            lab.plugs.add(Plug {
                host: on.clone(),
                link,
                net: lab.cables.net(&on, &link).cloned(),
                address,
                span: ip.span,
            });
        }
    }
    Some(AddressChange {
        on,
        link,
        action,
        address,
        lifetimes,
        metric,
        bare: prefix_route == Some(false),
    })
}

/// An address with its own prefix length, or with that of the net that the link is in.
fn address(node: Node<'_>, on: &HostName, link: &LinkName, lab: &Lab) -> Option<IpNet> {
    let word = node.word()?;
    if word.text.contains('/') {
        return node.interface_address();
    }
    let ip = word.address()?;
    match lab.cables.net(on, link) {
        Some(net) => net::place(lab, net, ip, word),
        None if lab.doubtful_hosts.contains(on) => None,
        None => {
            let wrong = word.wrong(format!("`{link}` is in no net that gives a prefix length"));
            word.refuse(wrong.help(format!("write it, such as `{ip}/24`")))
        }
    }
}

fn lifetimes(table: &Table<'_>, action: RouteAction) -> Option<Option<Lifetimes>> {
    let valid = optional(table.get("valid"), Node::seconds);
    let preferred = optional(table.get("preferred"), Node::seconds);
    let (valid, preferred) = (valid?, preferred?);
    let word = table.key("valid").or_else(|| table.key("preferred"));
    if let Some(word) = word.filter(|_| action == RouteAction::Delete) {
        let wrong = word.wrong("what is deleted stands for no time");
        return word.refuse(wrong.help("leave it out, or write `action = \"add\"`"));
    }
    if let (Some(valid), Some(preferred)) = (valid, preferred)
        && preferred > valid
    {
        let node = table.get("preferred")?;
        let wrong = node.wrong("an address is not preferred for longer than it is valid");
        return node.refuse(match table.get("valid") {
            Some(valid) => wrong.other(valid.span, "for this long"),
            None => wrong,
        });
    }
    Some((valid.is_some() || preferred.is_some()).then(|| Lifetimes {
        valid,
        preferred: preferred.or(valid),
    }))
}
