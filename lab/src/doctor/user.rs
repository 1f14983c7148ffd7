//! Who we are, and whose uids we have: a user namespace of an ordinary user has one only.

use std::fs;

use nix::unistd::geteuid;

use super::Lack;
use super::finding::{About, Finding};

const ABOUT: About = About {
    name: "user",
    purpose: "scenarios that need a second uid: probes with `uid`, rules by user",
    decisive: false,
    program: false,
};

/// What to do.
const REMEDY: &str = "run as root (sudo)";

/// Any user that is not root: the first that Debian gives to a person.
pub(super) const ANOTHER: u32 = 1000;

pub(super) fn examine() -> Finding {
    let user = geteuid();
    match second(ANOTHER, "") {
        Ok(()) => ABOUT.ok("root, who has all uids"),
        Err(_) => ABOUT.limited(
            format!("user {user}, who has no other uid: what needs one is skipped"),
            Some(REMEDY.to_owned()),
        ),
    }
}

/// Whether we can be that user; `what` needs it.
pub(super) fn second(uid: u32, what: &str) -> Result<(), Lack> {
    // An empty text maps nobody.
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    if geteuid().is_root() && maps(&map, uid) {
        return Ok(());
    }
    Err(Lack::new(format!("needs a second uid ({what})"), REMEDY))
}

/// Whether a user of this namespace has the number: each line is its first number here, that outside,
/// and how many there are (user_namespaces(7)).
fn maps(map: &str, uid: u32) -> bool {
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        let (first, _, count) = (numbers.next(), numbers.next(), numbers.next());
        let (Some(Ok(first)), Some(Ok(count))) = (first, count) else {
            return false;
        };
        uid.checked_sub(first).is_some_and(|it| it < count)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_has_the_uids_of_its_map() {
        let machine = "         0          0 4294967295\n";
        let ordinary = "         0       1000          1\n";
        let container = "0 100000 65536\n70000 1000 1\n";
        assert!(maps(machine, 1000) && maps(container, 1000) && maps(container, 70000));
        assert!(!maps(ordinary, 1000) && !maps(container, 65536) && !maps("", 0));
    }
}
