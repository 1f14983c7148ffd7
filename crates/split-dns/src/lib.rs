//! DNS for labs and tunnels.
//!
//! - [`zone`]: a server of small zones, as the hosts of a lab have it.
//! - [`forward`]: a forwarder that chooses its servers by the domain of a name.
//! - [`host`]: that forwarder as the resolver of a host, in the place of what /etc/resolv.conf names.
//! - [`cli`]: the command `fps-dns`, which runs the forwarder.

pub mod cli;
pub mod forward;
pub mod host;
mod signals;
pub mod zone;
