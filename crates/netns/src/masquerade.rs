//! NAT for a router: one nftables table.

use std::os::fd::OwnedFd;

use fps_netlink::LinkName;
use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE};
use netlink_packet_netfilter::nftables::{InetHookNumber, MetaKey, NfTablesMessage};

use crate::error::{Error, Result};
use crate::expression::Expression;
use crate::transaction::{Base, Transaction, table};

/// The table's name, as `nft list ruleset` shows it.
const TABLE: &str = "fps-lab";

const CHAIN: Base<'_> = Base {
    table: TABLE,
    name: "postrouting",
    kind: "nat",
    hook: InetHookNumber::PostRouting,
    // `NF_IP_PRI_NAT_SRC` in linux/netfilter_ipv4.h.
    priority: 100,
};

/// `nft add rule inet fps-lab postrouting oifname LINK masquerade` for each link, IPv4 and IPv6,
/// with the table and the chain, as one transaction.
///
/// The socket is a NETLINK_NETFILTER one of the router's namespace. A kernel that does not answer
/// within ten seconds is an error.
pub fn masquerade(socket: OwnedFd, links: &[LinkName]) -> Result<()> {
    let mut transaction = Transaction::new();
    transaction.push(NfTablesMessage::NewTable(table(TABLE)), NLM_F_CREATE);
    transaction.push(NfTablesMessage::NewChain(CHAIN.message()), NLM_F_CREATE);
    for link in links {
        let mut leaves = Expression::default();
        leaves.link(MetaKey::Oifname, link).masquerade();
        let rule = leaves.rule(TABLE, CHAIN.name);
        transaction.push(NfTablesMessage::NewRule(rule), NLM_F_CREATE | NLM_F_APPEND);
    }
    transaction.commit(socket).map_err(Error::Masquerade)
}
