//! A forwarder that chooses its servers by the domain of a name.
//!
//! The core, which knows neither sockets nor clocks:
//! - [`config`]: what it is told; [`domain`] and [`server`] are its words.
//! - [`name`]: a name as names are compared. [`routes`]: which servers a name is asked of.
//! - [`request`]: a client's question. [`question`]: what a server is asked.
//! - [`answer`]: what the server said, and what the client gets. [`chain`]: where CNAMEs lead.
//! - [`lifetime`]: how long it may be kept. [`cache`]: where.
//! - [`outstanding`]: the clients that wait.

pub mod answer;
pub mod cache;
pub mod chain;
pub mod config;
pub mod domain;
pub mod lifetime;
pub mod name;
mod opt;
pub mod outstanding;
pub mod question;
pub mod request;
pub mod routes;
pub mod server;
