//! DNS for labs and tunnels.
//!
//! - [`zone`]: a server of small zones, as the hosts of a lab have it.

pub mod zone;
