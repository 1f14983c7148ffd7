//! Links: a veth pair between a bridge and a host.

use std::os::fd::AsFd;

use fps_netlink::LinkName;

use super::Lack;
use super::finding::{About, Finding};
use super::trial::Trial;

const ABOUT: About = About {
    name: "links",
    purpose: "every lab: veth pairs and bridges",
    decisive: true,
    program: false,
};

/// What the link is called in the host.
pub(super) const LINK: &str = "eth0";

pub(super) async fn examine(trial: &Trial) -> Finding {
    let Some(bench) = &trial.bench else {
        return ABOUT.untried("namespaces");
    };
    let Ok(host) = &bench.host else {
        return ABOUT.untried("hosts");
    };
    let name = |name: &str| LinkName::new(name.to_owned()).expect("short enough");
    let plugged = async {
        let switch = bench.switch.as_ref().map_err(|error| crate::chain(error))?;
        let segment = switch.add_segment(&name("net0")).await;
        let segment = segment.map_err(|error| crate::chain(&error))?;
        let (port, link) = (name("port0"), name(LINK));
        let plugged = switch.plug(segment, &port, &link, host.namespace.as_fd());
        plugged.await.map_err(|error| crate::chain(&error))
    };
    match plugged.await {
        Ok(_) => ABOUT.ok("a veth pair and a bridge made"),
        Err(what) => ABOUT.missing(Lack::new(what, "sudo modprobe -a veth bridge")),
    }
}
