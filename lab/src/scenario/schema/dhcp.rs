//! `dhcp-server.LINK` of a host, and the acts `dhcp-server` and `dhcp`.

use schemars::JsonSchema;

use super::link::Renewal;
use super::many::OneOrMany;
use super::text::{Address4, DhcpMtu, HostName, LinkName, Name, Range4, Seconds, Subnet4};

/// A DHCP server on a link with an IPv4 address. It remembers who had which address.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, extend("required" = ["range"]))]
pub(super) struct DhcpServer {
    #[schemars(flatten)]
    terms: Terms,
}

/// `dhcp-server`: what a DHCP server gives from now on, to who asks.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, extend("minProperties" = 3))]
pub(super) struct DhcpServerChange {
    /// The host of the server: `"router"`.
    on: Name,
    /// Its link: `"lan"`.
    link: LinkName,
    #[schemars(flatten)]
    terms: Terms,
}

/// What a server gives.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(super) struct Terms {
    /// The first and the last address that it gives: `"192.168.188.100-192.168.188.150"`. Required in a host.
    range: Option<Range4>,
    /// For how long it gives an address, in whole seconds.
    #[schemars(extend("default" = "10m"))]
    lease: Option<Seconds>,
    /// One or many default gateways in that net, `[]` for none; the link's own address where not given.
    router: Option<OneOrMany<Address4>>,
    /// One or many name servers, `[]` for none; those of the net where not given.
    name_servers: Option<OneOrMany<Address4>>,
    /// Classless routes (option 121, RFC 3442); who has some does not look at `router`: `[{ to = "10.0.0.0/8", via = "192.168.188.2" }]`.
    routes: Option<Vec<DhcpRoute>>,
    /// The MTU of the link, 68 to 1500.
    mtu: Option<DhcpMtu>,
    /// The domain in which short names are: `"example.net"`.
    domain: Option<HostName>,
    /// `false` has it say nothing.
    #[schemars(extend("default" = true))]
    answers: Option<bool>,
}

/// A route that a DHCP server gives.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct DhcpRoute {
    /// The subnet: `"10.0.0.0/8"`.
    to: Subnet4,
    /// The gateway; without one it is on the link.
    via: Option<Address4>,
}

/// `dhcp`: what the client of a link with `ip = "dhcp"` does before it is due.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct DhcpCall {
    /// The host of the client: `"laptop"`.
    on: Name,
    /// Its link: `"wlan0"`.
    link: LinkName,
    /// What the client does; all but `"release"` wait for the lease.
    r#do: Order,
    /// What it does with its address from then on.
    renewal: Option<Renewal>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
pub(super) enum Order {
    /// Asks for a lease anew.
    Discover,
    /// Prolongs its lease by its server.
    Renew,
    /// Prolongs it by any server.
    Rebind,
    /// Gives it back.
    Release,
}
