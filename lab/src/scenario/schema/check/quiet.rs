//! `silent` and `no-carrier-loop`

use schemars::JsonSchema;

use crate::scenario::schema::many::OneOrMany;
use crate::scenario::schema::text::{Duration, LinkName, Name, Target, Text};

/// `silent`: no IP packet passes the link from the beginning of the acts until `for` has gone by after them: `{ on = "laptop", link = "wlan0", to = "web", for = "500ms" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Silent {
    /// The expectation's name; what it says where not given.
    name: Option<Text>,
    /// The host: `"laptop"`.
    on: Name,
    /// Its link, or a TUN device: `"wlan0"`.
    link: LinkName,
    /// One or many targets: only packets from or to them count.
    to: Option<OneOrMany<Target>>,
    /// Only packets that go this way count, as the host sees it; both where not given.
    direction: Option<Direction>,
    /// It must hold all this time: `"500ms"`.
    r#for: Duration,
}

/// Which way packets pass a link: `"out"`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum Direction {
    /// They come in at the host.
    In,
    /// They leave the host.
    Out,
}

/// `no-carrier-loop`: no packet of the tunnel's carrier goes into the tunnel: `{ on = "laptop", for = "500ms" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct NoCarrierLoop {
    /// The expectation's name; what it says where not given.
    name: Option<Text>,
    /// The tunnel's client: `"laptop"`.
    on: Name,
    /// Another end of the tunnel than its endpoint, as a target.
    to: Option<Target>,
    /// It must hold all this time: `"500ms"`.
    r#for: Duration,
}
