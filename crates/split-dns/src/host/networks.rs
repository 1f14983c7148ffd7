//! On which networks a host is.

use std::collections::{BTreeSet, HashSet};
use std::fmt;

use fps_netlink::{
    Bulk, Error, Event, Events, Family, Group, LinkName, Netlink, RouteFilter, TableId,
};
use nix::errno::Errno;
use serde::{Deserialize, Serialize};

/// The networks by which a host has a default route, each as `wlan0 192.168.188.0/24`. Bridges of
/// containers and the like are not among them: they are the same wherever the host is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Networks(BTreeSet<String>);

impl Networks {
    /// How many there are in both.
    pub fn common(&self, other: &Self) -> usize {
        self.0.intersection(&other.0).count()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<_> = self.0.iter().map(String::as_str).collect();
        f.write_str(match &all[..] {
            [] => "none",
            _ => return f.write_str(&all.join(", ")),
        })
    }
}

impl FromIterator<String> for Networks {
    fn from_iter<I: IntoIterator<Item = String>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

/// Asks the kernel for them; links that are the tunnel's do not count.
pub async fn current(tunnels: &[LinkName]) -> Result<Networks, Error> {
    let (netlink, bulk) = (Netlink::open()?, Bulk::open()?);
    netlink.settle().await?;
    let links = netlink.links().await?;
    let mut leading = HashSet::new();
    for family in Family::BOTH {
        let table = Some(TableId::MAIN);
        let routes = match bulk.routes(RouteFilter { family, table }) {
            // A kernel without IPv6.
            Err(error) if error.errno() == Some(Errno::EAFNOSUPPORT) => continue,
            routes => routes?,
        };
        let defaults = routes.iter().filter(|route| route.to.prefix_len() == 0);
        leading.extend(defaults.filter_map(|route| route.link));
    }
    let mut all = BTreeSet::new();
    for address in netlink.addresses(None).await? {
        let link = links.iter().find(|link| link.index == address.link);
        let Some(link) = link.filter(|link| !tunnels.contains(&link.name)) else {
            continue;
        };
        if leading.contains(&link.index) && !address.automatic {
            all.insert(format!("{} {}", link.name, address.net.trunc()));
        }
    }
    Ok(Networks(all))
}

/// Tells when they may have changed.
pub(super) struct Moves(Events);

impl Moves {
    /// From now on.
    pub(super) fn follow() -> Result<Self, Error> {
        let groups = [
            Group::Link,
            Group::AddressV4,
            Group::AddressV6,
            Group::RouteV4,
            Group::RouteV6,
        ];
        Events::subscribe(&groups).map(Self)
    }

    /// Waits for the next time.
    pub(super) async fn next(&mut self) -> Result<(), Error> {
        loop {
            match self.0.next().await? {
                Event::Address(_) | Event::AddressGone(_) | Event::Overrun => return Ok(()),
                // The IPv4 routes of a link that is set down go without events (`fib_disable_ip` in
                // net/ipv4/fib_frontend.c), and its addresses stay.
                Event::LinkGone(_) => return Ok(()),
                Event::Link(link) if !link.up => return Ok(()),
                Event::Route(route) | Event::RouteGone(route) if route.to.prefix_len() == 0 => {
                    return Ok(());
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fps_netlink::{Address, Route};
    use fps_netns::testing::with_namespaces;

    use super::*;

    #[test]
    fn a_link_that_is_set_down_is_heard_without_ipv6_too() {
        let test = "host::networks::tests::a_link_that_is_set_down_is_heard_without_ipv6_too";
        with_namespaces(test, async || {
            let netlink = Netlink::open().unwrap();
            let name = "lan0".parse().unwrap();
            netlink.create_bridge(&name).await.unwrap();
            let link = netlink.link(&name).await.unwrap().unwrap().index;
            std::fs::write("/proc/sys/net/ipv6/conf/lan0/disable_ipv6", "1").unwrap();
            netlink.set_up(link).await.unwrap();
            let address = Address::new(link, "192.0.2.2/24".parse().unwrap());
            netlink.add_address(&address).await.unwrap();
            let default = Route::new("0.0.0.0/0".parse().unwrap());
            let default = default.via("192.0.2.1".parse().unwrap());
            netlink.add_route(&default).await.unwrap();
            let home = networks(&["lan0 192.0.2.0/24"]);
            assert_eq!(current(&[]).await.unwrap(), home);
            let mut moves = Moves::follow().unwrap();
            netlink.set_down(link).await.unwrap();
            let told = tokio::time::timeout(Duration::from_secs(10), moves.next()).await;
            told.expect("nothing is told").unwrap();
            assert_eq!(current(&[]).await.unwrap(), Networks::default());
        });
    }

    fn networks(all: &[&str]) -> Networks {
        all.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn are_alike_as_far_as_they_have_networks_in_common() {
        let home = networks(&["wlan0 192.168.188.0/24"]);
        let later = networks(&["wlan0 192.168.188.0/24", "wlan0 2001:db8::/64"]);
        assert_eq!(home.common(&later), 1);
        assert_eq!(later.common(&later), 2);
        assert_eq!(home.common(&networks(&["wlan0 10.9.0.0/24"])), 0);
        assert_eq!(
            later.to_string(),
            "wlan0 192.168.188.0/24, wlan0 2001:db8::/64"
        );
        assert_eq!(Networks::default().to_string(), "none");
    }
}
