//! What must hold in a lab. Each of these is an expectation of the scenario format, checked by the same
//! code; where one has more keys than there are methods, `set` takes them.
//!
//! A host with several links is `"host:link"` where a target is asked for.

mod name;
mod program;
mod reach;
mod state;

pub use name::{NotAsked, Resolves, not_asked, resolves};
pub use program::{Log, Says, Status, log, says, status};
pub use reach::{
    NoCarrierLoop, Outage, Reach, Silent, Throughput, Trace, Unreachable, no_carrier_loop, outage,
    path, reach, silent, throughput, unreachable,
};
pub use state::{Changes, Counter, Kernel, Unchanged, changes, counter, kernel, unchanged};
