//! `start`, `stop` and `kill`

use crate::scenario::model::{ProgramName, ProgramRef, Tunnel, TunnelRole};
use crate::scenario::read::Lab;
use crate::scenario::syntax::Node;

/// Reads the name of a program that is to start.
pub(crate) fn started(node: Node<'_>, lab: &Lab) -> Option<ProgramRef> {
    let word = node.word()?;
    if word.text == ROUTES {
        let wrong = word.wrong("the route engine is not started by name");
        return word.refuse(wrong.help("write `routes = { …, action = \"watch\" }`"));
    }
    find(node, lab, None)
}

/// The route engine, where it watches.
const ROUTES: &str = "routes";

/// Reads the name of a program that is to end.
pub(crate) fn named(node: Node<'_>, lab: &Lab) -> Option<ProgramRef> {
    let word = node.word()?;
    if word.text == ROUTES {
        return Some(ProgramRef::Routes);
    }
    find(node, lab, Some(ROUTES))
}

/// Reads the name of a program that is one process.
pub(crate) fn single(node: Node<'_>, lab: &Lab) -> Option<String> {
    match find(node, lab, None)? {
        ProgramRef::Role(role) => Some(role.name().to_owned()),
        ProgramRef::Named(name) => Some(name.to_string()),
        ProgramRef::Tunnel | ProgramRef::Routes => {
            let roles = roles(lab).iter().map(|role| format!("`{role}`"));
            let roles: Vec<String> = roles.collect();
            let count = if roles.len() == 4 { "four" } else { "two" };
            let wrong = node.wrong(format!("`tunnel` is {count} programs"));
            node.refuse(wrong.help(format!("name one of them: {}", roles.join(", "))))
        }
    }
}

/// The programs of the tunnel; all that could be, where it is broken.
fn roles(lab: &Lab) -> &'static [TunnelRole] {
    lab.tunnel.as_ref().map_or(&TunnelRole::ALL, Tunnel::roles)
}

/// Finds one of the programs that the file names; `other` is what could be meant as well.
fn find(node: Node<'_>, lab: &Lab, other: Option<&str>) -> Option<ProgramRef> {
    let word = node.word()?;
    let role = TunnelRole::ALL
        .into_iter()
        .find(|role| role.name() == word.text);
    if (role.is_some() || word.text == "tunnel") && !lab.has_tunnel {
        let wrong = word.wrong(format!(
            "`{}` is the tunnel's, and there is none",
            word.text
        ));
        return word.refuse(wrong.help("add [tunnel] with `client` and `server`"));
    }
    if word.text == "tunnel" {
        return Some(ProgramRef::Tunnel);
    }
    if let Some(role) = role {
        if roles(lab).contains(&role) {
            return Some(ProgramRef::Role(role));
        }
        let wrong = word.wrong(format!("there is no `{role}`: the tunnel is not FPS"));
        return word.refuse(wrong.help("another VPN has `server` and `client`"));
    }
    let name = ProgramName::new(word.text);
    if lab.programs.contains_key(&name) {
        return Some(ProgramRef::Named(name));
    }
    let roles = roles(lab).iter().map(|role| role.name());
    let roles = roles
        .chain(["tunnel"])
        .filter(|_| lab.has_tunnel)
        .chain(other);
    let names = lab.programs.keys().map(ProgramName::as_str).chain(roles);
    let wrong = word.wrong(format!("there is no program `{}`", word.text));
    word.refuse(wrong.meant(word.text, "programs", names))
}
