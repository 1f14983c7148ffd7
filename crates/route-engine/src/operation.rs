//! One change to the host.

use std::fmt;
use std::net::IpAddr;

use fps_netlink::{LinkName, TableId};
use ipnet::IpNet;

use crate::policy::everything;
use crate::{Bypass, Destination, DnsDomain, Mtu, PolicyRule, TunAddress, quote};

/// One change to the host's network. Its text is the command that does the same by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Gives a device an address, which it may have already.
    ReplaceAddress {
        /// The address.
        address: TunAddress,
        /// Its device.
        device: LinkName,
    },
    /// Takes an address from a device.
    DeleteAddress {
        /// The address.
        address: TunAddress,
        /// Its device.
        device: LinkName,
    },
    /// Sets the length of the largest packet that a device takes whole.
    SetMtu {
        /// The length.
        mtu: Mtu,
        /// The device.
        device: LinkName,
    },
    /// Sets a device up.
    SetUp {
        /// The device.
        device: LinkName,
    },
    /// Sets a device down, at which the kernel drops its routes.
    SetDown {
        /// The device.
        device: LinkName,
    },
    /// Routes a network, in place of our own route to it. Unlike the command it never takes the
    /// place of another program's.
    ReplaceRoute(PlannedRoute),
    /// Takes our own route to a network away. Unlike the command it leaves another program's
    /// alone: see [`FPS_ROUTE_PROTOCOL`](fps_netlink::FPS_ROUTE_PROTOCOL).
    DeleteRoute(PlannedRoute),
    /// Leads packets into a table.
    AddRule(PolicyRule),
    /// Leads them there no more. When applying it is only for those who type the commands: a rule
    /// that stands is left standing.
    DeleteRule(PolicyRule),
    /// Forgets cached routes, which the kernel does by itself at each change of a route or a rule
    /// (`rt_cache_flush` in net/ipv4/route.c, called from net/core/fib_rules.c).
    FlushCache,
    /// Sets the servers that systemd-resolved asks through a device.
    SetServers {
        /// The servers.
        servers: Vec<IpAddr>,
        /// The device.
        device: LinkName,
    },
    /// Sets the domains that it asks them for.
    SetDomains {
        /// The domains.
        domains: Vec<DnsDomain>,
        /// The device.
        device: LinkName,
    },
    /// Forgets both.
    RevertDns {
        /// The device.
        device: LinkName,
    },
}

/// A route of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedRoute {
    /// Its destination.
    pub to: Destination,
    /// Its gateway; a route into the tunnel has none.
    pub via: Option<IpAddr>,
    /// The device by which packets leave.
    pub device: LinkName,
    /// Its table.
    pub table: TableId,
}

impl PlannedRoute {
    /// A bypass in a table.
    pub(crate) fn bypass(bypass: &Bypass, table: TableId) -> Self {
        Self {
            to: bypass.to,
            via: Some(bypass.via),
            device: bypass.device,
            table,
        }
    }

    fn words(&self) -> Vec<String> {
        let mut words = vec![
            if self.table != TableId::MAIN && self.to.net().prefix_len() == 0 {
                "default".to_owned()
            } else {
                self.to.to_string()
            },
        ];
        if let Some(via) = self.via {
            words.extend(["via".to_owned(), via.to_string()]);
        }
        words.extend(["dev".to_owned(), self.device.to_string()]);
        if self.table != TableId::MAIN {
            words.extend(["table".to_owned(), self.table.to_string()]);
        }
        words
    }
}

impl Operation {
    /// What it does, in one word of its own.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ReplaceAddress { .. } => "replace-address",
            Self::DeleteAddress { .. } => "delete-address",
            Self::SetMtu { .. } => "set-mtu",
            Self::SetUp { .. } => "set-up",
            Self::SetDown { .. } => "set-down",
            Self::ReplaceRoute(_) => "replace-route",
            Self::DeleteRoute(_) => "delete-route",
            Self::AddRule(_) => "add-rule",
            Self::DeleteRule(_) => "delete-rule",
            Self::FlushCache => "flush-cache",
            Self::SetServers { .. } => "set-dns-servers",
            Self::SetDomains { .. } => "set-dns-domains",
            Self::RevertDns { .. } => "revert-dns",
        }
    }

    /// The equivalent command, word by word.
    pub fn words(&self) -> Vec<String> {
        match self {
            Self::ReplaceAddress { address, device } => {
                let verb = format!("addr replace {address} dev");
                ip(Some(address.net()), &verb, [device.to_string()])
            }
            Self::DeleteAddress { address, device } => {
                let verb = format!("addr del {address} dev");
                ip(Some(address.net()), &verb, [device.to_string()])
            }
            Self::SetMtu { mtu, device } => {
                let words = [device.to_string(), "mtu".to_owned(), mtu.to_string()];
                ip(None, "link set dev", words)
            }
            Self::SetUp { device } => {
                ip(None, "link set dev", [device.to_string(), "up".to_owned()])
            }
            Self::SetDown { device } => {
                let words = [device.to_string(), "down".to_owned()];
                ip(None, "link set dev", words)
            }
            Self::ReplaceRoute(route) => ip(Some(route.to.net()), "route replace", route.words()),
            Self::DeleteRoute(route) => ip(Some(route.to.net()), "route del", route.words()),
            Self::AddRule(rule) => ip(Some(everything(rule.family)), "rule add", rule.words()),
            Self::DeleteRule(rule) => ip(Some(everything(rule.family)), "rule del", rule.words()),
            Self::FlushCache => ip(None, "route flush cache", []),
            Self::SetServers { servers, device } => {
                resolvectl("dns", device, servers.iter().map(ToString::to_string))
            }
            Self::SetDomains { domains, device } => {
                resolvectl("domain", device, domains.iter().map(ToString::to_string))
            }
            Self::RevertDns { device } => resolvectl("revert", device, []),
        }
    }
}

impl fmt::Display for Operation {
    /// The command, each word quoted for bash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.words();
        let quoted: Vec<_> = words.iter().map(|word| quote(word)).collect();
        f.write_str(&quoted.join(" "))
    }
}

/// A command of iproute2, for the family of a network.
fn ip(net: Option<IpNet>, verb: &str, words: impl IntoIterator<Item = String>) -> Vec<String> {
    let command = match net {
        Some(IpNet::V6(_)) => "ip -6",
        Some(IpNet::V4(_)) | None => "ip",
    };
    let head = command.split(' ').chain(verb.split(' '));
    head.map(str::to_owned).chain(words).collect()
}

fn resolvectl(
    verb: &str,
    device: &LinkName,
    words: impl IntoIterator<Item = String>,
) -> Vec<String> {
    let head = ["resolvectl".to_owned(), verb.to_owned(), device.to_string()];
    head.into_iter().chain(words).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_name_is_quoted() {
        let operation = Operation::ReplaceRoute(PlannedRoute {
            to: "10.66.1.0/24".parse().unwrap(),
            via: None,
            device: LinkName::new("it's$0").unwrap(),
            table: TableId::MAIN,
        });
        assert_eq!(
            operation.to_string(),
            "ip route replace 10.66.1.0/24 dev it\\'s\\$0"
        );
    }
}
