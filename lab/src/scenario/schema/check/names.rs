//! `resolves` and `not-asked`

use schemars::JsonSchema;

use crate::scenario::schema::many::OneOrMany;
use crate::scenario::schema::text::{Domain, Duration, LinkName, Name, Text};

/// `resolves`: a name leads to what it should by each of the ways: `{ on = "laptop", name = "www.example.net", to = "192.0.2.80", asked = "router" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Resolves {
    /// The expectation's own name; what it says where not given.
    r#as: Option<Text>,
    /// The host that asks: `"laptop"`.
    on: Name,
    /// The name that it asks for: `"www.example.net"`.
    name: Domain,
    /// The type of the records.
    #[schemars(rename = "type", extend("default" = "A"))]
    kind: Option<RecordType>,
    /// One or many data as in a zone file, or `"no-name"`, `"no-data"`, `"refused"` or `"failure"`.
    to: OneOrMany<String>,
    /// One or many ways to ask; all that can ask for the type on that host where not given.
    by: Option<OneOrMany<Way>>,
    /// The host whose server is asked for the name, and no other: `"router"`.
    asked: Option<Name>,
    /// The link by which the questions leave, and no other: `"wlan0"`.
    via: Option<LinkName>,
    /// The deadline of each way.
    #[schemars(extend("default" = "1s"))]
    within: Option<Duration>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "UPPERCASE", inline)]
enum RecordType {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// Another name.
    Cname,
    /// The name of an address.
    Ptr,
    /// Where a service is.
    Srv,
    /// A text.
    Txt,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum Way {
    /// As getaddrinfo(3) asks.
    Nss,
    /// A question by UDP to the first server of /etc/resolv.conf.
    Udp,
    /// The same by TCP.
    Tcp,
    /// As systemd-resolved says.
    Resolvectl,
}

/// `not-asked`: a server is not asked for a name, nor for one below it: `{ on = "router", name = "fps.test" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct NotAsked {
    /// The expectation's own name; what it says where not given.
    r#as: Option<Text>,
    /// The host of the server: `"router"`.
    on: Name,
    /// The name, `"."` for any.
    name: Domain,
    /// How long after the acts it must hold; until the step's other expectations are done where not given.
    r#for: Option<Duration>,
}
