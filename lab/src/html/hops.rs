//! Where a packet was seen, read from the lines of an expectation's evidence.

use crate::draw;

/// A packet on one interface.
pub(super) struct Hop<'a> {
    /// Milliseconds since the first question.
    pub(super) at: &'a str,
    /// The host.
    pub(super) host: &'a str,
    /// Its link.
    pub(super) link: &'a str,
    /// `in`, `out` or `passing by`.
    pub(super) way: &'a str,
    /// The packet.
    pub(super) packet: &'a str,
}

/// Evidence: the hops, and all other lines.
pub(super) struct Seen<'a> {
    pub(super) hops: Vec<Hop<'a>>,
    pub(super) rest: Vec<&'a str>,
}

impl<'a> Hop<'a> {
    /// `    0.02 ms  laptop:wlan0         out 192.168.188.112 > 10.66.1.20 icmp echo request`.
    fn read(line: &'a str) -> Option<Self> {
        let (at, rest) = line.trim_start().split_once(" ms  ")?;
        at.parse::<f64>().ok()?;
        let (place, rest) = rest.split_once(' ')?;
        let (host, link) = place.split_once(':')?;
        let rest = rest.trim_start();
        let ways = ["in", "out", "passing by"];
        let way = ways.into_iter().find(|way| {
            let after = rest.strip_prefix(way);
            after.is_some_and(|after| after.starts_with(' '))
        })?;
        Some(Self {
            at,
            host,
            link,
            way,
            packet: rest[way.len()..].trim_start(),
        })
    }

    /// The hop as the picture has it; none of a packet that was not for the host.
    pub(super) fn drawn(&self) -> Option<draw::Hop<'a>> {
        let way = match self.way {
            "in" => draw::Way::In,
            "out" => draw::Way::Out,
            _ => return None,
        };
        Some(draw::Hop {
            host: self.host,
            link: self.link,
            way,
        })
    }
}

/// Sorts the lines of an expectation's evidence.
pub(super) fn seen(evidence: &[String]) -> Seen<'_> {
    let (mut hops, mut rest) = (Vec::new(), Vec::new());
    for line in evidence {
        match Hop::read(line) {
            Some(hop) => hops.push(hop),
            None => rest.push(line.as_str()),
        }
    }
    Seen { hops, rest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hops_are_told_from_other_lines() {
        let lines = [
            "8 x icmp 10.66.1.20: no answer",
            "   18.53 ms  laptop:wlan0         out 192.168.188.112 > 10.66.1.20 icmp echo request",
            "    3.30 ms  a-host-of-a-long-name:lan passing by 10.0.0.1 > 10.0.0.2 tcp [S]",
            "   11.43 ms  on laptop: wlan0 set down",
        ];
        let lines = lines.map(str::to_owned);
        let seen = seen(&lines);
        let told: Vec<_> = seen
            .hops
            .iter()
            .map(|it| (it.at, it.host, it.link, it.way))
            .collect();
        assert_eq!(
            told,
            [
                ("18.53", "laptop", "wlan0", "out"),
                ("3.30", "a-host-of-a-long-name", "lan", "passing by")
            ]
        );
        assert_eq!(seen.hops[1].packet, "10.0.0.1 > 10.0.0.2 tcp [S]");
        assert_eq!(seen.rest, [lines[0].as_str(), lines[3].as_str()]);
    }
}
