//! A host: its own /etc (overlayfs), /run (tmpfs), /sys and sysctls.

use super::finding::{About, Finding};
use super::trial::Trial;
use super::{Lack, namespaces};
use crate::sandbox::SandboxError;

const ABOUT: About = About {
    name: "hosts",
    purpose: "every lab: hosts with an /etc, a /run, a /sys and sysctls of their own",
    decisive: true,
    program: false,
};

pub(super) fn examine(trial: &Trial) -> Finding {
    match trial.bench.as_ref().map(|bench| &bench.host) {
        None => ABOUT.untried("namespaces"),
        Some(Ok(_)) => ABOUT.ok("made, with an overlay on /etc"),
        Some(Err(error)) => ABOUT.missing(explain(error)),
    }
}

fn explain(error: &SandboxError) -> Lack {
    let (what, rules) = (crate::chain(error), namespaces::rules());
    let can = rules.lacks.is_empty();
    let remedy = if can && what.contains("overlay") {
        "sudo modprobe overlay; as an ordinary user it takes Linux 5.11 or later".to_owned()
    } else if can && what.contains("sysfs") {
        "in a container: --security-opt systempaths=unconfined, or --privileged".to_owned()
    } else {
        namespaces::remedy(&rules)
    };
    Lack::new(what, remedy)
}
