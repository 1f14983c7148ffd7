//! The kernel's routing vocabulary, typed: what the namespaces, the route engine and FPS share.
//!
//! - [`Netlink`]: one NETLINK_ROUTE socket; requests end with the kernel's own acknowledgement
//! - [`Link`], [`Address`], [`Route`], [`Rule`]: what it reads and writes, each in a file of its own
//! - [`Flow`], [`Fib`]: a packet, and which rule and route decide about it
//! - [`Bulk`]: thousands of routes in a few sends
//! - [`TcpSockets`], [`UdpSockets`]: the sockets of a namespace, with their marks
//! - [`VethPair`]: a pair whose two ends are born in their namespaces
//! - [`Events`]: what changed, as the kernel tells it; [`Notices`]: the same with all that it tells
//! - [`namespace_name`]: a name for this network namespace
//! - [`IfIndex`], [`TableId`], [`Fwmark`], [`RulePriority`], [`LinkName`]: its integers and names
//! - [`whole`]: objects with all that the kernel tells of them
//! - [`Error`]: the operation that failed, with the kernel's errno

mod address;
mod bulk;
mod diag;
mod dump;
mod error;
mod event;
mod fib;
mod flow;
mod id;
mod link;
mod name;
mod namespace;
mod neighbour;
mod netem;
mod notice;
mod protocol;
mod request;
mod route;
mod rule;
mod selector;
mod socket;
mod tcp;
mod udp;
mod veth;
pub mod whole;

pub use address::{Address, Lifetimes};
pub use bulk::{Bulk, RouteRequest};
pub use error::{Error, Result};
pub use event::{Event, Events, Group};
pub use fib::{Fib, Turn, Verdict};
pub use flow::Flow;
pub use id::{Fwmark, IfIndex, Port, RulePriority, TableId};
pub use link::Link;
pub use name::{InvalidLinkName, LinkName};
pub use namespace::namespace_name;
pub use neighbour::NeighbourTable;
pub use notice::{Notice, Notices};
pub use protocol::{FPS_ROUTE_PROTOCOL, ProtocolName};
pub use request::Netlink;
pub use route::{Family, Route, RouteFilter, RouteKind, RouteScope};
pub use rule::{IpProtocol, Rule, RuleAction, protocol_name};
pub use selector::{MarkMatch, Ports, Users};
pub use tcp::{TcpSocket, TcpSockets};
pub use udp::{UdpSocket, UdpSockets};
pub use veth::VethPair;

/// A route's or rule's origin, as `ip route` prints it behind `proto` (rtnetlink(7), `rtm_protocol`).
pub use netlink_packet_route::route::RouteProtocol;
