//! Firewalls.

use crate::api::IntoValue;
use crate::api::phrase::phrases;

phrases! {
    /// A rule of a host's firewall.
    Firewall "firewall" as an_act {
        /// Loses packets on a host: those for it (`"in"`), those that it sends (`"out"`) or those that it
        /// passes on (`"forward"`), of which all is true that the methods say.
        fn firewall(on: &str => "on", chain: &str => "chain");
        /// Tells their sender "port unreachable".
        fn reject() => "does" = "reject";
        /// Ends their TCP connection.
        fn reset() => "does" = "reset";
        /// TCP.
        fn tcp() => "with" = "tcp";
        /// UDP.
        fn udp() => "with" = "udp";
        /// A kind of ICMP: `"too-big"`, `"unreachable"`, `"echo-request"`.
        fn icmp(kind: &str) => "icmp" = kind;
        /// The receiver's port.
        fn port(port: u16) => "port" = port;
        /// The sender's port.
        fn from_port(port: u16) => "from-port" = port;
        /// Their sender: subnets or targets.
        fn from(whom: impl IntoValue) => "from" = whom;
        /// Their receiver: subnets or targets.
        fn to(whom: impl IntoValue) => "to" = whom;
        /// The link by which they arrive.
        fn arrives_by(link: &str) => "arrives-by" = link;
        /// The link by which they leave.
        fn leaves_by(link: &str) => "leaves-by" = link;
    }

    /// A ruleset of nftables.
    Nft "nft" as an_act {
        /// Loads a ruleset on a host, as `nft -f` does.
        fn nft(on: &str => "on", ruleset: &str => "ruleset");
    }
}

impl Firewall {
    /// What `firewall` has put there on that host goes: `firewall(on, …)` with no other word.
    pub fn clear(mut self) -> Self {
        self.0.remove("chain");
        self.set("action", "clear")
    }
}
