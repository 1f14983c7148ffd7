//! A laboratory for VPN clients on Linux.

pub mod multicall;
pub mod sandbox;
pub mod scenario;
