//! Whether this process may hear what the kernel drops.

use std::fs;

/// Whether it has CAP_BPF where that counts, which is in the first user namespace.
pub(crate) fn may_hear() -> bool {
    const CAP_BPF: u32 = 39;
    let status = fs::read_to_string("/proc/self/status").expect("the process's status");
    let effective = status.lines().find_map(|it| it.strip_prefix("CapEff:"));
    let effective = effective.expect("its capabilities").trim();
    let effective = u64::from_str_radix(effective, 16).expect("a number");
    let map = fs::read_to_string("/proc/self/uid_map").expect("its user namespace");
    map.split_whitespace().eq(["0", "0", "4294967295"]) && effective & (1 << CAP_BPF) != 0
}
