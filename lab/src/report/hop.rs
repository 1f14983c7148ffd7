//! Where a packet was seen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ms;
use crate::play::{self, Evidence};

/// A packet on an interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Hop {
    /// The line of the evidence that shows it, from 0.
    pub line: usize,
    /// Milliseconds since the question; of what nobody asked, since the step began.
    pub after_ms: f64,
    /// The host.
    pub host: String,
    /// Its link.
    pub link: String,
    /// How it went by.
    pub way: Way,
    /// The packet, in words.
    pub packet: String,
}

/// How a packet goes by an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Into the host.
    In,
    /// Out of it.
    Out,
    /// It is for another station.
    PassingBy,
}

impl Hop {
    /// Those of an expectation's evidence.
    pub(super) fn all(evidence: &[Evidence]) -> Vec<Self> {
        let hops = evidence
            .iter()
            .enumerate()
            .filter_map(|(line, it)| match it {
                Evidence::Line(_) => None,
                Evidence::Hop(hop) => Some(Self {
                    line,
                    after_ms: ms(hop.at),
                    host: hop.host.clone(),
                    link: hop.link.clone(),
                    way: hop.way.into(),
                    packet: hop.packet.clone(),
                }),
            });
        hops.collect()
    }
}

impl From<play::Way> for Way {
    fn from(way: play::Way) -> Self {
        match way {
            play::Way::In => Self::In,
            play::Way::Out => Self::Out,
            play::Way::PassingBy => Self::PassingBy,
        }
    }
}
