//! `link` and `roam`

use schemars::JsonSchema;

use crate::scenario::schema::link::Place;
use crate::scenario::schema::rule;
use crate::scenario::schema::text::{LinkName, Name};

/// `link`: a link that goes up or down, is unplugged, deleted or renamed: `{ on = "laptop", link = "wlan0", state = "down" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, transform = rule::exactly_one("state rename"))]
pub(super) struct LinkChange {
    /// The host: `"laptop"`.
    on: Name,
    /// Its link, or a TUN device, which goes up and down only: `"wlan0"`.
    link: LinkName,
    /// What becomes of it.
    state: Option<State>,
    /// Its new name, which all that comes later uses: `"eth9"`.
    rename: Option<LinkName>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum State {
    /// `ip link set up`.
    Up,
    /// `ip link set down`: its addresses stay, its routes go.
    Down,
    /// The cable is put in.
    Plugged,
    /// The cable is taken out: the link has no carrier.
    Unplugged,
    /// Both ends go, with all that the kernel knew by its index.
    Deleted,
    /// What was deleted is made again in its net, with its addresses and another index.
    Recreated,
}

/// `roam`: a link goes out of its net and into another: `{ on = "laptop", link = "wlan0", to = "hotspot", ip = "172.20.10.2", via = "172.20.10.1" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Roam {
    /// The host: `"laptop"`.
    on: Name,
    /// Its link: `"wlan0"`.
    link: LinkName,
    /// The net that it is plugged into: `"hotspot"`.
    to: Name,
    #[schemars(flatten)]
    place: Place,
}
