//! What the kernel of a host goes by when it routes.

use fps_netlink::{
    Address, Family, Fib, IfIndex, Link, LinkName, Netlink, Result, Route, RouteFilter, Rule,
};

/// The rules, routes, links and addresses of a host at one moment, of one family.
#[derive(Clone, Debug)]
pub struct Tables {
    /// The family.
    pub family: Family,
    /// Its rules, in the order of their turns.
    pub rules: Vec<Rule>,
    /// The routes of all tables.
    pub routes: Vec<Route>,
    /// The links.
    pub links: Vec<Link>,
    /// The addresses, of both families.
    pub addresses: Vec<Address>,
}

impl Tables {
    /// Reads them. They are five dumps, between which something may change.
    pub async fn read(netlink: &Netlink, family: Family) -> Result<Self> {
        let all = RouteFilter {
            family,
            table: None,
        };
        Ok(Self {
            family,
            rules: netlink.rules(family).await?,
            routes: netlink.routes(all).await?,
            links: netlink.links().await?,
            addresses: netlink.addresses(None).await?,
        })
    }

    /// To look in.
    pub fn fib(&self) -> Fib<'_> {
        Fib {
            rules: &self.rules,
            routes: &self.routes,
            links: &self.links,
        }
    }

    /// A link by its index.
    pub fn link(&self, index: IfIndex) -> Option<&Link> {
        self.links.iter().find(|link| link.index == index)
    }

    /// A link by its name.
    pub fn named(&self, name: &LinkName) -> Option<&Link> {
        self.links.iter().find(|link| link.name == *name)
    }

    /// A link's name, or its index where it has gone.
    pub fn name(&self, index: IfIndex) -> String {
        self.link(index)
            .map_or_else(|| format!("(index {index})"), |link| link.name.to_string())
    }
}
