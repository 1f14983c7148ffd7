//! The route engine: it plans, applies, watches and cleans up a host's routes around a TUN device,
//! each step printed as the command that does the same by hand.
//!
//! The way through, folder by folder:
//!
//! - `cli/`: the command `fps-route`, its options and exit codes
//! - `intent/`: what is wanted, validated whole: an [`Intent`] and its parts
//! - `plan/`: the [`Operation`]s for one [`Action`], in the order of the shell helper: a [`Plan`]
//! - `state/`: what the kernel holds: a [`KernelState`]
//! - `change/`: from plan and state to the [`Change`]s that are [`needed()`]; whose what is
//!   ([`Ownership`]), and who is in the way
//! - `execute/`: an [`Executor`] carries them out in a [`Transaction`], or rolls them back
//! - `record/`: what has been applied, kept for the next call: a [`Store`] of [`Record`]s
//! - `engine/`: the [`Engine`] puts these together
//! - `verify/`: what differs from an intent, goes before it or around it: a [`Verification`]
//! - `watch/`: keeps an intent true while the machine changes: [`watch()`]
//! - `error.rs`: what failed, and what to do about it
//!
//! Everything up to `change/` is pure: it needs no privilege and no device.

mod change;
pub mod cli;
mod engine;
mod error;
mod execute;
mod intent;
mod plan;
mod record;
mod state;
mod verify;
mod watch;

pub(crate) use change::needed_but_bypasses;
pub use change::{Change, Claim, DnsChange, Needed, Ownership, Reason, Step, needed, numbered};
pub use engine::{Engine, Numbering, Occasion, Underway};
pub use error::Error;
pub use execute::{DnsBackend, DnsError, Executor, Tables, Trace, Transaction};
pub use intent::{
    Bypass, Destination, Dns, DnsDomain, DnsServer, Endpoint, FullTunnel, Intent, InvalidBypass,
    InvalidDestination, InvalidDnsDomain, InvalidDnsServer, InvalidEndpoint, InvalidIntent,
    InvalidMtu, InvalidTunAddress, KeepLan, Layer, Mtu, ResolverKind, Selector, TunAddress,
};
pub use plan::{Action, Operation, Plan, PlannedRoute, Underlay, quote};
pub use record::{Known, Lock, Record, Store};
pub use state::KernelState;
pub use verify::{Finding, Kind, Verification};
pub use watch::{WatchOptions, watch};
