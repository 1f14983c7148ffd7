//! Why a packet goes where it goes, as the kernel decides it.
//!
//! - [`Tables`]: the rules, routes, links and addresses of a host at one moment
//! - [`Walk`]: the kernel's lookup, rule by rule, held against what the kernel itself says
//! - `counters`: which of the kernel's counters tell of packets that went astray
//! - [`KernelDrop`]: the kernel's own reason for a packet that it dropped
//! - `cause`: patterns that are known from reports, one file for each
//! - [`Query`]: what somebody wants to know, and [`way`], how the packet leaves
//! - [`Explanation`]: all of it, as a failed expectation shows it

mod cause;
mod counters;
mod drop;
mod query;
mod show;
mod tables;
mod walk;

pub use cause::{Case, Claims, Fallen, FallenBy, Fate, Filter, Firewall, TooBig, Tunnel, likely};
pub use counters::telling;
pub use drop::KernelDrop;
pub use query::{Query, way};
pub use tables::Tables;
pub use walk::{Decision, Step, Walk};

/// How many counters of a host are shown.
const COUNTERS: usize = 8;
/// How many packets that the kernel dropped are shown.
const DROPS: usize = 3;

/// What explains a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// How the host where it went wrong decides about the packet.
    pub walks: Vec<Walk>,
    /// What is likely the cause, from patterns that are known: the likeliest first.
    pub causes: Vec<String>,
    /// What the kernel of the host says that it dropped, when the question was asked again; nothing where it
    /// cannot be heard.
    pub drops: Vec<KernelDrop>,
    /// What the counters of those hosts have counted since the step began.
    pub counted: Vec<Counted>,
    /// Why there is no explanation, where something could not be read.
    pub trouble: Option<String>,
}

/// Those of a host's counters that tell of packets that went astray.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// The host.
    pub host: String,
    /// Each counter that moved, and by how much.
    pub changes: Vec<(String, i64)>,
}

impl Counted {
    fn line(&self) -> String {
        let Self { host, changes } = self;
        let shown = changes.iter().take(COUNTERS);
        let shown: Vec<_> = shown.map(|(name, by)| format!("{name} {by:+}")).collect();
        let shown = shown.join(", ");
        match changes.len().saturating_sub(COUNTERS) {
            0 if changes.is_empty() => {
                format!("no counter of {host} for dropped packets moved in this step")
            }
            0 => format!("counters of {host} in this step: {shown}"),
            more => format!("counters of {host} in this step: {shown}, and {more} more"),
        }
    }
}

impl Explanation {
    /// As lines of text.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.reasons();
        lines.extend(self.drops.iter().take(DROPS).map(KernelDrop::line));
        lines.extend(self.counted.iter().map(Counted::line));
        let trouble = self.trouble.iter();
        lines.extend(trouble.map(|why| format!("not explained: {why}")));
        lines
    }

    /// How the hosts decide, and what is likely the cause, as lines of text. They say the same whenever
    /// the same happens; counters do not, and what the kernel drops is not told to everybody.
    pub fn reasons(&self) -> Vec<String> {
        let walks = self.walks.iter().flat_map(Walk::lines);
        let causes = self.causes.iter().map(|cause| format!("likely: {cause}"));
        walks.chain(causes).collect()
    }
}
