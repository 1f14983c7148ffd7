//! `[program.NAME]`

use std::time::Duration;

use super::Lab;
use crate::scenario::model::{
    HostName, Program, ProgramName, Ready, ReadyWhen, Resolver, TunnelRole, resolver_programs,
};
use crate::scenario::syntax::{Node, Word};

const KEYS: &[&str] = &["on", "command", "ready", "tun", "may-end"];

/// How long a program or a command may take where the file does not say.
pub(crate) const DEFAULT_WITHIN: Duration = Duration::from_secs(10);

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
    let ready = Ready {
        when: ReadyWhen::Started,
        within: DEFAULT_WITHIN,
    };
    Program {
        on: HostName::new(""),
        command: Vec::new(),
        ready,
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
    let ready = table.get("ready").map_or(Some(placeholder().ready), ready);
    let tun = table
        .get("tun")
        .and_then(Node::word)
        .and_then(|word| word.link_name());
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

fn ready(node: Node<'_>) -> Option<Ready> {
    let table = node.table("`ready`", &["output", "within"])?;
    let within = match table.get("within") {
        Some(node) => node.duration(),
        None => Some(DEFAULT_WITHIN),
    };
    let when = match table.get("output") {
        Some(node) => node.text().map(ReadyWhen::Output),
        None => Some(ReadyWhen::Started),
    };
    Some(Ready {
        when: when?,
        within: within?,
    })
}
