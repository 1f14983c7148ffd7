//! `addr`

use schemars::JsonSchema;

use super::Action;
use crate::scenario::schema::text::{AddressOrInterface, LinkName, Metric, Name, Seconds};

/// `addr`: an address by hand: `{ on = "laptop", link = "wlan0", ip = "192.168.188.113" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct AddressChange {
    /// The host: `"laptop"`.
    on: Name,
    /// Its link, or a TUN device: `"wlan0"`.
    link: LinkName,
    /// Whether the address comes or goes. `"add"` gives one that stands its lifetimes.
    #[schemars(extend("default" = "add"))]
    action: Option<Action>,
    /// The address, which has the prefix length of the link's net, or one with its own: `"10.66.0.2/30"`.
    ip: AddressOrInterface,
    /// For how long it is valid, in whole seconds; for ever where not given.
    valid: Option<Seconds>,
    /// For how long it is taken for what begins, in whole seconds; `valid` where not given.
    preferred: Option<Seconds>,
    /// The metric of the connected route that comes with it; the kernel's where not given.
    metric: Option<Metric>,
    /// Whether a connected route comes with it.
    #[schemars(extend("default" = true))]
    prefix_route: Option<bool>,
}
