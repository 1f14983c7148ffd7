//! What strings and numbers mean.
//!
//! A pattern takes all that the reader takes, and may take more: what only the reader can see, such as
//! the host bits of a subnet, it says when the file is checked.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;

/// An IPv4 address.
const V4: &str = r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}";
/// An IPv6 address, and what looks like one.
const V6: &str = "[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*";
/// A DNS label in lower case.
const LABEL: &str = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
/// A host name with dots, as /etc/hosts takes it.
const DOMAIN: &str =
    r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*";
/// An interface's name, at most 15 bytes.
const LINK: &str = r"[^/: \t\r\n]{1,15}";
/// A whole number that is not 0.
const POSITIVE: &str = "[0-9]*[1-9][0-9]*";
/// A mark.
const MARK: &str = "(0[xX][0-9A-Fa-f]+|[0-9]+)";

macro_rules! kind {
    ($(#[doc = $text:literal])+ $name:ident: $schema:tt) => {
        $(#[doc = $text])+
        pub(super) struct $name;

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let mut schema = json_schema!($schema);
                let text = concat!($($text),+).trim();
                schema.insert("description".to_owned(), json!(text));
                schema
            }
        }
    };
}

kind! {
    /// A text that is not empty.
    Text: { "type": "string", "pattern": r"\S" }
}
kind! {
    /// A name of a host, net, program or control group: lower-case letters, digits and hyphens, at most 63.
    Name: { "type": "string", "pattern": format!("^{LABEL}$") }
}
kind! {
    /// The name of a step, which is not a number.
    StepName: { "type": "string", "pattern": r"\S", "not": { "pattern": "^[0-9]+$" } }
}
kind! {
    /// The name of a program of the file, none of the lab's own.
    ProgramKey: { "type": "string", "pattern": format!("^{LABEL}$"), "not": { "enum": ["client", "server", "origin", "carrier", "tunnel", "routes"] } }
}
kind! {
    /// The name of a link: what the kernel takes, at most 15 bytes without `/`, `:` and white space.
    LinkName: { "type": "string", "pattern": format!("^{LINK}$") }
}
kind! {
    /// The name of a domain, such as `www.example.net`; a dot alone stands for all names.
    Domain: { "type": "string" }
}
kind! {
    /// A host name with dots, such as `vpn.example.net`.
    HostName: { "type": "string", "pattern": format!("^{DOMAIN}$") }
}
kind! {
    /// The name of a server or its address, for which a certificate can be.
    ServerName: { "type": "string", "pattern": format!("^({DOMAIN}|{V6})$") }
}
kind! {
    /// The name of a program as it is looked up in PATH, without a folder.
    ProgramName: { "type": "string", "pattern": r"^[^/]*[^/\s][^/]*$" }
}
kind! {
    /// A duration: a whole number and `ms`, `s` or `m`; more than zero, at most `10m`.
    Duration: { "type": "string", "pattern": format!("^{POSITIVE}(ms|s|m)$") }
}
kind! {
    /// A duration in whole seconds, such as `2s`.
    Seconds: { "type": "string", "pattern": format!("^{POSITIVE}(s|m|000ms)$") }
}
kind! {
    /// An IP address without a prefix length.
    Address: { "type": "string", "pattern": format!("^({V4}|{V6})$") }
}
kind! {
    /// An IPv4 address without a prefix length.
    Address4: { "type": "string", "pattern": format!("^{V4}$") }
}
kind! {
    /// An IPv6 address without a prefix length.
    Address6: { "type": "string", "pattern": format!("^{V6}$") }
}
kind! {
    /// The first and the last IPv4 address, or a single one.
    Range4: { "type": "string", "pattern": format!(r"^\s*{V4}\s*(-\s*{V4}\s*)?$") }
}
kind! {
    /// A subnet: an address with its prefix length, without host bits.
    Subnet: { "type": "string", "pattern": format!("^({V4}|{V6})/[0-9]{{1,3}}$") }
}
kind! {
    /// An IPv4 subnet.
    Subnet4: { "type": "string", "pattern": format!("^{V4}/[0-9]{{1,3}}$") }
}
kind! {
    /// An IPv6 subnet.
    Subnet6: { "type": "string", "pattern": format!("^{V6}/[0-9]{{1,3}}$") }
}
kind! {
    /// An address with the prefix length of its subnet.
    InterfaceAddress: { "type": "string", "pattern": format!("^({V4}|{V6})/[0-9]{{1,3}}$") }
}
kind! {
    /// An address, with or without a prefix length.
    AddressOrInterface: { "type": "string", "pattern": format!("^({V4}|{V6})(/[0-9]{{1,3}})?$") }
}
kind! {
    /// An address of the link's net, `dhcp` for one by DHCP, or `ra` for those of router advertisements.
    LinkAddress: { "type": "string", "pattern": format!("^({V4}|{V6}|dhcp|ra)$") }
}
kind! {
    /// A target: a host with one link, `host:link`, or an address.
    Target: { "type": "string", "pattern": format!("^({V4}|{V6}|{LABEL}(:{LINK})?)$") }
}
kind! {
    /// A subnet, or a target: a host with all its addresses, `host:link`, or an address.
    SubnetOrTarget: { "type": "string", "pattern": format!("^(({V4}|{V6})(/[0-9]{{1,3}})?|{LABEL}(:{LINK})?)$") }
}
kind! {
    /// A link of a host.
    Hop: { "type": "string", "pattern": format!("^{LABEL}:{LINK}$") }
}
kind! {
    /// A command: the program first, then its arguments. No shell reads it.
    Command: { "type": "array", "items": { "type": "string" }, "minItems": 1 }
}
kind! {
    /// A mark of a socket or packet, not 0: `"0x465053"`, or an integer.
    Mark: { "anyOf": [{ "type": "string", "pattern": format!("^{MARK}$") }, { "type": "integer", "minimum": 1, "maximum": u32::MAX }] }
}
kind! {
    /// A mark, with or without the bits of it that count: `"0x80000/0xff0000"`.
    MarkMask: { "anyOf": [{ "type": "string", "pattern": format!("^{MARK}(/{MARK})?$") }, { "type": "integer", "minimum": 1, "maximum": u32::MAX }] }
}
kind! {
    /// A user's number, or those from one to another: `"1000-1999"`.
    Users: { "anyOf": [{ "type": "string", "pattern": "^[0-9]+-[0-9]+$" }, { "type": "integer", "minimum": 0, "maximum": u32::MAX - 1 }] }
}
kind! {
    /// A user's number.
    User: { "type": "integer", "minimum": 0, "maximum": u32::MAX - 1 }
}
kind! {
    /// A port.
    Port: { "type": "integer", "minimum": 1, "maximum": u16::MAX }
}
kind! {
    /// A final status of HTTP.
    HttpStatus: { "type": "integer", "minimum": 200, "maximum": 599 }
}
kind! {
    /// The metric of a route: of several to the same subnet the lowest wins.
    Metric: { "type": "integer", "minimum": 0, "maximum": u32::MAX }
}
kind! {
    /// A table by its number, none of the machine's own.
    TableNumber: { "type": "integer", "minimum": 1, "maximum": u32::MAX, "not": { "enum": [253, 254, 255] } }
}
kind! {
    /// A table by any number.
    AnyTable: { "type": "integer", "minimum": 1, "maximum": u32::MAX }
}
kind! {
    /// The priority of a rule: the lowest is looked at first.
    Priority: { "type": "integer", "minimum": 1, "maximum": 32_765 }
}
kind! {
    /// The length of a prefix.
    PrefixLength: { "type": "integer", "minimum": 0, "maximum": 128 }
}
kind! {
    /// Who has set a route or a rule: a name of ip-route(8), or a number, 0 to 255.
    Protocol: { "anyOf": [
        { "enum": ["kernel", "boot", "static", "ra", "dhcp"] },
        { "type": "integer", "minimum": 0, "maximum": 255 }
    ] }
}
kind! {
    /// The code that a program ends with.
    ExitCode: { "type": "integer", "minimum": 0, "maximum": 255 }
}
kind! {
    /// The longest packet that a link takes, in bytes.
    Mtu: { "type": "integer", "minimum": 68, "maximum": u16::MAX }
}
kind! {
    /// An MTU that DHCP gives, in bytes.
    DhcpMtu: { "type": "integer", "minimum": 68, "maximum": 1500 }
}
kind! {
    /// An MTU that routers advertise, in bytes.
    RaMtu: { "type": "integer", "minimum": 1280, "maximum": 1500 }
}
kind! {
    /// The payload of a question, in bytes.
    PayloadSize: { "type": "integer", "minimum": 24, "maximum": 65_507 }
}
kind! {
    /// A number of bytes with B, kB or MB.
    Bytes: { "type": "string", "pattern": "^[0-9]+(B|kB|MB)$" }
}
kind! {
    /// A share in percent.
    Share: { "type": "string", "pattern": "%$" }
}
kind! {
    /// Bits a second, from `8kbit` to `10gbit`.
    Rate: { "type": "string", "pattern": "^[0-9]+(kbit|mbit|gbit)$" }
}
kind! {
    /// A part of a throughput, from 0.001 to 1000.
    Part: { "type": "number", "minimum": 0.001, "maximum": 1000 }
}
kind! {
    /// How many.
    Count: { "type": "integer", "minimum": 0 }
}
kind! {
    /// The key of a sysctl below `net`: all else is the machine's.
    SysctlKey: { "type": "string", "pattern": "^net[./][A-Za-z0-9._/-]+$" }
}
kind! {
    /// A value: a string or an integer.
    TextOrInteger: { "type": ["string", "integer"] }
}
kind! {
    /// A value: a string, an integer, `true` or `false`.
    Value: { "type": ["string", "integer", "boolean"] }
}
kind! {
    /// A step by its number, counted from 1, or by its name.
    Step: { "type": ["string", "integer"] }
}
kind! {
    /// A path below /etc or /run.
    FilePath: { "type": "string", "pattern": "^/(etc|run)/." }
}
kind! {
    /// The path of a URL, with its query if it has one.
    UrlPath: { "type": "string", "pattern": "^/", "maxLength": 500 }
}
kind! {
    /// A line of a zone file (RFC 1035, 5.1): owner, TTL in seconds, type, data.
    Record: { "type": "string" }
}
kind! {
    /// A counter of the kernel, as nstat(8) has it with a dot behind the group, or of a link.
    CounterName: { "type": "string", "pattern": r"\." }
}
kind! {
    /// A way past the tunnel: `CIDR,VIA,DEV`.
    Bypass: { "type": "string", "pattern": r"\S" }
}
kind! {
    /// The name of a parameter: lower-case letters, digits and hyphens.
    ParameterName: { "type": "string", "pattern": "^[a-z][a-z0-9-]*$", "not": { "enum": ["use", "on", "action"] } }
}
kind! {
    /// The value of a parameter: a string, an integer, or a list of them.
    ParameterValue: { "anyOf": [{ "type": ["string", "integer"] }, { "type": "array", "items": { "type": ["string", "integer"] } }] }
}
