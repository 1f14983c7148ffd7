//! A server of small zones: bytes in, bytes out; no socket and no clock.
//!
//! - [`Zone`] (`records.rs`): what is known, as lines of a zone file (RFC 1035, 5.1).
//! - [`Server`] (`server.rs`): answers a question from its zones, or as its [`Manner`] says.
//! - [`Reply`]: what is to be sent, and what was [asked](Asked).

mod lookup;
mod manner;
mod records;
mod server;

pub use manner::{Manner, Manners};
pub use records::{BadRecord, Zone};
pub use server::{Asked, Reply, Server, Transport};

pub use hickory_proto::rr::{LowerName, Name, RecordType};
