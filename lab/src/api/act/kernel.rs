//! What another program than the route engine sets in a host's kernel.

use crate::api::IntoValue;
use crate::api::phrase::phrases;

phrases! {
    /// A sysctl.
    Sysctl "sysctl" as an_act {
        /// Writes a sysctl below `net` on a host.
        fn sysctl(on: &str => "on", key: &str => "key", value: impl IntoValue => "value");
    }

    /// A route by hand.
    Route "route" as an_act {
        /// `ip route add` on a host.
        fn route(on: &str => "on", to: &str => "to");
        /// Its gateway.
        fn via(gateway: impl IntoValue) => "via" = gateway;
        /// Its link.
        fn link(link: &str) => "link" = link;
        /// Its metric.
        fn metric(metric: u32) => "metric" = metric;
        /// The number of its table, if that is not table main.
        fn table(table: u32) => "table" = table;
        /// `ip route del` in place of `add`.
        fn delete() => "action" = "delete";
    }

    /// A rule by hand.
    Rule "rule" as an_act {
        /// `ip rule add` on a host, as the methods say: with a table or a type.
        fn rule(on: &str => "on");
        /// Its priority.
        fn priority(priority: u32) => "priority" = priority;
        /// The table that is looked up: a number, `"main"` or `"default"`.
        fn table(table: impl IntoValue) => "table" = table;
        /// In place of a table: `"unreachable"`, `"prohibit"` or `"blackhole"`.
        fn refuses(how: &str) => "type" = how;
        /// For packets with this mark, or with these bits of it: `"0x80000/0xff0000"`.
        fn fwmark(mark: impl IntoValue) => "fwmark" = mark;
        /// For packets without it.
        fn except_fwmark(mark: impl IntoValue) => "except-fwmark" = mark;
        /// For packets from this subnet.
        fn from(subnet: &str) => "from" = subnet;
        /// For packets to this subnet.
        fn to(subnet: &str) => "to" = subnet;
        /// For packets that came in by this link.
        fn iif(link: &str) => "iif" = link;
        /// For packets of sockets that are bound to this link.
        fn oif(link: &str) => "oif" = link;
        /// For packets of these users: a number, or `"1000-1999"`.
        fn uid(users: impl IntoValue) => "uid" = users;
        /// A route that it finds counts only if its prefix is longer.
        fn suppress_prefix(length: u8) => "suppress-prefix" = length;
        /// `ip rule del` in place of `add`.
        fn delete() => "action" = "delete";
    }

    /// An address by hand.
    Addr "addr" as an_act {
        /// `ip addr add` on a host: one with its prefix length, or with that of the link's net.
        fn addr(on: &str => "on", link: &str => "link", ip: impl IntoValue => "ip");
        /// For how long it is valid, in seconds.
        fn valid(seconds: u32) => "valid" = seconds;
        /// For how long it is taken for what begins, in seconds.
        fn preferred(seconds: u32) => "preferred" = seconds;
        /// The metric of the connected route that comes with it.
        fn metric(metric: u32) => "metric" = metric;
        /// No connected route comes with it.
        fn without_prefix_route() => "prefix-route" = false;
        /// `ip addr del` in place of `add`.
        fn delete() => "action" = "delete";
    }
}
