//! Objects with all that the kernel tells of them, for those who compare one state with another.
//!
//! [`crate::Link`], [`crate::Address`], [`crate::Route`] and [`crate::Rule`] hold what routing is
//! about; these messages hold the rest as well.

pub use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
pub use netlink_packet_route::link::{
    InfoData, LinkAttribute, LinkFlags, LinkInfo, LinkMessage, Prop,
};
pub use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteMetric, RouteNextHop,
    RouteNextHopFlags, RouteType,
};
pub use netlink_packet_route::rule::{
    RuleAction, RuleAttribute, RuleFlags, RuleMessage, RulePortRange,
};
pub use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use crate::error::Result;
use crate::{Family, Netlink, RouteFilter};

impl Netlink {
    /// `ip -d link show`.
    pub async fn whole_links(&self) -> Result<Vec<LinkMessage>> {
        let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
        let answers = self.dump(|| "ip -d link show".to_owned(), request).await?;
        let links = answers.into_iter().filter_map(|answer| match answer {
            RouteNetlinkMessage::NewLink(link) => Some(link),
            _ => None,
        });
        Ok(links.collect())
    }

    /// `ip -d addr show`.
    pub async fn whole_addresses(&self) -> Result<Vec<AddressMessage>> {
        let request = RouteNetlinkMessage::GetAddress(AddressMessage::default());
        let answers = self.dump(|| "ip -d addr show".to_owned(), request).await?;
        let addresses = answers.into_iter().filter_map(|answer| match answer {
            RouteNetlinkMessage::NewAddress(address) => Some(address),
            _ => None,
        });
        Ok(addresses.collect())
    }

    /// `ip -d route show table all`, or that of IPv6.
    pub async fn whole_routes(&self, family: Family) -> Result<Vec<RouteMessage>> {
        let filter = RouteFilter {
            family,
            table: None,
        };
        let answers = self.dump(|| filter.to_string(), filter.message()).await?;
        let routes = answers.into_iter().filter_map(|answer| match answer {
            RouteNetlinkMessage::NewRoute(route) => Some(route),
            _ => None,
        });
        Ok(routes.collect())
    }

    /// `ip -d rule show`, or that of IPv6.
    pub async fn whole_rules(&self, family: Family) -> Result<Vec<RuleMessage>> {
        let mut message = RuleMessage::default();
        message.header.family = family.number();
        let request = RouteNetlinkMessage::GetRule(message);
        let answers = self.dump(|| "ip -d rule show".to_owned(), request).await?;
        let rules = answers.into_iter().filter_map(|answer| match answer {
            RouteNetlinkMessage::NewRule(rule) => Some(rule),
            _ => None,
        });
        Ok(rules.collect())
    }
}
