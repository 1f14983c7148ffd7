//! The route engine: it plans, applies and cleans up a host's routes around a TUN device, each
//! step printed as the command that does the same by hand.
//!
//! - [`Intent`] (`intent.rs`): what is wanted, validated whole
//! - [`TunAddress`], [`Destination`] (`cidr.rs`), [`Mtu`] (`mtu.rs`), [`FullTunnel`] and its
//!   [`Selector`]s (`policy.rs`), [`Bypass`] (`bypass.rs`), [`Dns`] (`dns.rs`): its parts
//! - [`Plan`] (`plan.rs`): the operations for one [`Action`], in the order of the shell helper
//!   (`sequence.rs`)
//! - [`Operation`] (`operation.rs`): one of them, whose text is its equivalent command, quoted by
//!   `quote.rs`
//! - [`KernelState`] (`state.rs`): what the kernel holds
//! - [`needed()`] (`needed.rs`): from plan and state to the [`Change`]s (`change.rs`) that are needed
//! - [`Executor`], [`Transaction`] (`execute.rs`): carries them out, or rolls them back; DNS by
//!   `resolvectl.rs`
//! - [`cli`] (`cli.rs`, its options in `options.rs`): the command `fps-route`, and its exit codes
//! - [`Error`] (`error.rs`): what failed, and what to do about it
//!
//! Everything up to the executor is pure: it needs no privilege and no device.

mod bypass;
mod change;
mod cidr;
pub mod cli;
mod dns;
mod error;
mod execute;
mod intent;
mod mtu;
mod needed;
mod operation;
mod options;
mod plan;
mod policy;
mod quote;
mod resolvectl;
mod sequence;
mod state;

#[cfg(test)]
mod fault;
#[cfg(test)]
mod properties;

pub use bypass::{Bypass, InvalidBypass};
pub use change::Change;
pub use cidr::{Destination, InvalidDestination, InvalidTunAddress, TunAddress};
pub use dns::{Dns, DnsDomain, InvalidDnsDomain};
pub use error::Error;
pub use execute::{Executor, Transaction};
pub use intent::{Intent, InvalidIntent};
pub use mtu::{InvalidMtu, Mtu};
pub use needed::{Step, needed};
pub use operation::{Operation, PlannedRoute};
pub use plan::{Action, Plan};
pub use policy::{FullTunnel, PolicyRule, Selector};
pub use quote::quote;
pub use state::KernelState;
