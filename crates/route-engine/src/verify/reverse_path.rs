//! Strict reverse path filtering, which takes the carrier's replies for forged ones.

use std::fs;

use super::Finding;
use super::finding::Kind;

/// Whether an interface drops what does not come in where its answer would leave (RFC 3704): the
/// larger of its own value and the value for all counts (Documentation/networking/ip-sysctl.rst).
pub(super) fn is_strict(device: &str) -> bool {
    let value = |of: &str| {
        let file = format!("/proc/sys/net/ipv4/conf/{of}/rp_filter");
        // An interface that is gone filters nothing.
        fs::read_to_string(file)
            .ok()
            .and_then(|text| text.trim().parse::<u8>().ok())
    };
    value("all").max(value(device)) == Some(1)
}

/// What that means for the carrier.
pub(super) fn warning(whose: &str, device: &str) -> Finding {
    Kind::Warning.of(format!(
        "replies of {whose} are dropped on {device}: rp_filter is 1, and without the carrier's mark \
         the way back is the tunnel; name --endpoint, or set net.ipv4.conf.{device}.rp_filter=2"
    ))
}
