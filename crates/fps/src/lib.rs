//! FPS: IP packets inside the TLS connections of an ordinary application.
//!
//! ```text
//! application ──TLS──▶ fps_client ══link══▶ fps_server ──TLS──▶ origin
//!                        TUN ▲                  ▲ TUN
//! ```
//!
//! One accepted connection is one dialled connection is one *carrier*. TLS runs end to end between
//! application and origin; on the link between the two programs FPS inserts records of its own and
//! takes them out again before they reach a TLS endpoint.
//!
//! What goes over the link is FPS wire version 5, and is in a crate of its own, `fps-wire`.
//!
//! From the outside in:
//! - [`client`], [`server`]: the two programs; what they share is in `node`.
//! - [`carrier`]: the third program, an application (and its origin) for laboratories.
//! - [`config`]: the JSON file. [`exit`]: what a program ends with. The lines on stderr are those of
//!   `fps-log`.
//! - [`relay`]: the two pumps of one carrier.
//! - [`session`]: what a carrier's records mean, as state machines that do no I/O.
//! - [`tunnel`]: the TUN device, and which carrier takes which packet. [`lease`]: who has which
//!   address.
//! - [`socket`]: how every socket of the link is made and marked. [`random`]: the system's random
//!   bytes.

pub mod carrier;
pub mod client;
pub mod config;
pub mod exit;
pub mod lease;
pub mod random;
pub mod relay;
pub mod server;
pub mod session;
pub mod socket;
pub mod tunnel;

mod cli;
mod node;
mod signal;
