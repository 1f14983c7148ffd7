//! What a project would have here: its VPN client, or whatever else has to work in a network.

/// The address that the client would dial.
pub const SERVER: &str = "203.0.113.80";
