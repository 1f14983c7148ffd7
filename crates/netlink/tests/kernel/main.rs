//! What the kernel makes of the requests, in namespaces of its own.

mod address;
mod bulk;
mod error;
mod event;
mod fib;
mod host;
mod link;
mod route;
mod rule;
mod tcp;
mod udp;
