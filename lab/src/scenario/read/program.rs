//! `[program.NAME]`

use super::{Lab, ready};
use crate::scenario::model::{
    HostName, Program, ProgramName, Resolver, TunnelRole, resolver_programs,
};
use crate::scenario::syntax::{Node, Word};

const KEYS: &[&str] = &["on", "command", "ready", "tun", "may-end"];

/// Reads all programs.
pub(crate) fn programs(node: Node<'_>, lab: &mut Lab) {
    for (name, node) in node.entries() {
        name.check_label("program");
        if ["tunnel", "routes"].contains(&name.text)
            || TunnelRole::ALL.iter().any(|role| role.name() == name.text)
        {
            let wrong = name.wrong(format!("`{}` means the lab's own in steps", name.text));
            name.add(wrong.label("choose another name"));
            continue;
        }
        if lab.programs.contains_key(&ProgramName::new(name.text)) {
            let wrong = name.wrong(format!("`{}` is the resolver of a host", name.text));
            name.add(wrong.label("choose another name"));
            continue;
        }
        let program = read(name, node, lab).unwrap_or_else(placeholder);
        lab.programs.insert(ProgramName::new(name.text), program);
    }
}

/// Adds the programs of those hosts that have a resolver of their own.
pub(crate) fn resolvers(lab: &mut Lab) {
    let hosts = lab.hosts.iter();
    let hosts = hosts.filter(|(_, host)| host.resolver == Resolver::SystemdResolved);
    let programs = hosts.flat_map(|(host, _)| resolver_programs(host));
    lab.programs.extend(programs.collect::<Vec<_>>());
}

/// Stands for a broken program, so that steps may name it.
fn placeholder() -> Program {
    Program {
        on: HostName::new(""),
        command: Vec::new(),
        ready: ready::started(),
        may_end: false,
    }
}

fn read(name: Word<'_>, node: Node<'_>, lab: &mut Lab) -> Option<Program> {
    let table = node.table(format!("program `{}`", name.text), KEYS)?;
    let on = table
        .need("on", "\"laptop\"")
        .and_then(Node::word)
        .and_then(|word| lab.host(word));
    let command = table.need("command", "[\"openvpn\", \"--config\", \"c.ovpn\"]");
    let command = command.and_then(Node::command);
    let tun = table
        .get("tun")
        .and_then(Node::word)
        .and_then(|word| word.link_name());
    let ready = match table.get("ready") {
        Some(node) => ready::ready(node, tun),
        None => Some(ready::started()),
    };
    let may_end = table.get("may-end").map_or(Some(false), Node::flag);
    let on = on?;
    if let Some(tun) = tun {
        lab.add_tun(&on, &tun);
    }
    Some(Program {
        on,
        command: command?,
        ready: ready?,
        may_end: may_end?,
    })
}
