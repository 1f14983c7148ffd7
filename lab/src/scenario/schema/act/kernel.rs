//! `sysctl`, `route` and `nft`

use schemars::JsonSchema;

use super::Action;
use crate::scenario::schema::route::Way;
use crate::scenario::schema::rule;
use crate::scenario::schema::text::{Name, SysctlKey, Text, TextOrInteger};

/// `sysctl`: writes a sysctl of the host: `{ on = "laptop", key = "net.ipv4.conf.all.rp_filter", value = 1 }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Sysctl {
    /// The host: `"laptop"`.
    on: Name,
    /// Its key, below `net`: `"net.ipv4.conf.all.rp_filter"`.
    key: SysctlKey,
    /// Its value: a string or an integer.
    value: TextOrInteger,
}

/// `route`: a route that comes or goes: `{ on = "laptop", to = "10.0.0.0/8", via = "192.168.188.1" }`. `"delete"` needs only `to`.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "kebab-case",
    deny_unknown_fields,
    transform = rule::without("type", "via link"),
    transform = rule::needs("onlink", "via"),
    transform = rule::needs("onlink", "link")
)]
pub(super) struct RouteChange {
    /// The host: `"laptop"`.
    on: Name,
    /// Whether the route comes or goes.
    #[schemars(extend("default" = "add"))]
    action: Option<Action>,
    #[schemars(flatten)]
    way: Way,
}

/// `nft`: a ruleset of nftables, loaded as another program would. The file says `needs = ["nft"]`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Nft {
    /// The host: `"laptop"`.
    on: Name,
    /// The text that `nft -f` is given, with whatever it is to delete first.
    ruleset: Text,
}
