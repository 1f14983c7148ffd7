//! `[tunnel]`

use schemars::JsonSchema;
use serde_json::{Value, json};

use super::program::Ready;
use super::rule;
use super::text::{Command, Duration, LinkName, Mark, Name, Port, Target};

/// The tunnel under test: FPS, or with `outer` another VPN, whose configuration is in the `files` of its two hosts.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "kebab-case",
    deny_unknown_fields,
    transform = rule::all_of(another_vpn()),
    transform = rule::needs("ready", "outer")
)]
pub(super) struct Tunnel {
    /// The host of `client` and `carrier`: `"laptop"`.
    client: Name,
    /// The host of `server`, another one: `"server"`.
    server: Name,
    /// Where the client finds the server: `"host:link"`, a host with one link, or an address; it must be the server's. Its only link where not given.
    endpoint: Option<Target>,
    /// The host of `origin`, of FPS only: `"host"` if it has one link, else `"host:link"`. The server's host where not given.
    origin: Option<Target>,
    /// The TUN device of the client; required with `outer`.
    #[schemars(extend("default" = "fpsc0"))]
    client_tun: Option<LinkName>,
    /// The TUN device of the server; required with `outer`.
    #[schemars(extend("default" = "fpss0"))]
    server_tun: Option<LinkName>,
    /// The mark on the tunnel's own sockets, of FPS only: `"0x465053"`.
    fwmark: Option<Mark>,
    /// How long the client leaves a connection of the application alone before it asks for the tunnel, of FPS only: `"500ms"`.
    upgrade_delay: Option<Duration>,
    /// When the programs run.
    #[schemars(extend("default" = "auto"))]
    start: Option<Start>,
    command: Option<Commands>,
    outer: Option<Outer>,
    ready: Option<EndsReady>,
}

/// What goes with `outer`.
fn another_vpn() -> Value {
    let fps = ["origin", "fwmark", "upgrade-delay"].map(|key| json!({ "required": [key] }));
    json!({ "dependencies": { "outer": {
        "required": ["client-tun", "server-tun", "command"],
        "not": { "anyOf": fps },
        "properties": { "command": { "required": ["server", "client"], "maxProperties": 2 } },
    } } })
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
pub(super) enum Start {
    /// Before the first step.
    Auto,
    /// When a step starts them.
    ByStep,
}

/// Other commands in place of ours; `{config}` stands for the path of the configuration. With `outer` those of its server and client, required.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Commands {
    /// The command of the client: `["openvpn", "--config", "/run/vpn/client.conf"]`.
    client: Option<Command>,
    /// The command of the server.
    server: Option<Command>,
    /// The command of the origin, of FPS only.
    origin: Option<Command>,
    /// The command of the application whose connections carry the tunnel, of FPS only.
    carrier: Option<Command>,
}

/// How another VPN's packets travel, and the port where its server listens: `{ udp = 1194 }` or `{ tcp = 443 }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, transform = rule::exactly_one("udp tcp"))]
pub(super) struct Outer {
    /// Over UDP, to this port.
    udp: Option<Port>,
    /// Over TCP, to this port.
    tcp: Option<Port>,
}

/// What shows that the programs of another VPN are ready: `{ server = { output = "listening" }, client = { tun = "up" } }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct EndsReady {
    server: Option<Ready>,
    client: Option<Ready>,
}
