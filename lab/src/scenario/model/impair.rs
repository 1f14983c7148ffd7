//! How bad a link is.

use std::fmt;
use std::time::Duration;

use fps_netlink::LinkName;

use super::HostName;

/// A change of how bad a link is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImpairChange {
    /// The host.
    pub on: HostName,
    /// Its link, one of the file's.
    pub link: LinkName,
    /// What changes.
    pub what: ImpairAction,
}

/// What changes of how bad a link is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImpairAction {
    /// It gets worse, or otherwise bad.
    Set(Impairment),
    /// It is good again.
    Clear,
}

/// How bad a link is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impairment {
    /// What happens to frames, and the ways on which it does; nothing where only the MTU changes.
    pub shape: Option<(Shape, Ways)>,
    /// The MTU of both ends.
    pub mtu: Option<u32>,
}

/// What happens to the frames that go one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// How long each takes, beside what the rate costs.
    pub delay: Duration,
    /// By how much that varies, up and down.
    pub jitter: Duration,
    /// How many are lost.
    pub loss: Share,
    /// How many go without the delay, and so before others.
    pub reorder: Share,
    /// How many bits go in a second.
    pub rate: Option<BitRate>,
}

/// Which ways frames go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ways {
    /// From the host into the net.
    Out,
    /// From the net to the host.
    In,
    /// Both.
    Both,
}

/// A part of all, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(pub u32);

/// Bits a second, more than none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitRate(pub u64);

impl Share {
    /// All of it.
    pub const ALL: Self = Self(1_000_000);

    /// The same as a fraction, 0 to 1.
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / f64::from(Self::ALL.0)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", f64::from(self.0) / 1e4)
    }
}

impl fmt::Display for BitRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bits if bits % 1_000_000 == 0 => write!(f, "{}mbit", bits / 1_000_000),
            bits => write!(f, "{}kbit", bits / 1_000),
        }
    }
}

/// As tc-netem(8) writes it.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        if !self.delay.is_zero() {
            words.push(format!("delay {:?}", self.delay));
        }
        if !self.jitter.is_zero() {
            words.push(format!("jitter {:?}", self.jitter));
        }
        if self.loss > Share(0) {
            words.push(format!("loss {}", self.loss));
        }
        if self.reorder > Share(0) {
            words.push(format!("reorder {}", self.reorder));
        }
        if let Some(rate) = self.rate {
            words.push(format!("rate {rate}"));
        }
        f.write_str(&words.join(" "))
    }
}

impl fmt::Display for Ways {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Out => "out",
            Self::In => "in",
            Self::Both => "both ways",
        })
    }
}
