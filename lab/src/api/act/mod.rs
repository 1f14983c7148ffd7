//! What is done in a lab. Each of these is an act of the scenario format; where one has more keys than
//! there are methods, `set` takes them.

mod firewall;
mod footprint;
mod kernel;
mod link;
mod program;
mod routes;
mod server;

pub use firewall::{Firewall, Nft, firewall, nft};
pub use footprint::{Footprint, footprint};
pub use kernel::{Addr, Route, Rule, Sysctl, addr, route, rule, sysctl};
pub use link::{
    Dhcp, Impair, LinkState, Rename, Roam, dhcp, impair, link_delete, link_down, link_recreate,
    link_up, plug, rename, roam, unplug,
};
pub use program::{Call, Run, kill, run, start, stop};
pub use routes::{Routes, routes};
pub use server::{Advertise, DhcpServer, Dns, advertise, dhcp_server, dns};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::IntoAct;
    use crate::api::phrase::{self, verbs_of_the_format};

    fn verb(it: impl IntoAct) -> String {
        phrase::verb(&it.into_act())
    }

    #[test]
    fn each_act_of_the_format_has_words_here() {
        let mut said = [
            verb(start("client")),
            verb(stop("client")),
            verb(kill("client")),
            verb(run("laptop", ["true"])),
            verb(routes("laptop")),
            verb(roam("laptop", "wlan0", "cafe", "10.0.7.23")),
            verb(impair("laptop", "wlan0")),
            verb(plug("laptop", "wlan0")),
            verb(rename("laptop", "wlan0", "wlp1")),
            verb(dhcp("laptop", "wlan0", "renew")),
            verb(dhcp_server("router", "lan")),
            verb(advertise("router", "lan")),
            verb(dns("router")),
            verb(sysctl("laptop", "net.ipv4.ip_forward", 1)),
            verb(route("laptop", "10.0.0.0/8")),
            verb(rule("laptop")),
            verb(addr("laptop", "wlan0", "192.168.188.113")),
            verb(firewall("router", "forward")),
            verb(nft("router", "flush ruleset")),
            verb(footprint("docker", "laptop")),
        ]
        .to_vec();
        said.sort();
        said.dedup();
        assert_eq!(said, verbs_of_the_format("Act"));
    }
}
