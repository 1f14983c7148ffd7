//! What must hold of a host's state.

use std::fmt;
use std::time::Duration;

use fps_netlink::LinkName;

use super::{HostName, When};

/// Kernel objects are there, and others are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// The host.
    pub on: HostName,
    /// What is to be there.
    pub present: Vec<KernelLine>,
    /// What is not to be there.
    pub absent: Vec<KernelLine>,
    /// When it must be so.
    pub when: When,
}

/// A kernel object as a person writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelLine {
    /// What it is.
    pub kind: ObjectKind,
    /// As the file has it.
    pub text: String,
    /// The words that it must have with these values, or, where none, must not have.
    pub words: Vec<(String, Option<String>)>,
}

/// A kind of kernel object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// As `ip rule` prints it.
    Rule,
    /// As `ip route` prints it.
    Route,
    /// As `ip addr` prints it.
    Address,
    /// As `ip link` has it.
    Link,
    /// As `sysctl` prints it.
    Sysctl,
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rule => "rule",
            Self::Route => "route",
            Self::Address => "address",
            Self::Link => "link",
            Self::Sysctl => "sysctl",
        })
    }
}

/// A host's network is as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unchanged {
    /// The host.
    pub on: HostName,
    /// When it was as it is to be.
    pub since: Since,
    /// Links that may be other, with their addresses, routes and sysctls.
    pub except: Vec<LinkName>,
    /// The deadline.
    pub within: Duration,
}

/// A moment of a play.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Since {
    /// Before the first step: the lab stands, and what starts with it runs.
    Start,
    /// The end of the step of this name.
    Step(String),
}

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("start"),
            Self::Step(name) => f.write_str(name),
        }
    }
}

/// What programs change in a host's network while the acts of a step are done: this, in this order,
/// and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The host.
    pub on: HostName,
    /// One after the other.
    pub lines: Vec<ChangeLine>,
}

/// A change of a kernel object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeLine {
    /// What is done with it.
    pub verb: ChangeVerb,
    /// What it is.
    pub object: KernelLine,
}

impl fmt::Display for ChangeLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.verb, self.object.kind, self.object.text)
    }
}

/// What can be done with a kernel object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeVerb {
    /// It is new; of a route also: there was none with its prefix and metric.
    Add,
    /// A route takes the place of the one with its prefix and metric.
    Replace,
    /// A route comes behind those with its prefix and metric.
    Append,
    /// It goes.
    Delete,
    /// A link is set up or down, or has another MTU or name.
    Set,
}

impl fmt::Display for ChangeVerb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Add => "add",
            Self::Replace => "replace",
            Self::Append => "append",
            Self::Delete => "delete",
            Self::Set => "set",
        })
    }
}

/// A command prints a text, and ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prints {
    /// The host that it runs on.
    pub on: HostName,
    /// The command.
    pub command: Vec<String>,
    /// The code that it must end with.
    pub exit: i32,
    /// All that it must print, on both standard streams together.
    pub text: String,
    /// How long it may take.
    pub within: Duration,
}

/// The kernel counts during a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// The host.
    pub on: HostName,
    /// The counter: `IpExt.InNoRoutes`, `eth0.rx_packets`.
    pub counter: String,
    /// How much it may have counted since the step began.
    pub count: Count,
    /// For at least a number, the deadline; else for how long it must be so.
    pub time: Duration,
}

/// How many there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// This many or more.
    AtLeast(u64),
    /// This many or fewer.
    AtMost(u64),
    /// This many.
    Exactly(u64),
}

impl Count {
    /// Whether a number is right.
    pub fn holds(self, number: u64) -> bool {
        match self {
            Self::AtLeast(wanted) => number >= wanted,
            Self::AtMost(wanted) => number <= wanted,
            Self::Exactly(wanted) => number == wanted,
        }
    }

    /// Whether it can only be told when the time is over: another may still come.
    pub fn waits(self) -> bool {
        !matches!(self, Self::AtLeast(_))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(wanted) => write!(f, "at least {wanted}"),
            Self::AtMost(wanted) => write!(f, "at most {wanted}"),
            Self::Exactly(wanted) => write!(f, "exactly {wanted}"),
        }
    }
}
