//! Labs in tests of other projects.
//!
//! - [`LabBuilder`], [`HostBuilder`], [`TunnelBuilder`], [`ProgramBuilder`]: `build/`, what is to stand
//! - [`Lab`], [`Host`], [`Program`], [`Step`]: `running/`, a lab that stands
//! - [`act`], [`expect`]: what is done, and what must hold; `phrase` and `value`: both as text of the
//!   scenario format
//! - `document`: all of it as one scenario, which the one reader reads; `thread`: the play of it
//! - `place`: where logs go
//! - [`Failure`]: what an expectation that does not hold prints
//! - [`fixtures`]: labs that are wanted often

pub mod act;
mod build;
mod document;
mod doing;
pub mod expect;
mod failure;
pub mod fixtures;
mod phrase;
mod place;
mod running;
mod thread;
mod value;

pub use build::{HostBuilder, LabBuilder, ProgramBuilder, TunnelBuilder};
pub use doing::Doing;
pub use failure::{Failure, FailureKind};
pub use phrase::{IntoAct, IntoExpectation};
pub use running::{Background, Command, Host, Lab, Output, Program, Step};
pub use value::IntoValue;
