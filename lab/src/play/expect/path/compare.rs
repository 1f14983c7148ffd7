//! The path that is wanted beside the real one.

use super::passage::{Passage, Seen};
use crate::scenario::TraceHop;

/// Where a real path and the wanted one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    /// The number of the first hop that differs, counted from 1.
    pub(super) number: usize,
    /// The wanted hop there; none where nothing more was wanted.
    pub(super) wanted: Option<String>,
    /// The real one; none where it went no further.
    pub(super) real: Option<String>,
    /// The real path's place there.
    at: usize,
}

/// Compares; gives nothing where they are the same.
///
/// The real path has two links of each host between: the one by which the packet came in, which must be
/// wanted, and the one by which it left, which may be.
pub(super) fn compare(wanted: &[TraceHop], passage: &Passage) -> Option<Comparison> {
    let mut hops = wanted.iter().peekable();
    let mut number = 1;
    for (at, seen) in passage.0.iter().enumerate() {
        let is_it = hops.peek().is_some_and(|hop| is(hop, seen));
        if is_it {
            hops.next();
            number += 1;
        } else if !may_be_left_out(at, seen) {
            return Some(Comparison {
                number,
                wanted: hops.peek().map(|hop| hop.to_string()),
                real: Some(seen.place()),
                at,
            });
        }
    }
    let missing = hops.peek()?;
    Some(Comparison {
        number,
        wanted: Some(missing.to_string()),
        real: None,
        at: passage.0.len(),
    })
}

fn is(hop: &TraceHop, seen: &Seen) -> bool {
    hop.host == seen.host && hop.link.as_str() == seen.link
}

/// The sender's link must be there, and so must those by which a packet comes in.
fn may_be_left_out(at: usize, seen: &Seen) -> bool {
    at > 0 && seen.sent
}

impl Comparison {
    /// Both paths, a line a hop.
    pub(super) fn side_by_side(&self, wanted: &[TraceHop], passage: &Passage) -> Vec<String> {
        const WIDTH: usize = 24;
        let mut lines = vec![format!("{:<WIDTH$} really", "wanted")];
        let mut hops = wanted.iter().peekable();
        for (at, seen) in passage.0.iter().enumerate() {
            let before = at < self.at;
            let hop = match (before, hops.peek()) {
                (true, Some(hop)) if !is(hop, seen) => None,
                (true, _) => hops.next(),
                // From here on the two have nothing to do with each other.
                (false, _) => hops.next(),
            };
            let hop = hop.map_or_else(String::new, TraceHop::to_string);
            let here = if at == self.at {
                "   <- here they part"
            } else {
                ""
            };
            let line = format!("{hop:<WIDTH$} {}{here}", seen.place());
            lines.push(line.trim_end().to_owned());
        }
        for (number, hop) in hops.enumerate() {
            let here = number == 0 && self.at == passage.0.len();
            let here = if here { "   <- it went no further" } else { "" };
            let line = format!("{:<WIDTH$} {here}", hop.to_string());
            lines.push(line.trim_end().to_owned());
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use fps_netlink::LinkName;

    use super::super::passage::tests::seen;
    use super::*;
    use crate::scenario::HostName;

    const REAL: [&str; 6] = [
        "laptop:fpsc0 out 64",
        "server:fpss0 in 64",
        "server:lan out 63",
        "gate:lan in 63",
        "gate:dmz out 62",
        "intranet:eth0 in 62",
    ];

    fn hops(text: &[&str]) -> Vec<TraceHop> {
        let hop = |text: &&str| {
            let (host, link) = text.split_once(':').unwrap();
            TraceHop {
                host: HostName::new(host),
                link: LinkName::new(link).unwrap(),
            }
        };
        text.iter().map(hop).collect()
    }

    fn against_real(wanted: &[&str]) -> Option<(usize, Option<String>, Option<String>)> {
        let found = compare(&hops(wanted), &Passage(seen(&REAL)));
        found.map(|it| (it.number, it.wanted, it.real))
    }

    #[test]
    fn links_by_which_it_is_passed_on_may_be_there_or_not() {
        let short = ["laptop:fpsc0", "server:fpss0", "gate:lan", "intranet:eth0"];
        assert_eq!(against_real(&short), None);
        let long = REAL.map(|it| it.split(' ').next().unwrap());
        assert_eq!(against_real(&long), None);
    }

    #[test]
    fn a_host_that_is_not_wanted_is_where_they_part() {
        let wanted = ["laptop:fpsc0", "server:fpss0", "intranet:eth0"];
        let some = |text: &str| Some(text.to_owned());
        let parted = (3, some("intranet:eth0"), some("gate:lan"));
        assert_eq!(against_real(&wanted), Some(parted));
    }

    #[test]
    fn another_link_to_pass_it_on_is_where_they_part() {
        let wanted = ["laptop:fpsc0", "server:fpss0", "server:wan", "gate:lan"];
        let (number, wanted, real) = against_real(&wanted).unwrap();
        assert_eq!((number, real), (3, Some("gate:lan".to_owned())));
        assert_eq!(wanted, Some("server:wan".to_owned()));
    }

    #[test]
    fn the_senders_link_may_not_be_left_out() {
        let (number, ..) = against_real(&["server:fpss0", "gate:lan", "intranet:eth0"]).unwrap();
        assert_eq!(number, 1);
    }

    #[test]
    fn what_goes_no_further_parts_at_its_end() {
        let wanted = hops(&["laptop:fpsc0", "server:fpss0", "intranet:eth0"]);
        let passage = Passage(seen(&REAL[..3]));
        let parted = compare(&wanted, &passage).unwrap();
        assert_eq!((parted.number, &parted.real), (3, &None));
        let lines = parted.side_by_side(&wanted, &passage);
        assert_eq!(lines.len(), 5);
        assert!(lines[4].ends_with("<- it went no further"), "{lines:#?}");
    }
}
