//! Two links of systemd-resolved that claim all names: the first answer wins, whoever gives it
//! (systemd#6076, update-systemd-resolved#59).

use super::Case;

/// Which links claim all names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Those that have servers and the domain `~.`.
    pub all_names: Vec<String>,
    /// Each link with servers, in words, with its servers and domains.
    pub servers: Vec<String>,
    /// Those that have servers and the flag `default-route`.
    pub default_route: Vec<String>,
}

pub(super) fn cause(case: &Case<'_>) -> Option<String> {
    let Claims {
        all_names,
        default_route,
        servers: _,
    } = case.claims.as_ref()?;
    // A link with `~.` is asked in place of those with the flag alone.
    let (claiming, what) = match all_names.as_slice() {
        [] => (
            default_route,
            "have the default-route flag, and none has `~.`",
        ),
        _ => (all_names, "claim all names (`~.`)"),
    };
    (claiming.len() > 1).then(|| {
        format!(
            "{} {what}: all of them are asked, and the first answer wins",
            claiming.join(" and ")
        )
    })
}
