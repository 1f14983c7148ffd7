//! A laboratory for VPN clients on Linux.

pub mod scenario;
