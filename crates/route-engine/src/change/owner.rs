//! Who usually has which tables, marks and protocol numbers.

use fps_netlink::{ProtocolName, RouteProtocol, Rule, TableId};

/// Programs that keep a table or a mark of their own, by the number that their source or their
/// documentation gives.
const KNOWN: [(u32, &str); 10] = [
    // wg-quick(8): the first free table from 51820 upwards, which is also the mark.
    (51820, "wg-quick"),
    // Tailscale, net/tsaddr and wgengine/router: table 52, rules 5210 to 5270.
    (52, "Tailscale"),
    (0x8_0000, "Tailscale"),
    // Mullvad, talpid-routing and talpid-core: "mole" in ASCII.
    (0x6d6f_6c65, "Mullvad"),
    // Firezone, bin-shared: the first of its tables, and the mark of its sockets.
    (0x2021_fd00, "Firezone"),
    (0xfd00_2021, "Firezone"),
    // NetBird, client/internal/routemanager/systemops.
    (7120, "NetBird"),
    (0x1_bd00, "NetBird"),
    // NordVPN for Linux, daemon/routes and the mark of its sockets.
    (205, "NordVPN"),
    (0xe1f1, "NordVPN"),
];

fn known(number: u32) -> Option<&'static str> {
    let mut known = KNOWN.iter();
    known.find(|(key, _)| *key == number).map(|(_, name)| *name)
}

/// Who usually has this table.
pub(super) fn of_table(table: TableId) -> Option<&'static str> {
    known(table.0)
}

/// Who a rule probably belongs to.
pub(crate) fn of_rule(rule: &Rule) -> String {
    let by_table = rule.table().and_then(of_table);
    let by_mark = rule.mark.and_then(|mark| known(mark.mark.0));
    match by_table.or(by_mark) {
        Some(name) => format!("probably {name}'s"),
        None => by_protocol(rule.protocol),
    }
}

/// Who sets routes with this protocol number (linux/rtnetlink.h).
pub(super) fn by_protocol(protocol: RouteProtocol) -> String {
    match protocol {
        RouteProtocol::Kernel => "the kernel's".to_owned(),
        RouteProtocol::Boot => "set by hand or by a script (protocol boot)".to_owned(),
        // systemd.network(5): the protocol of what it configures.
        RouteProtocol::Static => {
            "probably systemd-networkd's or NetworkManager's (protocol static)".to_owned()
        }
        RouteProtocol::Dhcp => "a DHCP client's (protocol dhcp)".to_owned(),
        RouteProtocol::Ra => "from a router advertisement (protocol ra)".to_owned(),
        other => format!("another program's (protocol {})", ProtocolName(other)),
    }
}

#[cfg(test)]
mod tests {
    use fps_netlink::{Family, Fwmark, RuleAction, RulePriority};

    use super::*;

    #[test]
    fn names_who_has_it() {
        let rule = |table| {
            let action = RuleAction::Lookup(TableId(table));
            Rule::new(Family::V4, RulePriority(9999), action)
        };
        assert_eq!(of_rule(&rule(51820)), "probably wg-quick's");
        assert_eq!(
            of_rule(&rule(7).marked(Fwmark(0x6d6f_6c65))),
            "probably Mullvad's"
        );
        assert_eq!(
            of_rule(&rule(7)),
            "set by hand or by a script (protocol boot)"
        );
    }
}
