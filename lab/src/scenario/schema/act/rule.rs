//! `rule`

use schemars::JsonSchema;

use super::Action;
use crate::scenario::schema::rule;
use crate::scenario::schema::text::{
    AnyTable, LinkName, MarkMask, Name, Port, PrefixLength, Priority, Protocol, Subnet, Users,
};
use crate::scenario::schema::words::Family;

/// `rule`: a rule of policy routing, as another program than the route engine sets it: `{ on = "laptop", priority = 5210, fwmark = "0x80000/0xff0000", table = 52 }`.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "kebab-case",
    deny_unknown_fields,
    transform = rule::exactly_one("table type"),
    transform = rule::at_most_one("fwmark except-fwmark")
)]
pub(super) struct RuleChange {
    /// The host: `"laptop"`.
    on: Name,
    /// Whether the rule comes or goes.
    #[schemars(extend("default" = "add"))]
    action: Option<Action>,
    /// Its priority, 1 to 32765. Without one the kernel puts it before all rules but that of table local, and deletes it wherever it is.
    priority: Option<Priority>,
    /// The table that is looked up: a number, `"main"` or `"default"`. It has this or `type`.
    table: Option<RuleTable>,
    /// What becomes of packets in place of a lookup. It has this or `table`.
    #[schemars(rename = "type")]
    kind: Option<RuleType>,
    /// Only packets with this mark, or with these bits of it: `"0x80000/0xff0000"`.
    fwmark: Option<MarkMask>,
    /// Only packets without this mark.
    except_fwmark: Option<MarkMask>,
    /// Only packets from this subnet: `"10.66.0.0/30"`.
    from: Option<Subnet>,
    /// Only packets to this subnet: `"10.0.0.0/8"`.
    to: Option<Subnet>,
    /// Only packets that came in by this link: `"lan"`.
    iif: Option<LinkName>,
    /// Only packets of sockets that are bound to this link: `"tun0"`.
    oif: Option<LinkName>,
    /// Only packets of this protocol.
    ipproto: Option<IpProtocol>,
    /// Only packets to this port.
    dport: Option<Port>,
    /// Only packets of these users: a number, or `"1000-1999"`.
    uid: Option<Users>,
    /// A route that it finds counts only if its prefix is longer, 0 to 128.
    suppress_prefix: Option<PrefixLength>,
    /// Who is said to have set it; `"boot"` where not given.
    protocol: Option<Protocol>,
    /// Its family; that of `from` and `to`, else both.
    ip: Option<Family>,
}

#[derive(JsonSchema)]
#[schemars(untagged, inline)]
enum RuleTable {
    Number(AnyTable),
    Name(TableName),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum TableName {
    /// Table 254, with the routes of the links.
    Main,
    /// Table 253, which is usually empty.
    Default,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum RuleType {
    /// The sender is told that there is no way.
    Unreachable,
    /// The sender is told that it is forbidden.
    Prohibit,
    /// Packets are lost without a word.
    Blackhole,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum IpProtocol {
    Tcp,
    Udp,
    Icmp,
}
