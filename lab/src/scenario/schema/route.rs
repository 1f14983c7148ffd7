//! A route, as a host has it from the start and as a step adds it.

use schemars::JsonSchema;

use super::rule;
use super::text::{Address, LinkName, Metric, Protocol, Subnet, TableNumber};

/// A route that a host has from the start. It has `via`, `link` or both, or a `type`.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "kebab-case",
    deny_unknown_fields,
    transform = rule::at_least_one("via link type"),
    transform = rule::without("type", "via link"),
    transform = rule::needs("onlink", "via"),
    transform = rule::needs("onlink", "link")
)]
pub(super) struct Route {
    #[schemars(flatten)]
    way: Way,
}

/// Where a route leads.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(super) struct Way {
    /// The subnet that it is for: `"10.0.0.0/8"`; the default routes are `"0.0.0.0/0"` and `"::/0"`.
    to: Subnet,
    /// What becomes of packets in place of leaving, as ip-route(8) calls it: with it there is neither `via` nor `link`.
    #[schemars(rename = "type")]
    kind: Option<RouteType>,
    /// A gateway of the same family, in a subnet of the host: `"192.168.188.1"`.
    via: Option<Address>,
    /// A link of the host, or a TUN device: `"eth0"`.
    link: Option<LinkName>,
    /// Its metric; the kernel's where not given.
    metric: Option<Metric>,
    /// The number of its table; table main where not given.
    table: Option<TableNumber>,
    /// The source of sockets that have none: an address of the family of `to`.
    source: Option<Address>,
    /// Who is said to have set it; `"boot"` where not given.
    protocol: Option<Protocol>,
    /// Takes `via` for a neighbour on `link`, whatever the subnets are.
    #[schemars(extend("default" = false))]
    onlink: Option<bool>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
pub(super) enum RouteType {
    /// The sender is told that there is no way to the host.
    Unreachable,
    /// The sender is told that it is forbidden.
    Prohibit,
    /// Packets are lost without a word.
    Blackhole,
    /// This table knows no way, and the next rule is looked at.
    Throw,
}
