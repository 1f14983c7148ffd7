//! What the command does to a host's network, in namespaces of its own.

mod address;
mod dns;
mod foreign;
mod full;
mod hindered;
mod host;
mod ipv6;
mod lan;
mod leak_guard;
mod numbers;
mod passage;
mod record;
mod resolver;
mod split;
mod traffic;
mod verify;
mod watch;
mod watcher;
