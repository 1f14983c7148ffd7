//! tc-netem(8), which the lab does without.

use super::finding::{About, Finding};
use super::links::LINK;
use super::trial::Trial;
use fps_netlink::LinkName;
use nix::errno::Errno;

const ABOUT: About = About {
    name: "netem",
    purpose: "a `run` of tc(8) only: `impair` has a wire of the lab's own, and needs none",
    decisive: false,
    program: false,
};

pub(super) async fn examine(trial: &Trial) -> Finding {
    let Some(station) = trial.station() else {
        return ABOUT.untried("hosts");
    };
    let link = LinkName::new(LINK.to_owned()).expect("short enough");
    let added = async {
        let index = station
            .link(&link)
            .await
            .map_err(|error| crate::chain(&error))?
            .index;
        let added = station.netlink().add_netem(index).await;
        added.map_err(|error| match error.errno() {
            Some(Errno::ENOENT) => "this kernel has none".to_owned(),
            _ => crate::chain(&error),
        })
    };
    match added.await {
        Ok(()) => ABOUT.ok("put on a link"),
        Err(what) => ABOUT.limited(what, Some("sudo modprobe sch_netem".to_owned())),
    }
}
