//! Where a host would have sent a packet, and why: from the dump alone.

use std::collections::HashSet;

use fps_netlink::{Family, IfIndex, LinkName};
use indexmap::IndexMap;

use super::Dump;
use crate::explain::{Case, Filter, Firewall, Query, Tables, Tunnel, Walk, likely, way};

/// How many causes are told.
const CAUSES: usize = 3;

impl Dump {
    /// How the host decides about a packet, what is likely the cause where it should leave by another link,
    /// and the way that it takes. The kernel is not asked.
    pub fn explain(
        &self,
        host: &str,
        query: &Query,
        wanted: Option<LinkName>,
    ) -> Result<Vec<String>, String> {
        let tables = self.tables(Family::of(query.to));
        let flow = query.flow(&tables)?;
        if let Some(name) = wanted.filter(|name| tables.named(name).is_none()) {
            return Err(format!("there is no link {name}"));
        }
        let stranded = flow.from.zip(flow.came_in);
        let tunnels = self.links.iter().filter(|link| link.is_tunnel());
        let tuns: Vec<LinkName> = tunnels.map(super::HostLink::name).collect();
        let case = Case {
            host: host.to_owned(),
            tables: &tables,
            flow,
            wanted,
            left_by: None,
            plugged: self.plugged(&tuns),
            tunnel: Some(Tunnel {
                tuns,
                endpoint: None,
                mark: None,
            }),
            stranded,
            fate: None,
            forwards_not: stranded.and_then(|(from, link)| self.forwards_not(from.is_ipv4(), link)),
            mute: None,
            firewall: Firewall::default(),
            filter: stranded.map(|(_, link)| self.filter(&tables, link)),
            too_big: None,
            claims: None,
        };
        let mut lines: Vec<String> = Walk::of(host, &tables, &flow).lines().collect();
        let causes = likely(&case).into_iter().take(CAUSES);
        lines.extend(causes.map(|cause| format!("likely: {cause}")));
        lines.extend(way(&tables, &flow, self.source(&tables, &flow)));
        Ok(lines)
    }

    fn plugged(&self, tuns: &[LinkName]) -> HashSet<IfIndex> {
        let links = self.links.iter();
        let links = links.filter(|link| !link.loopback && !tuns.contains(&link.name()));
        links.map(|link| link.link.index).collect()
    }

    fn sysctl(&self, key: &str) -> Option<u8> {
        self.sysctls.get(key)?.parse().ok()
    }

    fn forwards_not(&self, v4: bool, link: IfIndex) -> Option<String> {
        let name = self.link(link)?.name().as_str().replace('.', "/");
        let key = match v4 {
            true => format!("net.ipv4.conf.{name}.forwarding"),
            false => "net.ipv6.conf.all.forwarding".to_owned(),
        };
        (self.sysctl(&key) == Some(0)).then_some(key)
    }

    fn filter(&self, tables: &Tables, link: IfIndex) -> Filter {
        let mut modes = IndexMap::new();
        for name in ["all".to_owned(), tables.name(link)] {
            let key = format!("net.ipv4.conf.{}.rp_filter", name.replace('.', "/"));
            modes.insert(name, self.sysctl(&key).unwrap_or(0));
        }
        let marks = self.sysctl("net.ipv4.conf.all.src_valid_mark") == Some(1);
        Filter { modes, marks }
    }
}
