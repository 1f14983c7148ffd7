//! A forwarder that chooses its servers by the domain of a name.
//!
//! The core, which knows neither sockets nor clocks:
//! - [`config`]: what it is told; [`domain`] and [`server`] are its words.
//! - [`name`]: a name as names are compared. [`routes`]: which servers a name is asked of.
//! - [`request`]: a client's question. [`question`]: what a server is asked.
//! - [`answer`]: what the server said, and what the client gets. [`chain`]: where CNAMEs lead.
//! - [`lifetime`]: how long it may be kept. [`cache`]: where.
//! - [`outstanding`]: the clients that wait.
//!
//! Around it, on one thread:
//! - `listener`: where clients ask. `forwarder`: what becomes of a question.
//! - `upstream`: asking servers. `sources`: from where, so that a loop is noticed.
//! - [`run`]: from the start to the end.

pub mod answer;
pub mod cache;
pub mod chain;
mod client;
pub mod config;
mod descriptors;
pub mod domain;
mod forwarder;
pub mod lifetime;
mod listener;
pub mod name;
mod opt;
pub mod outstanding;
mod program;
pub mod question;
pub mod request;
pub mod routes;
pub mod server;
mod service;
mod sources;
mod upstream;

pub use config::{Config, Limits, Route};
pub use domain::Domain;
pub(crate) use program::say_ready;
pub use program::{RunError, run};
pub use server::Server;
pub(crate) use service::Service;
