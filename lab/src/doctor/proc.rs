//! What /proc tells of this machine's rules for namespaces.

use std::fs;
use std::path::Path;

/// The capabilities that a sandbox takes, and their numbers (linux/capability.h).
const NEEDED: [(&str, u32); 3] = [
    ("CAP_NET_ADMIN", 12),
    // For captures, and questions by ICMP.
    ("CAP_NET_RAW", 13),
    ("CAP_SYS_ADMIN", 21),
];

/// The kinds of namespaces that a sandbox and its hosts are made of, as in `/proc/sys/user/max_*_namespaces`.
const KINDS: [&str; 7] = ["user", "pid", "mnt", "net", "uts", "ipc", "cgroup"];

/// The rules, and who we are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rules {
    /// Whether we are root, of the machine or of a user namespace.
    pub(super) root: bool,
    /// The capabilities that we lack, though we are root.
    pub(super) lacks: Vec<&'static str>,
    /// The sysctls of which as many as none may be made (namespaces(7)).
    pub(super) spent: Vec<String>,
    /// Debian's older switch is off: `kernel.unprivileged_userns_clone`.
    pub(super) clone_off: bool,
    /// Ubuntu's AppArmor takes from an ordinary user what his namespace would give him.
    pub(super) apparmor: bool,
    /// System calls are filtered, as in a container.
    pub(super) filtered: bool,
}

impl Rules {
    /// Reads them; `proc` is /proc.
    pub(super) fn read(proc: &Path, root: bool) -> Self {
        let value = |key: &str| fs::read_to_string(proc.join("sys").join(key));
        let is = |key: &str, wanted: &str| value(key).is_ok_and(|it| it.trim() == wanted);
        let status = fs::read_to_string(proc.join("self/status")).unwrap_or_default();
        let field = |name: &str| {
            let mut fields = status.lines().filter_map(|line| line.split_once(':'));
            fields
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.trim())
        };
        let capabilities = field("CapEff").and_then(|it| u64::from_str_radix(it, 16).ok());
        let capabilities = capabilities.unwrap_or_default();
        let lacks = NEEDED
            .iter()
            .filter(|(_, number)| root && capabilities >> number & 1 == 0);
        Self {
            root,
            lacks: lacks.map(|(name, _)| *name).collect(),
            spent: KINDS
                .iter()
                .filter(|kind| is(&format!("user/max_{kind}_namespaces"), "0"))
                .map(|kind| format!("user.max_{kind}_namespaces"))
                .collect(),
            clone_off: is("kernel/unprivileged_userns_clone", "0"),
            apparmor: is("kernel/apparmor_restrict_unprivileged_userns", "1"),
            filtered: field("Seccomp") == Some("2"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A /proc with these files.
    fn proc(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn a_machine_without_these_files_has_no_rules() {
        let rules = Rules::read(proc(&[]).path(), false);
        assert_eq!(rules, Rules::default());
    }

    #[test]
    fn every_rule_is_read() {
        let folder = proc(&[
            ("sys/user/max_user_namespaces", "0\n"),
            ("sys/user/max_net_namespaces", "96551\n"),
            ("sys/kernel/unprivileged_userns_clone", "0\n"),
            ("sys/kernel/apparmor_restrict_unprivileged_userns", "1\n"),
            ("self/status", "CapEff:\t0000000000203000\nSeccomp:\t2\n"),
        ]);
        let wanted = Rules {
            root: true,
            lacks: Vec::new(),
            spent: vec!["user.max_user_namespaces".to_owned()],
            clone_off: true,
            apparmor: true,
            filtered: true,
        };
        assert_eq!(Rules::read(folder.path(), true), wanted);
    }

    #[test]
    fn a_capability_that_root_lacks_is_named() {
        for (effective, lacks) in [
            ("0000000000202000", &["CAP_NET_ADMIN"][..]),
            ("0000000000003000", &["CAP_SYS_ADMIN"]),
            // What Podman leaves.
            (
                "00000000800005fb",
                &["CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_SYS_ADMIN"],
            ),
            ("00000000a80425fb", &["CAP_NET_ADMIN", "CAP_SYS_ADMIN"]),
        ] {
            let folder = proc(&[("self/status", &*format!("CapEff:\t{effective}\n"))]);
            assert_eq!(Rules::read(folder.path(), true).lacks, lacks, "{effective}");
        }
    }

    #[test]
    fn what_is_allowed_is_no_rule() {
        let folder = proc(&[
            ("sys/user/max_user_namespaces", "96551\n"),
            ("sys/kernel/unprivileged_userns_clone", "1\n"),
            ("sys/kernel/apparmor_restrict_unprivileged_userns", "0\n"),
            ("self/status", "CapEff:\t0000000000200000\nSeccomp:\t0\n"),
        ]);
        assert_eq!(Rules::read(folder.path(), false), Rules::default());
    }
}
