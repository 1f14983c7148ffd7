//! Whether names lead to what they should.

use crate::scenario::{NotAsked, Resolves, Wanted, Way};
use crate::tell::words::{code, list, time};

pub(super) fn resolves(resolves: &Resolves) -> String {
    let Resolves {
        on,
        name,
        kind,
        to,
        by,
        asked,
        via,
        within,
    } = resolves;
    let to = match to {
        Wanted::Data(data) => format!("leads to {}", list(data.iter().map(|it| code(it)))),
        Wanted::NoName => "is no name that there is".to_owned(),
        Wanted::NoData => "has no record of that type".to_owned(),
        Wanted::Refused => "is refused".to_owned(),
        Wanted::Failure => "fails".to_owned(),
    };
    let ways = list(by.iter().map(|way| match way {
        Way::Nss => "as programs ask",
        Way::Udp => "by UDP",
        Way::Tcp => "by TCP",
        Way::Resolvectl => "by resolvectl",
    }));
    let asked = asked.as_ref();
    let asked = asked.map(|host| format!(", and the server of {host} alone is asked"));
    let via = via.map(|link| format!(", by {link} alone"));
    let within = time(*within);
    format!(
        "within {within} on {on} the name {name} ({kind}) {to}, {ways}{}{}.",
        asked.unwrap_or_default(),
        via.unwrap_or_default()
    )
}

pub(super) fn not_asked(wanted: &NotAsked) -> String {
    let NotAsked { on, name, hold } = wanted;
    let name = match name.as_str() {
        "." => "any name".to_owned(),
        name => format!("{name} or a name below it"),
    };
    let hold = time(*hold);
    format!("until {hold} later the server of {on} is not asked for {name}.")
}
