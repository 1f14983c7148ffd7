//! `[program.NAME]`, and when a program is ready.

use schemars::JsonSchema;

use super::rule;
use super::text::{Command, Duration, LinkName, Name, Text};

/// A program that steps start and stop by its name.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Program {
    /// The host that it runs on: `"laptop"`.
    on: Name,
    /// Its command, the program first: `["openvpn", "--config", "/run/vpn/client.conf"]`.
    command: Command,
    ready: Option<Ready>,
    /// A TUN device that it makes, so that acts and expectations may name it: `"tun0"`.
    tun: Option<LinkName>,
    /// `true`: it may end by itself, since its work can be done before the play is.
    #[schemars(extend("default" = false))]
    may_end: Option<bool>,
}

/// What shows that a program is ready: `{ output = "listening", within = "10s" }`, or `{ tun = "up" }`. Without it, it is ready once started.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, transform = rule::at_most_one("output tun"))]
pub(super) struct Ready {
    /// A line of its output holds this text.
    output: Option<Text>,
    /// Its TUN device is there, or is up.
    tun: Option<TunState>,
    /// How long it may take.
    #[schemars(extend("default" = "10s"))]
    within: Option<Duration>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
pub(super) enum TunState {
    /// The device is there.
    Exists,
    /// The device is up.
    Up,
}
