//! What the command does to a host's network, in namespaces of its own.

mod dns;
mod foreign;
mod full;
mod host;
mod split;
