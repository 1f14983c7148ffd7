//! What a lab is made of: network namespaces, and the segments that join them.
//!
//! - [`Namespace`]: create one, do something inside, drop it
//! - [`sysctl`]: the baseline of every namespace, and single values
//! - [`Switch`]: the namespace that holds every segment (a bridge) and one port for every link
//! - [`Station`]: the network of one host: its links, addresses and routes
//! - [`set_checksum_offload`]: frames as they would be on a cable
//! - [`masquerade`]: NAT for a router, over netlink
//! - [`FirewallRule`]: what a host drops or refuses, over netlink too
//! - [`Traces`]: what nftables does with packets that [`TraceRules`] name
//! - `transaction`, `expression`: what both say to nftables
//! - `testing`: tests in namespaces, as root or as anyone; behind the feature of that name
//!
//! A socket stays in the namespace that it was made in, so none of this needs a thread or a
//! runtime per host.

mod error;
mod expression;
mod firewall;
mod masquerade;
mod namespace;
mod offload;
mod station;
mod switch;
pub mod sysctl;
#[cfg(feature = "testing")]
pub mod testing;
mod trace;
mod transaction;

pub use error::{Error, Result};
pub use firewall::{
    FIREWALL_TABLE, FirewallChain, FirewallContent, FirewallPorts, FirewallRule, FirewallVerdict,
    IcmpKind, add_firewall_rules, clear_firewall,
};
pub use masquerade::masquerade;
pub use namespace::Namespace;
pub use offload::set_checksum_offload;
pub use station::{Configuration, Station, gone_is_fine};
pub use switch::{Port, Segment, Switch};
pub use trace::{TRACE_TABLES, TraceEvent, TraceRules, TracedBy, Traces};
