//! Whether packets come through, and which way.

use std::time::Duration;

use crate::api::IntoValue;
use crate::api::phrase::{lasting, named, phrases, probe, within};

phrases! {
    /// Probes are answered by the target itself.
    Reach "reach" as an_expectation {
        /// One host reaches another, within a second where nothing else is said.
        fn reach(from: &str => "from", to: &str => "to");
        /// They leave by this link of the host, and by no other.
        fn via(link: &str) => "via" = link;
        /// A transfer over one TCP connection, such as `"1MB"` both ways, in place of a short question.
        fn bulk(bytes: &str) => "bulk" = bytes;
    }

    /// No probe is answered, though the target answers itself.
    Unreachable "unreachable" as an_expectation {
        /// One host does not reach another, for half a second where nothing else is said.
        fn unreachable(from: &str => "from", to: &str => "to");
        /// The ways in which it may be so: `"refused"`, `"filtered"`, `"unrouted"`.
        fn how(ways: impl IntoValue) => "how" = ways;
    }

    /// Answers are never further apart than this, from before the acts of the step on.
    Outage "outage" as an_expectation {
        /// However the acts of this step go, one host reaches another with no longer gap than this.
        fn outage(from: &str => "from", to: &str => "to", at_most: Duration => "at-most");
    }

    /// A probe takes this path.
    Trace "path" as an_expectation {
        /// A question passes these links, each as `"host:link"`, and no others.
        fn path(from: &str => "from", to: &str => "to", hops: impl IntoValue => "hops");
    }

    /// One way is not much slower than another.
    Throughput "throughput" as an_expectation {
        /// What comes from a target is at least this part of what comes from another, which `of` names:
        /// 0.2 is a fifth.
        fn throughput(from: &str => "from", to: &str => "to", at_least: f64 => "at-least");
        /// The TCP port that is asked.
        fn port(port: u16) => "port" = port;
    }

    /// No packet passes a link.
    Silent "silent" as an_expectation {
        /// Nothing passes a link of a host, from the acts of the step on.
        fn silent(on: &str => "on", link: &str => "link");
        /// Only packets from or to these targets count.
        fn to(targets: impl IntoValue) => "to" = targets;
        /// Only packets that go this way count, as the host sees it: `"in"` or `"out"`.
        fn direction(direction: &str) => "direction" = direction;
    }

    /// The carrier does not go into the tunnel that it carries.
    NoCarrierLoop "no-carrier-loop" as an_expectation {
        /// No packet of the tunnel goes into the tunnel, on the host of its client.
        fn no_carrier_loop(on: &str => "on");
        /// The carrier's far end, if that is not the tunnel's endpoint.
        fn to(target: &str) => "to" = target;
    }
}

probe!(Reach, Unreachable, Outage, Trace);
within!(Reach, Trace);
lasting!(
    Reach,
    Unreachable,
    Outage,
    Throughput,
    Silent,
    NoCarrierLoop
);
named!("name": Reach, Unreachable, Outage, Trace, Throughput, Silent, NoCarrierLoop);

impl Throughput {
    /// The other way, at this sender and target.
    pub fn of(self, from: &str, to: &str) -> Self {
        let way = [("from", from), ("to", to)].map(|(key, value)| (key.to_owned(), value.into()));
        self.set("of", toml::Value::Table(toml::Table::from_iter(way)))
    }
}

macro_rules! https {
    ($($kind:ident),*) => {
        $(impl $kind {
            /// With a GET over TLS, whose certificate has to be of the lab's CA.
            pub fn https(self) -> Self {
                self.set("with", "https")
            }
        })*
    };
}

https!(Reach, Unreachable, Trace);
