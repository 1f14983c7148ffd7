//! Namespaces: a sandbox is made.

use std::path::Path;

use nix::unistd::geteuid;

use super::Lack;
use super::finding::{About, Finding};
use super::proc::Rules;
use crate::sandbox::SandboxError;

const ABOUT: About = About {
    name: "namespaces",
    purpose: "every lab: a process tree with networks and mounts of its own",
    decisive: true,
    program: false,
};

/// What takes away a container's limits, one by one.
const OPEN_CONTAINER: &str = "start the container with --privileged, or with --security-opt \
     seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined";

/// The capabilities that root needs in a container for the first way of docs/ci.md.
const CAPABILITIES: &str = "--cap-add SYS_ADMIN --cap-add NET_ADMIN --cap-add NET_RAW";

pub(super) fn examine(sandbox: Result<(), Lack>) -> Finding {
    match sandbox {
        Ok(()) if geteuid().is_root() => ABOUT.ok("made, as root"),
        Ok(()) => ABOUT.ok("made, in a user namespace"),
        Err(lack) => ABOUT.missing(lack),
    }
}

/// What to do where there is no sandbox.
pub(super) fn explain(error: &SandboxError) -> Lack {
    let remedy = match error {
        SandboxError::Namespaces(_) | SandboxError::Refused { .. } => remedy(&rules()),
        SandboxError::Helper { .. } => {
            "mount /proc, and put the program where it may be executed (no noexec)".to_owned()
        }
        _ => "try it again where less else runs".to_owned(),
    };
    Lack::new(crate::chain(error), remedy)
}

/// Whether root may make namespaces and change what is in them. It is looked at before anything is made:
/// which step the kernel refuses first depends on whether root is the machine's or a user namespace's
/// (net/sysctl_net.c lets the machine's root write without CAP_NET_ADMIN).
pub(super) fn look() -> Result<(), Lack> {
    let rules = rules();
    if rules.lacks.is_empty() {
        return Ok(());
    }
    let what = "make the namespaces and networks of a lab";
    Err(Lack::new(what, remedy(&rules)))
}

/// Those of this machine, for who we are.
pub(super) fn rules() -> Rules {
    Rules::read(Path::new("/proc"), geteuid().is_root())
}

/// The commands that allow namespaces, and what is done in them.
pub(super) fn remedy(rules: &Rules) -> String {
    let or_root = if rules.root {
        ""
    } else {
        ", or run as root (sudo)"
    };
    if let Some(spent) = rules.spent.first() {
        return format!("sudo sysctl {spent}=10000{or_root}");
    }
    if rules.root {
        return match rules.lacks.as_slice() {
            [] => OPEN_CONTAINER.to_owned(),
            lacks => format!(
                "root lacks {} here: {OPEN_CONTAINER} {CAPABILITIES}",
                lacks.join(" and ")
            ),
        };
    }
    if rules.clone_off {
        return format!("sudo sysctl kernel.unprivileged_userns_clone=1{or_root}");
    }
    if rules.apparmor {
        return format!(
            "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0, or give the program an \
             AppArmor profile with `userns,` (docs/ci.md){or_root}"
        );
    }
    if rules.filtered {
        return format!("{OPEN_CONTAINER}{or_root}");
    }
    format!(
        "allow user namespaces (sysctl user.max_user_namespaces, also of a namespace around this \
         one){or_root}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordinary() -> Rules {
        Rules::default()
    }

    #[test]
    fn each_rule_has_its_own_remedy() {
        let root = |lacks: &[&'static str]| Rules {
            root: true,
            lacks: lacks.to_vec(),
            ..ordinary()
        };
        let spent = Rules {
            spent: vec!["user.max_net_namespaces".to_owned()],
            ..ordinary()
        };
        let clone_off = Rules {
            clone_off: true,
            ..ordinary()
        };
        let apparmor = Rules {
            apparmor: true,
            ..ordinary()
        };
        let filtered = Rules {
            filtered: true,
            ..ordinary()
        };
        let cases = [
            (
                spent,
                "sudo sysctl user.max_net_namespaces=10000, or run as root",
            ),
            (
                clone_off,
                "sudo sysctl kernel.unprivileged_userns_clone=1, or",
            ),
            (
                apparmor,
                "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0, or",
            ),
            (filtered, "seccomp=unconfined"),
            (root(&["CAP_NET_ADMIN"]), "root lacks CAP_NET_ADMIN here"),
            (root(&["CAP_SYS_ADMIN"]), "--cap-add SYS_ADMIN"),
            (root(&[]), "--privileged"),
            (ordinary(), "allow user namespaces"),
        ];
        for (rules, sign) in cases {
            let said = remedy(&rules);
            assert!(said.contains(sign), "{rules:?}: no {sign:?} in {said}");
        }
    }

    #[test]
    fn root_is_not_told_to_become_root() {
        for lacks in [vec![], vec!["CAP_SYS_ADMIN"]] {
            let rules = Rules {
                root: true,
                lacks,
                apparmor: true,
                ..ordinary()
            };
            assert!(!remedy(&rules).contains("sudo"), "{}", remedy(&rules));
        }
    }
}
