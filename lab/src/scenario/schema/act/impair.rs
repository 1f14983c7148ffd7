//! `impair`

use schemars::JsonSchema;

use crate::scenario::schema::rule;
use crate::scenario::schema::text::{Duration, LinkName, Mtu, Name, Rate, Share};

/// `impair`: a link that is bad: `{ on = "laptop", link = "wlan0", delay = "50ms", loss = "2.5%" }`.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "kebab-case",
    deny_unknown_fields,
    transform = rule::at_least_one("delay jitter loss reorder rate mtu clear"),
    transform = rule::needs("jitter reorder", "delay")
)]
pub(super) struct Impair {
    /// The host: `"laptop"`.
    on: Name,
    /// Its link: `"wlan0"`.
    link: LinkName,
    /// `true` makes the link good again, and has no other key.
    clear: Option<bool>,
    /// How long each frame takes: `"50ms"`.
    delay: Option<Duration>,
    /// By how much more or less at most; the order stays: `"10ms"`.
    jitter: Option<Duration>,
    /// The share of frames that are lost: `"2.5%"`.
    loss: Option<Share>,
    /// The share of frames that go without the delay, and so before others: `"1%"`.
    reorder: Option<Share>,
    /// How many bits a second pass, from `8kbit` to `10gbit`: `"10mbit"`.
    rate: Option<Rate>,
    /// Which way is bad.
    #[schemars(extend("default" = "both"))]
    way: Option<Way>,
    /// The MTU of both ends of this link, 68 to 65535 bytes; at least 1280 with an IPv6 address.
    mtu: Option<Mtu>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum Way {
    /// What the host sends.
    Out,
    /// What it is sent.
    In,
    /// Both of it.
    Both,
}
