//! DHCP on the wire (RFC 2131), with sockets in the hosts' namespaces.
//!
//! - [`DhcpServer`]: what gives addresses on a link
//! - [`DhcpClient`]: what asks for one, keeps it, and loses it
//! - [`Lease`] (`message.rs`): what is given; how both talk
//! - `install`: what a lease does to a link

mod client;
mod install;
mod message;
mod server;

use std::io;

use fps_packet::DatagramError;

pub use client::{DhcpClient, Held};
pub use message::Lease;
pub use server::DhcpServer;
pub(super) use server::serve;

/// The port of servers (RFC 2131, 4.1).
const SERVER_PORT: u16 = 67;
/// The port of clients.
const CLIENT_PORT: u16 = 68;

/// A lease that could not be had, prolonged or given back.
#[derive(Debug, thiserror::Error)]
pub enum DhcpError {
    /// Nobody has answered.
    #[error(
        "no DHCP server has answered within {0:?}: is there one in this net, with addresses left in its \
         `range`, and `answers` it?"
    )]
    Silence(std::time::Duration),
    /// There is nothing to prolong or give back.
    #[error("the DHCP client has no lease: have it `discover` one first")]
    NoLease,
    /// A socket failed in a way that is not the network's.
    #[error("talk DHCP")]
    Socket(#[source] io::Error),
    /// The socket below the stack did.
    #[error(transparent)]
    Datagrams(#[from] DatagramError),
    /// A message could not be written.
    #[error("write a DHCP message")]
    Encode(#[from] dhcproto::error::EncodeError),
    /// The host's network refused what the lease says.
    #[error("set what the lease says")]
    Network(#[from] fps_netns::Error),
    /// It failed earlier, or while it did this.
    #[error("the DHCP client has ended: {0}")]
    Failed(String),
    /// The client's task is gone.
    #[error("the DHCP client has ended, which is a mistake of the lab's: please report the file")]
    Ended,
}
