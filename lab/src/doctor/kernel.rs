//! The kernel's release, where it decides how quick a lab is.

use nix::sys::utsname::uname;

use super::finding::{About, Finding};

const ABOUT: About = About {
    name: "kernel",
    purpose: "carriers that come and go at once: an older one tells of them up to a second later",
    decisive: false,
    program: false,
};

/// Since it, RTM_GETLINK makes linkwatch run at once.
const QUICK: (u32, u32) = (6, 8);

pub(super) fn examine() -> Finding {
    let release = uname().map(|it| it.release().to_string_lossy().into_owned());
    let release = release.unwrap_or_else(|errno| format!("unknown ({errno})"));
    let seen = format!("Linux {release}");
    match numbers(&release) {
        Some(numbers) if numbers >= QUICK => ABOUT.ok(seen),
        _ => ABOUT.limited(
            seen,
            Some(
                "Linux 6.8 or later; no scenario fails without it, but some take longer".to_owned(),
            ),
        ),
    }
}

/// `6.8` of `6.8.0-31-generic`.
fn numbers(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_as_numbers() {
        assert_eq!(numbers("6.18.44-fc"), Some((6, 18)));
        assert_eq!(numbers("6.8.0-31-generic"), Some((6, 8)));
        assert_eq!(numbers("5.15.167+"), Some((5, 15)));
        assert_eq!(numbers("unknown"), None);
        assert!(numbers("6.18.1") > Some(QUICK) && numbers("5.15.1") < Some(QUICK));
    }
}
