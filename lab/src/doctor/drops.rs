//! The kernel's own reasons for the packets that it drops.

use fps_drops::{Drops, Error, Kernel};

use super::finding::{About, Finding};
use super::trial::Trial;
use crate::sandbox::SocketKind;

const ABOUT: About = About {
    name: "drop reasons",
    purpose: "explanations: the kernel's own reason for a packet that a host dropped",
    decisive: false,
    program: false,
};

pub(super) fn examine(trial: &Trial) -> Finding {
    let Some((sandbox, host)) = trial.host() else {
        return ABOUT.untried("hosts");
    };
    let socket = match sandbox.socket(host.id, SocketKind::Netfilter) {
        Ok(socket) => socket,
        Err(error) => {
            let remedy = "see to the hosts first".to_owned();
            return ABOUT.limited(crate::chain(&error), Some(remedy));
        }
    };
    let heard = Kernel::read().and_then(|kernel| Drops::hear(&kernel, socket).map(drop));
    match heard {
        Ok(()) => ABOUT.ok("heard in a host, at skb:kfree_skb"),
        Err(error) => ABOUT.limited(crate::chain(&error), Some(remedy(&error).to_owned())),
    }
}

fn remedy(error: &Error) -> &'static str {
    match error {
        Error::NoBtf(_) | Error::Btf(_) | Error::Unknown(_) => {
            "a kernel of 5.17 or later with CONFIG_DEBUG_INFO_BTF=y"
        }
        Error::Cookie(_) => "a kernel of 5.17 or later",
        _ => "run as root, with CAP_BPF and CAP_PERFMON, outside any user namespace",
    }
}
