//! Programs beside the tunnel's own.

use std::time::Duration;

use fps_netlink::LinkName;

use super::HostName;

/// A program that steps start and stop by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Where it runs.
    pub on: HostName,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// What shows that it is ready.
    pub ready: Ready,
    /// Whether it may end by itself: its work can be done before the play is.
    pub may_end: bool,
}

/// What shows that a program is ready, with how long it may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// The event.
    pub when: ReadyWhen,
    /// The deadline.
    pub within: Duration,
}

/// An event that shows that a program is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadyWhen {
    /// It runs: the exec succeeded.
    Started,
    /// A line of its output holds this text.
    Output(String),
    /// A TUN device of its host is there.
    Tun(LinkName, TunState),
}

/// What is asked of a TUN device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TunState {
    /// There is one of this name.
    Exists,
    /// It is up: `ip link` shows the flag UP.
    Up,
}
