//! `routes`

use schemars::JsonSchema;
use serde_json::{Value, json};

use crate::scenario::schema::many::OneOrMany;
use crate::scenario::schema::rule;
use crate::scenario::schema::text::{
    AnyTable, Bypass, ExitCode, InterfaceAddress, LinkName, Mark, Mtu, Name, Priority, Subnet,
    Target, Text,
};

/// `routes`: a call of the route engine, which docs/routing.md describes: `{ on = "laptop", tun-address = "10.66.0.2/30", route = ["10.66.1.0/24"] }`.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "kebab-case",
    deny_unknown_fields,
    transform = rule::all_of(a_full_tunnel_selects())
)]
pub(super) struct Routes {
    /// The host: `"laptop"`.
    on: Name,
    /// What the route engine does.
    #[schemars(extend("default" = "apply"))]
    action: Option<RoutesAction>,
    /// The code that it must end with; `"watch"` has none.
    #[schemars(extend("default" = 0))]
    exit: Option<ExitCode>,
    /// The TUN device; the tunnel's on that host where not given: `"tun0"`.
    tun: Option<LinkName>,
    /// One or many addresses of the TUN device, with prefix length: `"10.66.0.2/30"`.
    tun_address: Option<OneOrMany<InterfaceAddress>>,
    /// The MTU of the TUN device, 68 to 65535 bytes; at least 1280 with an IPv6 address.
    mtu: Option<Mtu>,
    /// One or many subnets that go into the tunnel: `["10.66.1.0/24", "fd66:1::/64"]`.
    route: Option<OneOrMany<Subnet>>,
    /// One or many targets whose addresses stay out of the tunnel: `"server:wan"`.
    endpoint: Option<OneOrMany<Target>>,
    /// `true` leaves the TUN device down.
    #[schemars(extend("default" = false))]
    down: Option<bool>,
    /// One or many name servers in the tunnel: `"10.66.1.53"`.
    dns: Option<OneOrMany<Text>>,
    /// One or many domains for them: `"corp.example.net"`.
    dns_domain: Option<OneOrMany<Text>>,
    /// How names find them; what the route engine does by itself where not given.
    dns_backend: Option<DnsBackend>,
    /// `true`: all packets that a selector chooses go into the tunnel.
    #[schemars(extend("default" = false))]
    full_tunnel: Option<bool>,
    /// Of a full tunnel, a selector: only packets with this mark: `"0x1"`.
    fwmark: Option<Mark>,
    /// Of a full tunnel, a selector: only packets from this subnet: `"192.168.50.0/24"`.
    from: Option<Subnet>,
    /// Of a full tunnel, a selector: all packets but those with this mark, the carrier's: `"0x465053"`.
    except_fwmark: Option<Mark>,
    /// Of a full tunnel: the number of its table.
    table: Option<AnyTable>,
    /// Of a full tunnel: the priority of its first rule, 1 to 32765.
    priority: Option<Priority>,
    /// Of a full tunnel: one or many ways past it, `CIDR,VIA,DEV`: `"203.0.113.10/32,192.168.188.1,wlan0"`.
    bypass: Option<OneOrMany<Bypass>>,
    /// Of a full tunnel: `true` keeps the LAN out of it.
    #[schemars(extend("default" = false))]
    keep_lan: Option<bool>,
    /// Of a full tunnel that keeps the LAN: one or many further subnets of it.
    lan_route: Option<OneOrMany<Subnet>>,
    /// Of a full tunnel: `true` lets no question for a name past it.
    #[schemars(extend("default" = false))]
    dns_leak_guard: Option<bool>,
    /// Of a full tunnel: `true` has the route engine choose what is taken, such as another table.
    #[schemars(extend("default" = false))]
    auto: Option<bool>,
}

fn a_full_tunnel_selects() -> Value {
    let full =
        json!({ "properties": { "full-tunnel": { "const": true } }, "required": ["full-tunnel"] });
    let each = |keys: &[&str]| -> Vec<Value> {
        keys.iter()
            .map(|key| json!({ "required": [key] }))
            .collect()
    };
    let selectors = ["fwmark", "from", "except-fwmark"];
    let others = [
        "table",
        "priority",
        "bypass",
        "keep-lan",
        "lan-route",
        "dns-leak-guard",
        "auto",
    ];
    let all: Vec<&str> = selectors.into_iter().chain(others).collect();
    json!({
        "if": full,
        "then": { "anyOf": each(&selectors) },
        "else": { "not": { "anyOf": each(&all) } },
    })
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum RoutesAction {
    /// Makes what is wanted so.
    Apply,
    /// Takes all of it away.
    Cleanup,
    /// Compares it with what is there, and changes nothing.
    Verify,
    /// Makes it so and keeps it so, until `stop = "routes"` or `kill = "routes"`.
    Watch,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum DnsBackend {
    /// systemd-resolved where it answers, else the stub.
    Auto,
    /// systemd-resolved.
    Resolved,
    /// fps-dns, with /etc/resolv.conf taken over.
    Stub,
    /// None: DNS is left alone.
    None,
}
