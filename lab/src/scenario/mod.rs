//! Scenario files: what they say, and what is wrong with them.
//!
//! - [`model`]: a scenario after validation; what the rest of the lab sees

mod model;

pub use model::*;
