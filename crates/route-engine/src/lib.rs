//! The route engine: it plans, applies and cleans up a host's routes around a TUN device, each
//! step printed as the command that does the same by hand.
//!
//! - [`Intent`] (`intent.rs`): what is wanted, validated whole: [`TunAddress`], [`Mtu`] and
//!   [`Destination`]
//! - [`Plan`] (`plan.rs`): the operations in their order, for one [`Action`]
//! - [`Operation`] (`operation.rs`): one change, whose text is its equivalent command, quoted by
//!   `quote.rs`
//! - [`Executor`] (`execute.rs`): carries operations out over netlink
//! - [`cli`] (`cli.rs`): the command `fps-route`, and its exit codes
//! - [`Error`] (`error.rs`): what failed, and what to do about it
//!
//! Everything up to the executor is pure: it needs no privilege and no device.

pub mod cli;
mod error;
mod execute;
mod intent;
mod operation;
mod plan;
mod quote;

pub use error::Error;
pub use execute::Executor;
pub use intent::{
    Destination, Intent, InvalidDestination, InvalidIntent, InvalidMtu, InvalidTunAddress, Mtu,
    TunAddress,
};
pub use operation::Operation;
pub use plan::{Action, Plan};
pub use quote::quote;
