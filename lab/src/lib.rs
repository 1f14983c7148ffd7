//! A laboratory for VPN clients on Linux.

pub mod lab;
pub mod multicall;
pub mod sandbox;
pub mod scenario;
