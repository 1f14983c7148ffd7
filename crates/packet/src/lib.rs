//! Capture and recognition of packets: the proof of which way a probe went.
//!
//! - [`Nonce`] (`nonce.rs`): the random mark that each probe carries.
//! - [`Capture`] (`capture.rs`): sees every packet of one network namespace, as [`Frame`]s
//!   (`frame.rs`).
//! - [`Frames`] (`frames.rs`): whole frames of one interface, read and written.
//! - [`Tap`] (`tap.rs`): whole frames of one interface in both directions, for a file.
//! - `packet_socket.rs`: the socket of these three.
//! - [`Packet`] (`packet.rs`): what a frame says, read by `ipv4.rs`, `ipv6.rs` and
//!   [`Transport`] (`transport.rs`); its one-line text is in `display.rs`.
//! - [`injectable`] (`control.rs`) and [`Injector`] (`injector.rs`): the positive control, a packet
//!   that nobody takes and that proves that the capture sees an interface.
//! - [`Datagrams`] (`datagrams.rs`): UDP past the host's own stack, as DHCP clients need it.
//!
//! Nothing here makes a socket: the caller does, inside the namespace to be watched, because a
//! socket stays in the namespace that it was made in.

mod capture;
mod clock;
mod control;
mod datagrams;
mod display;
mod error;
mod frame;
mod frames;
mod injector;
mod ipv4;
mod ipv6;
mod link_address;
mod nonce;
mod packet;
mod packet_socket;
mod tap;
mod transport;

pub use capture::{Capture, CaptureOptions};
pub use control::{FamilyMismatch, injectable};
pub use datagrams::Datagrams;
pub use error::{CaptureError, DatagramError, InjectError, RandomError};
pub use frame::{Direction, Frame, SNAP};
pub use frames::Frames;
pub use injector::Injector;
pub use nonce::Nonce;
pub use packet::Packet;
pub use tap::{Tap, Tapped};
pub use transport::{Icmp, TcpFlags, Transport};
