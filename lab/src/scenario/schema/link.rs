//! How a link stands in its net.

use schemars::JsonSchema;

use super::many::OneOrMany;
use super::text::{Address, LinkAddress, Metric, Name};

/// A link of a host: a veth pair, one end the host's interface, the other a port of the net's bridge.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Link {
    /// The net that it is plugged into: `"home"`.
    net: Name,
    #[schemars(flatten)]
    place: Place,
}

/// What a link has in its net, at first or after a roam.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(super) struct Place {
    /// One or many addresses of the net, without a prefix length: `"192.168.188.112"`. `"dhcp"` asks a DHCP server for one, `"ra"` makes those of router advertisements, `[]` is none.
    ip: OneOrMany<LinkAddress>,
    /// One or many default gateways in the net, at most one a family: `"192.168.188.1"`.
    via: Option<OneOrMany<Address>>,
    /// The metric of its connected and default routes; the kernel's where not given.
    metric: Option<Metric>,
    /// With `"dhcp"`: what the client does with an address that it is given again.
    #[schemars(extend("default" = "keeps"))]
    renewal: Option<Renewal>,
    /// With `"ra"`: `true` has the kernel make temporary addresses too, and take them for what begins.
    #[schemars(extend("default" = false))]
    privacy: Option<bool>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
pub(super) enum Renewal {
    /// It stays as it is.
    Keeps,
    /// It is set anew, so that the kernel takes away what hangs on it.
    Replaces,
}
