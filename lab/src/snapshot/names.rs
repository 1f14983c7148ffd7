//! Names in place of numbers.

use std::collections::HashMap;

use fps_netlink::whole::{LinkAttribute, LinkMessage};

/// The names of a host's interfaces by their indexes.
pub(super) struct Names(HashMap<u32, String>);

impl Names {
    pub(super) fn of(links: &[LinkMessage]) -> Self {
        let named = links.iter().filter_map(|link| {
            let name = link
                .attributes
                .iter()
                .find_map(|attribute| match attribute {
                    LinkAttribute::IfName(name) => Some(name.clone()),
                    _ => None,
                });
            Some((link.header.index, name?))
        });
        Self(named.collect())
    }

    /// Learns what one interface is called now.
    pub(super) fn learn(&mut self, link: &LinkMessage) {
        self.0.extend(Self::of(std::slice::from_ref(link)).0);
    }

    /// The name of an interface; of one of another namespace, or that has gone, its number.
    pub(super) fn of_index(&self, index: u32) -> String {
        let name = self.0.get(&index).cloned();
        name.unwrap_or_else(|| format!("if{index}"))
    }
}

/// A routing table as ip(8) calls it (rt_tables).
pub(super) fn table(number: u32) -> String {
    match number {
        253 => "default".to_owned(),
        254 => "main".to_owned(),
        255 => "local".to_owned(),
        number => number.to_string(),
    }
}

/// How far an address or a destination is, as ip(8) calls it (rt_scopes).
pub(super) fn scope(number: u8) -> String {
    match number {
        0 => "global".to_owned(),
        200 => "site".to_owned(),
        253 => "link".to_owned(),
        254 => "host".to_owned(),
        255 => "nowhere".to_owned(),
        number => number.to_string(),
    }
}
