//! Changes as the kernel tells them, one after the other.

use std::collections::HashMap;
use std::fmt;

use fps_netlink::whole::{LinkMessage, RouteNetlinkMessage};
use fps_netlink::{Notice, Port};

use super::entry::Entry;
use super::names::Names;
use super::{addresses, links, routes, rules};
use crate::scenario::{ChangeVerb, ObjectKind};

/// Something that was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// What was done with it.
    pub verb: ChangeVerb,
    /// What kind of object it is.
    pub kind: ObjectKind,
    /// The object.
    pub entry: Entry,
}

/// Makes changes of what the kernel tells.
///
/// Left out is what the kernel does by itself, such as the route that comes with an address. Addresses
/// of IPv6 are such: it tells of one when it has looked for duplicates, and never who has asked for it.
/// Of links it tells a lot that nobody has done; a change is what sets them up or down, or gives them
/// another MTU or name.
pub struct Reader {
    names: Names,
    links: HashMap<u32, Entry>,
}

impl Reader {
    /// A reader that knows these links.
    pub fn new(links: &[LinkMessage]) -> Self {
        let names = Names::of(links);
        let known = links
            .iter()
            .map(|link| (link.header.index, about(link, &names)));
        let links = known.collect();
        Self { names, links }
    }

    /// What a notice tells; none where it is no change by a program.
    pub fn read(&mut self, notice: &Notice) -> Option<Happened> {
        let by_program = notice.asked_by != Port(0);
        let new = match notice {
            Notice { replaces: true, .. } => ChangeVerb::Replace,
            Notice { appends: true, .. } => ChangeVerb::Append,
            _ => ChangeVerb::Add,
        };
        let names = &self.names;
        let (verb, kind, entry) = match &notice.message {
            RouteNetlinkMessage::NewLink(link) => return self.link(link),
            RouteNetlinkMessage::DelLink(link) => {
                let gone = self.links.remove(&link.header.index)?;
                return Some(Happened {
                    verb: ChangeVerb::Delete,
                    kind: ObjectKind::Link,
                    entry: gone,
                });
            }
            RouteNetlinkMessage::NewRoute(route) => {
                (new, ObjectKind::Route, routes::entry(route, names))
            }
            RouteNetlinkMessage::DelRoute(route) => {
                let entry = routes::entry(route, names);
                (ChangeVerb::Delete, ObjectKind::Route, entry)
            }
            RouteNetlinkMessage::NewRule(rule) => {
                (ChangeVerb::Add, ObjectKind::Rule, rules::entry(rule))
            }
            RouteNetlinkMessage::DelRule(rule) => {
                (ChangeVerb::Delete, ObjectKind::Rule, rules::entry(rule))
            }
            RouteNetlinkMessage::NewAddress(address) => {
                let entry = addresses::entry(address, names);
                (ChangeVerb::Add, ObjectKind::Address, entry)
            }
            RouteNetlinkMessage::DelAddress(address) => {
                let entry = addresses::entry(address, names);
                (ChangeVerb::Delete, ObjectKind::Address, entry)
            }
            _ => return None,
        };
        by_program.then_some(Happened { verb, kind, entry })
    }

    fn link(&mut self, link: &LinkMessage) -> Option<Happened> {
        self.names.learn(link);
        let entry = about(link, &self.names);
        let before = self.links.insert(link.header.index, entry.clone());
        let verb = match &before {
            None => ChangeVerb::Add,
            Some(before) if *before != entry => ChangeVerb::Set,
            Some(_) => return None,
        };
        let kind = ObjectKind::Link;
        Some(Happened { verb, kind, entry })
    }
}

/// The part of a link that somebody sets.
fn about(link: &LinkMessage, names: &Names) -> Entry {
    let whole = links::entry(link, names);
    let mut entry = Entry::default();
    for word in ["dev", "state", "mtu"] {
        entry.set_some(word, whole.get(word));
    }
    entry
}

impl fmt::Display for Happened {
    /// As a scenario has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, kind, entry } = self;
        write!(f, "{verb} {kind}")?;
        if entry.get("-6").is_some() {
            f.write_str(" -6")?;
        }
        if let Some(kind) = entry.get("type").filter(|_| *kind == ObjectKind::Route) {
            write!(f, " {kind}")?;
        }
        for (word, value) in entry.iter() {
            match (word, value) {
                // What a line of a scenario has no word for.
                ("-4" | "-6" | "type" | "other", _) => {}
                ("permanent" | "managetempaddr" | "homeaddress" | "mcautojoin", "") => {}
                ("priority", value) => write!(f, " {value}:")?,
                ("to", "0.0.0.0/0") => f.write_str(" default")?,
                ("to", "::/0") => f.write_str(" -6 default")?,
                ("to", value) if *kind == ObjectKind::Route => write!(f, " {value}")?,
                ("inet" | "inet6" | "action" | "state", value) => write!(f, " {value}")?,
                ("dev", value) if *kind == ObjectKind::Link => write!(f, " {value}")?,
                (word, "") => write!(f, " {word}")?,
                (word, value) => write!(f, " {word} {value}")?,
            }
        }
        Ok(())
    }
}
