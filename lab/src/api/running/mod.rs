//! A lab that stands.
//!
//! - [`Lab`]: what it is told to do, and what must hold
//! - [`Step`]: both at once; [`Host`], [`Command`], [`Background`], [`Program`]: programs in its hosts

mod command;
pub(in crate::api) use command::Call;
mod host;
mod lab;
mod program;
mod step;

pub use command::{Command, Output};
pub use host::Host;
pub use lab::Lab;
pub use program::{Background, Program};
pub use step::Step;
