//! What a failed expectation has seen.

use std::fmt;
use std::time::Duration;

use fps_packet::Direction;

/// A line of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    /// In words.
    Line(String),
    /// A packet on an interface.
    Hop(Hop),
}

/// A packet on an interface of the lab.
#[derive(Clone, Debug, PartialEq)]
pub struct Hop {
    /// When: since the question, or, of what nobody asked, since the step began.
    pub at: Duration,
    /// The host.
    pub host: String,
    /// Its link.
    pub link: String,
    /// How the packet went by.
    pub way: Way,
    /// The packet, as the lab prints it.
    pub packet: String,
}

/// How a packet goes by an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Into the host.
    In,
    /// Out of it.
    Out,
    /// It is for another station: a bridge floods what it knows no port for.
    PassingBy,
}

impl From<Direction> for Way {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Sent => Self::Out,
            Direction::OtherHost => Self::PassingBy,
            _ => Self::In,
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::In => "in",
            Self::Out => "out",
            Self::PassingBy => "passing by",
        })
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => f.write_str(line),
            Self::Hop(hop) => {
                let at = hop.at.as_secs_f64() * 1e3;
                let place = format!("{}:{}", hop.host, hop.link);
                write!(f, "{at:8.2} ms  {place:<20} {:<3} {}", hop.way, hop.packet)
            }
        }
    }
}

impl From<String> for Evidence {
    fn from(line: String) -> Self {
        Self::Line(line)
    }
}

impl From<Hop> for Evidence {
    fn from(hop: Hop) -> Self {
        Self::Hop(hop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hops_stand_one_below_the_other() {
        let hop = Hop {
            at: Duration::from_micros(18_531),
            host: "laptop".to_owned(),
            link: "wlan0".to_owned(),
            way: Way::In,
            packet: "192.168.188.112 > 10.66.1.20 icmp echo request".to_owned(),
        };
        assert_eq!(
            Evidence::from(hop).to_string(),
            "   18.53 ms  laptop:wlan0         in  192.168.188.112 > 10.66.1.20 icmp echo request"
        );
    }
}
