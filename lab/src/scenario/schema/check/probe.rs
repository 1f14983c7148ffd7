//! What is asked where: the keys of an expectation that sends probes.

use schemars::JsonSchema;

use crate::scenario::schema::text::{
    Address, HttpStatus, Mark, Name, PayloadSize, Port, ServerName, Target, Text, UrlPath, User,
};
use crate::scenario::schema::words::Family;

/// A probe.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(super) struct Probe {
    /// The expectation's name, which a sabotage names in `must-fail`; what it says where not given: `reach laptop -> web`.
    name: Option<Text>,
    #[schemars(flatten)]
    way: Way,
    /// By what it asks. `"http"` and `"https"` are a GET.
    #[schemars(extend("default" = "icmp"))]
    with: Option<Protocol>,
    /// With http and https: what is asked for.
    #[schemars(extend("default" = "/"))]
    path: Option<UrlPath>,
    /// With http and https: the status that must be answered, 200 to 599.
    #[schemars(extend("default" = 200))]
    status: Option<HttpStatus>,
    /// With http and https: the server's name or address, for the header Host, the SNI and the certificate. The target's host where not given.
    server_name: Option<ServerName>,
    /// The payload, 24 to 65507 bytes, not with http and https: what is larger than the way takes goes in fragments or segments.
    #[schemars(extend("default" = 24))]
    size: Option<PayloadSize>,
    /// With icmp and udp: `true` lets nobody take it apart (DF).
    #[schemars(extend("default" = false))]
    dont_fragment: Option<bool>,
}

/// Who asks whom, and from which socket.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(super) struct Way {
    /// The host that asks: `"laptop"`.
    from: Name,
    /// The target: a host with one link, `"host:link"`, or an address.
    to: Target,
    /// The port, not with icmp; the only one of that protocol that the host serves where not given.
    port: Option<Port>,
    /// The family; IPv4 if the target has an address of it, else IPv6.
    ip: Option<Family>,
    /// An address of `from` that the socket is bound to; the routes choose where not given.
    source: Option<Address>,
    /// The mark on the socket that asks (SO_MARK), not 0: `"0x465053"`.
    mark: Option<Mark>,
    /// The number of the user whose the socket is; needs root.
    uid: Option<User>,
    /// The control group of `from` that the socket is made in: `"apps"`.
    cgroup: Option<Name>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
pub(super) enum Protocol {
    /// An echo request.
    Icmp,
    /// A TCP connection, whose data comes back.
    Tcp,
    /// A datagram, which comes back.
    Udp,
    /// A GET of HTTP/1.1.
    Http,
    /// The same by TLS.
    Https,
}
