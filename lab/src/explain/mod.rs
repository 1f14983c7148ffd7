//! Why a packet goes where it goes, as the kernel decides it.
//!
//! - [`Tables`]: the rules, routes, links and addresses of a host at one moment
//! - [`Walk`]: the kernel's lookup, rule by rule, held against what the kernel itself says
//! - `cause`: patterns that are known from reports, one file for each
//! - [`Explanation`]: all of it, as a failed expectation shows it

mod cause;
mod show;
mod tables;
mod walk;

use serde::Serialize;

pub use cause::{Case, Claims, Filter, TooBig, Tunnel, likely};
pub use tables::Tables;
pub use walk::{Step, Walk};

/// How many counters of a host are shown.
const COUNTERS: usize = 8;

/// What explains a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// How the host where it went wrong decides about the packet.
    pub walks: Vec<Walk>,
    /// What is likely the cause, from patterns that are known: the likeliest first.
    pub causes: Vec<String>,
    /// What the counters of that host have counted since the step began, of those that tell of
    /// packets that went astray.
    pub counters: Vec<String>,
    /// Whose counters.
    pub counted_on: Option<String>,
}

impl Explanation {
    /// As lines of text.
    pub fn lines(&self) -> Vec<String> {
        let walks = self.walks.iter().flat_map(Walk::lines);
        let causes = self.causes.iter().map(|cause| format!("likely: {cause}"));
        let counters = self.counted_on.iter().map(|host| {
            let counters = &self.counters;
            let shown = counters[..counters.len().min(COUNTERS)].join(", ");
            let more = match counters.len().saturating_sub(COUNTERS) {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            match counters.is_empty() {
                true => format!("no counter of {host} for dropped packets moved in this step"),
                false => format!("counters of {host} in this step: {shown}{more}"),
            }
        });
        walks.chain(causes).chain(counters).collect()
    }
}
