//! Sysctls of the calling thread's network namespace.
//!
//! `/proc/sys/net` shows the namespace of the task that looks, so these are to be called inside
//! [`crate::Namespace::within`].

use std::fs;

use crate::error::{Error, Result};

/// What every namespace starts with.
///
/// A new namespace takes `net.ipv4.conf.*` from the machine's first one
/// (net.core.devconf_inherit_init_net in Documentation/admin-guide/sysctl/net.rst), so that
/// without this a lab would differ from machine to machine. The values are the kernel's own
/// defaults, save where a comment says why.
pub const BASELINE: &[(&str, &str)] = &[
    // To write ip_forward resets conf/*, so it comes first.
    ("net/ipv4/ip_forward", "0"),
    ("net/ipv4/conf/all/rp_filter", "0"),
    ("net/ipv4/conf/default/rp_filter", "0"),
    ("net/ipv4/conf/all/src_valid_mark", "0"),
    ("net/ipv4/conf/default/src_valid_mark", "0"),
    ("net/ipv4/conf/all/accept_local", "0"),
    ("net/ipv4/conf/default/accept_local", "0"),
    ("net/ipv4/conf/all/arp_ignore", "0"),
    ("net/ipv4/conf/default/arp_ignore", "0"),
    ("net/ipv4/conf/all/arp_announce", "0"),
    ("net/ipv4/conf/default/arp_announce", "0"),
    // A redirect that comes or not would make a path depend on timing.
    ("net/ipv4/conf/all/accept_redirects", "0"),
    ("net/ipv4/conf/default/accept_redirects", "0"),
    ("net/ipv4/conf/all/send_redirects", "0"),
    ("net/ipv4/conf/default/send_redirects", "0"),
    // Who is refused shall be told so, not once a second. There is one exception, which no
    // namespace can change: a router whose own route is `prohibit` or `unreachable` says so five
    // times in a row to one sender and then once a second (ip_error in net/ipv4/route.c;
    // net.ipv4.route.error_cost and error_burst are the machine's alone).
    ("net/ipv4/icmp_ratelimit", "0"),
    ("net/ipv6/conf/all/disable_ipv6", "0"),
    ("net/ipv6/conf/default/disable_ipv6", "0"),
    ("net/ipv6/conf/all/forwarding", "0"),
    ("net/ipv6/conf/default/forwarding", "0"),
    // Addresses come from the scenario; a scenario about router advertisements turns this on.
    ("net/ipv6/conf/all/accept_ra", "0"),
    ("net/ipv6/conf/default/accept_ra", "0"),
    ("net/ipv6/conf/default/autoconf", "0"),
    ("net/ipv6/conf/all/accept_redirects", "0"),
    ("net/ipv6/conf/default/accept_redirects", "0"),
    // Duplicate address detection keeps an address unusable for one to two seconds; with
    // dad_transmits 0 or optimistic addresses still one.
    ("net/ipv6/conf/all/accept_dad", "0"),
    ("net/ipv6/conf/default/accept_dad", "0"),
    ("net/ipv6/conf/default/router_solicitations", "0"),
    ("net/ipv6/icmp/ratelimit", "0"),
];

/// What a router has beside the baseline.
pub const FORWARDING: &[(&str, &str)] = &[
    ("net/ipv4/ip_forward", "1"),
    ("net/ipv6/conf/all/forwarding", "1"),
    ("net/ipv6/conf/default/forwarding", "1"),
];

/// Sets values in order; keys have slashes, as a VLAN's name may hold a dot.
///
/// What has its value already is not written: a write to `disable_ipv6` or to the forwarding of IPv6
/// wants the RTNL lock whatever it changes, and the kernel tries again and again on the processor's time
/// while another holds it (addrconf_disable_ipv6 in net/ipv6/addrconf.c).
pub fn set_all(values: &[(&str, &str)]) -> Result<()> {
    values.iter().try_for_each(|(key, value)| {
        if read(key)? == *value {
            return Ok(());
        }
        write(key, value)
    })
}

/// Writes one value.
pub fn write(key: &str, value: &str) -> Result<()> {
    fs::write(format!("/proc/sys/{key}"), value)
        .map_err(|e| Error::system(format!("write {value} to the sysctl {key}"), e))
}

/// Reads one value, without its line end.
pub fn read(key: &str) -> Result<String> {
    fs::read_to_string(format!("/proc/sys/{key}"))
        .map(|value| value.trim_end().to_owned())
        .map_err(|e| Error::system(format!("read the sysctl {key}"), e))
}
