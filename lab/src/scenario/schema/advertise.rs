//! `advertise.LINK` of a host, and the act `advertise`.

use schemars::JsonSchema;

use super::many::OneOrMany;
use super::text::{Address6, Duration, LinkName, Name, RaMtu, Seconds, Subnet6};

/// What the host says on a link as a router (RFC 4861). `{}` is all as it usually is.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Advertisement {
    #[schemars(flatten)]
    said: Said,
}

/// `advertise`: what a router says from now on, and at once.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct AdvertisementChange {
    /// The host that is the router: `"router"`.
    on: Name,
    /// Its link: `"lan"`.
    link: LinkName,
    #[schemars(flatten)]
    said: Said,
}

/// What a router says.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(super) struct Said {
    /// `false`: it is no default router, or none any more.
    #[schemars(extend("default" = true))]
    router: Option<bool>,
    /// For how long it is a default router, and what is in `routes` and `name-servers` counts; whole seconds.
    #[schemars(extend("default" = "10m"))]
    lifetime: Option<Seconds>,
    /// One or many subnets of 64 bits in which hosts make addresses, `[]` for none; the net's where not given.
    prefix: Option<OneOrMany<Subnet6>>,
    /// For how long these addresses are valid; whole seconds.
    #[schemars(extend("default" = "10m"))]
    valid: Option<Seconds>,
    /// For how long they are taken for what begins; whole seconds, `valid` where not given.
    preferred: Option<Seconds>,
    /// One or many subnets behind it (RFC 4191): `"fd66:1::/64"`.
    routes: Option<OneOrMany<Subnet6>>,
    /// One or many name servers (RFC 8106); those of the net where not given.
    name_servers: Option<OneOrMany<Address6>>,
    /// The MTU of the link, 1280 to 1500.
    mtu: Option<RaMtu>,
    /// The time from one advertisement to the next that nobody has asked for.
    #[schemars(extend("default" = "1s"))]
    every: Option<Duration>,
    /// `false` has it say nothing.
    #[schemars(extend("default" = true))]
    answers: Option<bool>,
}
