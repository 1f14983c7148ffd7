//! `[net.NAME]`

use schemars::JsonSchema;

use super::many::OneOrMany;
use super::rule;
use super::text::{Address, Subnet4, Subnet6};

/// An L2 segment: a bridge that every link in it is a port of. It has `v4`, `v6` or both.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, transform = rule::at_least_one("v4 v6"))]
pub(super) struct Net {
    /// Its IPv4 subnet: `"192.168.188.0/24"`.
    v4: Option<Subnet4>,
    /// Its IPv6 subnet: `"fd00:188::/64"`.
    v6: Option<Subnet6>,
    /// One or many name servers that every host in it is given, as if by DHCP: `"192.168.188.1"`.
    name_servers: Option<OneOrMany<Address>>,
    /// `true` lets its subnets overlap those of other nets.
    #[schemars(extend("default" = false))]
    may_overlap: Option<bool>,
}
