//! NAT and firewalls of hosts: nftables in the kernel.

use fps_netlink::LinkName;
use fps_netns::masquerade;

use super::Lack;
use super::finding::{About, Finding};
use super::links::LINK;
use super::trial::Trial;
use crate::sandbox::SocketKind;

const ABOUT: About = About {
    name: "nat",
    purpose: "routers with `nat`, and the act `firewall`",
    decisive: true,
    program: false,
};

pub(super) fn examine(trial: &Trial) -> Finding {
    let Some((sandbox, host)) = trial.host() else {
        return ABOUT.untried("hosts");
    };
    let link = LinkName::new(LINK.to_owned()).expect("short enough");
    let set = sandbox
        .socket(host.id, SocketKind::Netfilter)
        .map_err(|error| crate::chain(&error))
        .and_then(|socket| masquerade(socket, &[link]).map_err(|error| crate::chain(&error)));
    match set {
        Ok(()) => ABOUT.ok("nftables took a table with masquerade"),
        Err(what) => ABOUT.missing(Lack::new(
            what,
            "sudo modprobe -a nf_tables nft_masq nft_chain_nat (NF_TABLES, NF_TABLES_INET, NFT_MASQ in \
             the kernel's configuration)",
        )),
    }
}
