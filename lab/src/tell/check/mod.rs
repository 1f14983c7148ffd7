//! A sentence for each kind of expectation.

mod names;
mod packets;
mod probe;
mod programs;
mod state;

use super::words::time;
use crate::scenario::{Check, Expectation, When};

pub(super) fn sentence(expectation: &Expectation) -> String {
    let Expectation { name, check } = expectation;
    let said = match check {
        Check::Reach(it) => packets::reach(it),
        Check::Unreachable(it) => packets::unreachable(it),
        Check::Outage(it) => packets::outage(it),
        Check::Path(it) => packets::path(it),
        Check::Throughput(it) => packets::throughput(it),
        Check::Silent(it) => packets::silent(it),
        Check::NoCarrierLoop(it) => packets::no_carrier_loop(it),
        Check::Says(it) => programs::says(it),
        Check::Log(it) => programs::log(it),
        Check::Status(it) => programs::status(it),
        Check::Resolves(it) => names::resolves(it),
        Check::NotAsked(it) => names::not_asked(it),
        Check::Kernel(it) => state::kernel(it),
        Check::Unchanged(it) => state::unchanged(it),
        Check::Counter(it) => state::counter(it),
        Check::Changes(it) => state::changes(it),
        Check::Prints(it) => programs::prints(it),
    };
    match says_what_is_checked(name, check) {
        true => said[..1].to_uppercase() + &said[1..],
        false => format!("{name}: {said}"),
    }
}

/// Whether a name is the one that an expectation has where the file gives none: it would say all twice.
fn says_what_is_checked(name: &str, check: &Check) -> bool {
    let verb = match check {
        Check::Says(_) => " says `",
        Check::Log(_) => " logs ",
        Check::Resolves(_) => " resolves ",
        Check::NotAsked(_) => " is not asked for ",
        Check::Unchanged(_) => " unchanged since ",
        Check::Counter(_) => " counts ",
        Check::Prints(_) => " prints by ",
        Check::Reach(_)
        | Check::Unreachable(_)
        | Check::Outage(_)
        | Check::Path(_)
        | Check::Throughput(_)
        | Check::Silent(_)
        | Check::NoCarrierLoop(_)
        | Check::Kernel(_)
        | Check::Changes(_)
        | Check::Status(_) => return name.starts_with(&format!("{} ", check.kind())),
    };
    name.contains(verb)
}

/// `within 1 s`, `all the time for 300 ms`.
fn when(when: When) -> String {
    match when {
        When::Within(it) => format!("within {}", time(it)),
        When::For(it) => format!("all the time for {}", time(it)),
    }
}
