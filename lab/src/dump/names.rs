//! The names that ip(8) prints in place of numbers.

use std::collections::HashMap;

use fps_netlink::{IpProtocol, RouteProtocol, RouteScope, TableId, protocol_name};

use super::object::number;

/// Tables by their names: the kernel's own, and those of the host's rt_tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TableNames(HashMap<String, TableId>);

impl TableNames {
    /// Reads lines of rt_tables: a number and a name.
    pub(super) fn read(text: &str) -> Self {
        let mut names = HashMap::new();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            if let (Some(id), Some(name)) = (words.next().and_then(number), words.next()) {
                names.entry(name.to_owned()).or_insert(TableId(id));
            }
        }
        Self(names)
    }

    /// A table as ip(8) prints it: a number, or a name.
    pub(super) fn of(&self, text: &str) -> Option<TableId> {
        match text {
            "main" => Some(TableId::MAIN),
            "local" => Some(TableId(255)),
            "default" => Some(TableId(253)),
            text => number(text)
                .map(TableId)
                .or_else(|| self.0.get(text).copied()),
        }
    }
}

/// Who has set a route or a rule (rt_protos).
pub(super) fn protocol(text: &str) -> Option<RouteProtocol> {
    Some(match text {
        "unspec" | "none" => RouteProtocol::Unspec,
        "redirect" => RouteProtocol::IcmpRedirect,
        "kernel" => RouteProtocol::Kernel,
        "boot" => RouteProtocol::Boot,
        "static" => RouteProtocol::Static,
        "gated" => RouteProtocol::Other(8),
        "ra" => RouteProtocol::Ra,
        "mrt" => RouteProtocol::Other(10),
        "zebra" => RouteProtocol::Zebra,
        "bird" => RouteProtocol::Bird,
        "dnrouted" => RouteProtocol::Other(13),
        "xorp" => RouteProtocol::Other(14),
        "ntk" => RouteProtocol::Other(15),
        "dhcp" => RouteProtocol::Dhcp,
        "keepalived" => RouteProtocol::Other(18),
        "babel" => RouteProtocol::Babel,
        "bgp" => RouteProtocol::Bgp,
        "ospf" => RouteProtocol::Ospf,
        text => {
            let number = u8::try_from(number(text)?).ok()?;
            RouteProtocol::from(number)
        }
    })
}

/// How far a destination is (rt_scopes).
pub(super) fn scope(text: &str) -> Option<RouteScope> {
    Some(match text {
        "global" | "universe" => RouteScope::Universe,
        "site" => RouteScope::Site,
        "link" => RouteScope::Link,
        "host" => RouteScope::Host,
        "nowhere" => RouteScope::NoWhere,
        text => RouteScope::from(u8::try_from(number(text)?).ok()?),
    })
}

/// A protocol above IP, as `ip rule` prints it: by its name of /etc/protocols, or as `ipproto-47`.
pub(super) fn ip_protocol(text: &str) -> Option<IpProtocol> {
    let text = text.strip_prefix("ipproto-").unwrap_or(text);
    let by_name = (0..=255u8)
        .map(|number| IpProtocol::from(i32::from(number)))
        .find(|protocol| protocol_name(*protocol) == text);
    let number = || u8::try_from(number(text)?).ok();
    by_name.or_else(|| Some(IpProtocol::from(i32::from(number()?))))
}

/// A type of service: a number, or what iproute2 calls a class of RFC 2474, 2597 or 3246 (rt_dsfield).
pub(super) fn service(text: &str) -> Option<u8> {
    let digits = |rest: &str| -> Option<Vec<u8>> {
        let digits = rest.chars().map(|digit| digit.to_digit(10));
        digits.map(|digit| u8::try_from(digit?).ok()).collect()
    };
    let class = |word: &str| text.strip_prefix(word).and_then(digits);
    match (class("CS").as_deref(), class("AF").as_deref(), text) {
        (Some([class @ 0..=7]), ..) => Some(class << 5),
        (_, Some([class @ 1..=4, drop @ 1..=3]), _) => Some((class << 5) | (drop << 3)),
        (_, _, "default") => Some(0),
        (_, _, "EF") => Some(0xb8),
        (_, _, text) => u8::try_from(number(text)?).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_service_by_number_and_name() {
        for (text, number) in [
            ("0x10", Some(0x10)),
            ("CS6", Some(0xc0)),
            ("AF11", Some(0x28)),
            ("AF43", Some(0x98)),
            ("EF", Some(0xb8)),
            ("default", Some(0)),
            ("AF51", None),
            ("CS", None),
            ("lowcost", None),
            ("0x100", None),
        ] {
            assert_eq!(service(text), number, "{text}");
        }
    }
}
