//! One change to the host.

use std::fmt::{self, Display};

use fps_netlink::{Family, LinkName, Rule, RuleAction, protocol_name};
use ipnet::IpNet;

use self::Word::{Name, Plain};
use super::route::PlannedRoute;
use crate::execute::yes;
use crate::intent::everything;
use crate::{DnsDomain, DnsServer, Mtu, ResolverKind, TunAddress, quote};

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
    /// Routes a network once more, behind a route with the same metric: as of a LAN to which two
    /// interfaces lead.
    AppendRoute(PlannedRoute),
    /// Takes our own route to a network away. Unlike the command it leaves another program's
    /// alone: see [`FPS_ROUTE_PROTOCOL`](fps_netlink::FPS_ROUTE_PROTOCOL).
    DeleteRoute(PlannedRoute),
    /// Leads packets to a table.
    AddRule(Box<Rule>),
    /// Leads them there no more. When applying it is only for those who type the commands: a rule
    /// that stands is left standing.
    DeleteRule(Box<Rule>),
    /// Forgets cached routes, which the kernel does by itself at each change of a route or a rule
    /// (`rt_cache_flush` in net/ipv4/route.c, called from net/core/fib_rules.c).
    FlushCache,
    /// Sets the servers that are asked through a device.
    SetServers {
        /// The servers.
        servers: Vec<DnsServer>,
        /// The device.
        device: LinkName,
        /// The resolver.
        by: ResolverKind,
    },
    /// Sets the domains that they are asked for.
    SetDomains {
        /// The domains.
        domains: Vec<DnsDomain>,
        /// The device.
        device: LinkName,
        /// The resolver.
        by: ResolverKind,
    },
    /// Says whether they are asked for all other names as well.
    SetDefaultRoute {
        /// Whether they are.
        on: bool,
        /// The device.
        device: LinkName,
        /// The resolver.
        by: ResolverKind,
    },
    /// Forgets all of that.
    RevertDns {
        /// The device.
        device: LinkName,
        /// The resolver.
        by: ResolverKind,
    },
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
            Self::AppendRoute(_) => "append-route",
            Self::DeleteRoute(_) => "delete-route",
            Self::AddRule(_) => "add-rule",
            Self::DeleteRule(_) => "delete-rule",
            Self::FlushCache => "flush-cache",
            Self::SetServers { .. } => "set-dns-servers",
            Self::SetDomains { .. } => "set-dns-domains",
            Self::SetDefaultRoute { .. } => "set-dns-default-route",
            Self::RevertDns { .. } => "revert-dns",
        }
    }

    /// The resolver that it is for, if it is for one.
    pub fn resolver(&self) -> Option<ResolverKind> {
        match self {
            Self::SetServers { by, .. }
            | Self::SetDomains { by, .. }
            | Self::SetDefaultRoute { by, .. }
            | Self::RevertDns { by, .. } => Some(*by),
            _ => None,
        }
    }

    /// Whether it is for IPv6 alone.
    pub(crate) fn is_for_ipv6(&self) -> bool {
        match self {
            Self::ReplaceAddress { address, .. } | Self::DeleteAddress { address, .. } => {
                address.net().addr().is_ipv6()
            }
            Self::ReplaceRoute(route) | Self::AppendRoute(route) | Self::DeleteRoute(route) => {
                route.to.net().addr().is_ipv6()
            }
            Self::AddRule(rule) | Self::DeleteRule(rule) => rule.family == Family::V6,
            _ => false,
        }
    }

    /// The equivalent command, word by word.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        self.each_word(&mut |word| {
            words.push(match word {
                Plain(word) => word.to_string(),
                Name(word) => word.to_owned(),
            });
        });
        words
    }

    /// Gives the words of the command one after the other. A plan may have 100 000 lines, so none
    /// of them is kept.
    fn each_word(&self, put: &mut dyn FnMut(Word<'_>)) {
        match self {
            Self::ReplaceAddress { address, device } => {
                ip(put, Some(address.net()), &["addr", "replace"]);
                each(put, &[Plain(address), Plain(&"dev"), Name(device.as_str())]);
            }
            Self::DeleteAddress { address, device } => {
                ip(put, Some(address.net()), &["addr", "del"]);
                each(put, &[Plain(address), Plain(&"dev"), Name(device.as_str())]);
            }
            Self::SetMtu { mtu, device } => {
                link(put, *device);
                each(put, &[Plain(&"mtu"), Plain(mtu)]);
            }
            Self::SetUp { device } => {
                link(put, *device);
                put(Plain(&"up"));
            }
            Self::SetDown { device } => {
                link(put, *device);
                put(Plain(&"down"));
            }
            Self::ReplaceRoute(route) => self::route(put, "replace", route),
            Self::AppendRoute(route) => self::route(put, "append", route),
            Self::DeleteRoute(route) => self::route(put, "del", route),
            Self::AddRule(rule) => self::rule(put, "add", rule),
            Self::DeleteRule(rule) => self::rule(put, "del", rule),
            Self::FlushCache => ip(put, None, &["route", "flush", "cache"]),
            Self::SetServers {
                servers,
                device,
                by,
            } => {
                resolver(put, *by, "dns", *device);
                servers.iter().for_each(|server| put(Plain(server)));
                none(put, servers);
            }
            Self::SetDomains {
                domains,
                device,
                by,
            } => {
                resolver(put, *by, "domain", *device);
                domains.iter().for_each(|domain| put(Name(domain.as_str())));
                none(put, domains);
            }
            Self::SetDefaultRoute { on, device, by } => {
                resolver(put, *by, "default-route", *device);
                put(Plain(&yes(*on)));
            }
            Self::RevertDns { device, by } => resolver(put, *by, "revert", *device),
        }
    }
}

/// An empty word, which takes away what is there, where there are no values.
fn none<T>(put: &mut dyn FnMut(Word<'_>), values: &[T]) {
    if values.is_empty() {
        put(Name(""));
    }
}

/// A word of a command.
#[derive(Clone, Copy)]
pub(super) enum Word<'a> {
    /// A number, an address or a word of the command's own, of which the shell makes nothing else.
    Plain(&'a dyn Display),
    /// A name, which may have to be quoted.
    Name(&'a str),
}

impl Display for Operation {
    /// The command, each word quoted for bash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut outcome, mut first) = (Ok(()), true);
        self.each_word(&mut |word| {
            let between = if std::mem::take(&mut first) { "" } else { " " };
            let written = f.write_str(between).and_then(|()| match word {
                Plain(word) => word.fmt(f),
                Name(word) => f.write_str(&quote(word)),
            });
            outcome = outcome.and(written);
        });
        outcome
    }
}

fn each(put: &mut dyn FnMut(Word<'_>), words: &[Word<'_>]) {
    words.iter().for_each(|word| put(*word));
}

/// A command of iproute2, for the family of a network.
fn ip(put: &mut dyn FnMut(Word<'_>), net: Option<IpNet>, words: &[&str]) {
    put(Plain(&"ip"));
    if matches!(net, Some(IpNet::V6(_))) {
        put(Plain(&"-6"));
    }
    words.iter().for_each(|word| put(Plain(word)));
}

fn link(put: &mut dyn FnMut(Word<'_>), device: LinkName) {
    ip(put, None, &["link", "set", "dev"]);
    put(Name(device.as_str()));
}

fn resolver(put: &mut dyn FnMut(Word<'_>), by: ResolverKind, verb: &str, device: LinkName) {
    let command = by.command();
    each(put, &[Plain(&command), Plain(&verb), Name(device.as_str())]);
}

fn route(put: &mut dyn FnMut(Word<'_>), verb: &str, route: &PlannedRoute) {
    ip(put, Some(route.to.net()), &["route", verb]);
    route.each_word(put);
}

/// A rule that a [`FullTunnel`](crate::FullTunnel) has: by mark or by source, or all but a mark; or by
/// port, of its guard against leaks.
fn rule(put: &mut dyn FnMut(Word<'_>), verb: &str, rule: &Rule) {
    ip(
        put,
        Some(everything(rule.family)),
        &["rule", verb, "priority"],
    );
    put(Plain(&rule.priority));
    if rule.inverted {
        put(Plain(&"not"));
    }
    match rule.from {
        Some(net) => each(put, &[Plain(&"from"), Plain(&net)]),
        None if rule.inverted || (rule.mark.is_none() && rule.to.is_none()) => {
            each(put, &[Plain(&"from"), Plain(&"all")]);
        }
        None => {}
    }
    if let Some(net) = rule.to {
        each(put, &[Plain(&"to"), Plain(&net)]);
    }
    if let Some(mark) = rule.mark {
        each(put, &[Plain(&"fwmark"), Plain(&mark)]);
    }
    if let Some(device) = rule.output {
        each(put, &[Plain(&"oif"), Name(device.as_str())]);
    }
    if let Some(protocol) = rule.ip_protocol {
        each(put, &[Plain(&"ipproto"), Plain(&protocol_name(protocol))]);
    }
    if let Some(ports) = rule.ports {
        each(put, &[Plain(&"dport"), Plain(&ports)]);
    }
    match rule.action {
        RuleAction::Lookup(table) => each(put, &[Plain(&"table"), Plain(&table)]),
        RuleAction::Unreachable => put(Plain(&"unreachable")),
        RuleAction::Goto(priority) => each(put, &[Plain(&"goto"), Plain(&priority)]),
        RuleAction::Nop => put(Plain(&"nop")),
        // None of ours.
        RuleAction::Prohibit | RuleAction::Blackhole | RuleAction::Other => {}
    }
}

#[cfg(test)]
mod tests {
    use fps_netlink::TableId;

    use super::*;

    #[test]
    fn an_odd_name_is_quoted() {
        let device = LinkName::new("it's$0").unwrap();
        let to = "10.66.1.0/24".parse().unwrap();
        let operation = Operation::ReplaceRoute(PlannedRoute::into(device, to, TableId::MAIN));
        assert_eq!(
            operation.to_string(),
            "ip route replace 10.66.1.0/24 dev it\\'s\\$0"
        );
        assert_eq!(operation.words()[5], "it's$0");
    }
}
