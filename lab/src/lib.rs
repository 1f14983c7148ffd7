//! A laboratory for VPN clients on Linux.

pub mod ask;
pub(crate) mod authority;
pub mod cli;
pub mod counters;
pub mod draw;
pub mod explain;
pub mod folder;
pub mod lab;
pub mod multicall;
pub mod play;
pub mod probe;
pub mod report;
pub mod run;
pub mod sandbox;
pub mod scenario;
pub mod snapshot;
pub mod tape;
pub mod wire;

/// An error with all its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
