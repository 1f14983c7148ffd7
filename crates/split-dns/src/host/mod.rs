//! The resolver of a whole host: the forwarder, told by link whom to ask, in the place of the servers
//! that /etc/resolv.conf names.
//!
//! - [`link`]: what each link's servers are asked for.
//! - [`resolv_conf`]: the text of the file. [`backup`]: what was in it, and on which [`networks`].
//!   `takeover`: from theirs to ours, and back. `file`: how that comes into place, by a `lease` on it.
//!   `changes`: when somebody writes it.
//! - `control`: what it is told over a socket, and [`caller`] who tells it. `state`: where that is.
//! - `program`: from the start to the end.

pub mod backup;
pub mod caller;
mod changes;
mod control;
mod file;
mod lease;
pub mod link;
pub mod networks;
mod pace;
mod program;
pub mod resolv_conf;
mod shared;
mod state;
mod takeover;

pub use link::{LinkSettings, Links, Setting, Written};
pub use program::{HostError, Serve, serve};
