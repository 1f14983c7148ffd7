//! Who answers for the host's programs, and is told whom to ask.

use serde::{Deserialize, Serialize};

/// A resolver that keeps settings for each link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResolverKind {
    /// systemd-resolved(8).
    #[default]
    Resolved,
    /// `fps-dns`, which takes /etc/resolv.conf over.
    Stub,
}

impl ResolverKind {
    /// The program that changes its settings by hand.
    pub fn command(self) -> &'static str {
        match self {
            Self::Resolved => "resolvectl",
            Self::Stub => "fps-dns",
        }
    }

    /// What is missing where it is.
    pub(crate) fn lack(self) -> &'static str {
        match self {
            Self::Resolved => "systemd-resolved, and there is no system bus to reach it by",
            Self::Stub => "the program fps-dns, which is not in PATH",
        }
    }

    /// What to do then.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Self::Resolved => "install and start it, or put fps-dns in PATH",
            Self::Stub => "put it there, or have --dns-backend resolved",
        }
    }

    /// Whether it is the one that a record means which names none.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
