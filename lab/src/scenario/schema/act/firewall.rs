//! `firewall`

use schemars::JsonSchema;

use crate::scenario::schema::many::OneOrMany;
use crate::scenario::schema::rule;
use crate::scenario::schema::text::{LinkName, Name, Port, SubnetOrTarget};
use crate::scenario::schema::words::Family;

/// `firewall`: a rule of nftables about the packets of which all is true that is said: `{ on = "router", chain = "forward", with = "udp", port = 443 }`.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "kebab-case",
    deny_unknown_fields,
    transform = rule::needs("port from-port", "with")
)]
pub(super) struct Firewall {
    /// The host: `"router"`.
    on: Name,
    /// `"clear"` takes away all rules that such acts have added on that host, and has no other key.
    #[schemars(extend("default" = "add"))]
    action: Option<FirewallAction>,
    /// Which packets pass the rule; required but by `"clear"`.
    chain: Option<Chain>,
    /// What becomes of them.
    #[schemars(extend("default" = "drop"))]
    does: Option<Verdict>,
    /// Their family; both where not given.
    ip: Option<Family>,
    /// The link, or TUN device, by which they arrive: `"lan"`. Not with `chain = "out"`.
    arrives_by: Option<LinkName>,
    /// The link, or TUN device, by which they leave: `"wan"`. Not with `chain = "in"`.
    leaves_by: Option<LinkName>,
    /// Their sender: one or many subnets or targets.
    from: Option<OneOrMany<SubnetOrTarget>>,
    /// Their receiver: one or many subnets or targets.
    to: Option<OneOrMany<SubnetOrTarget>>,
    /// What is in them.
    with: Option<Content>,
    /// The receiver's port, of tcp and udp.
    port: Option<Port>,
    /// The sender's port, of tcp and udp.
    from_port: Option<Port>,
    /// The kind of message, of icmp.
    icmp: Option<Icmp>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum FirewallAction {
    /// A rule comes, behind those that are there.
    Add,
    /// All rules go.
    Clear,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum Chain {
    /// What is for the host.
    In,
    /// What it sends.
    Out,
    /// What it passes on.
    Forward,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum Verdict {
    /// They are lost.
    Drop,
    /// Their sender is told "port unreachable".
    Reject,
    /// Their TCP connection is ended.
    Reset,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum Content {
    Tcp,
    Udp,
    Icmp,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum Icmp {
    /// "Packet too big", which is "fragmentation needed" in IPv4.
    TooBig,
    /// "Destination unreachable".
    Unreachable,
    /// "Time exceeded".
    TimeExceeded,
    /// The question of ping(8).
    EchoRequest,
    /// Its answer.
    EchoReply,
    /// "Redirect": another router is nearer.
    Redirect,
    /// A host's question for routers, of IPv6.
    RouterSolicitation,
    /// A router's advertisement, of IPv6.
    RouterAdvertisement,
}
