//! The OPT record of EDNS (RFC 6891).

/// The largest message that this side takes by UDP: what an IPv6 packet of 1280 bytes carries.
pub(super) const PAYLOAD: u16 = 1232;

/// How long [`record`] is.
pub(super) const LEN: usize = 11;

/// A record without options. `rcode_high` are the upper eight bits of the response code.
pub(super) fn record(rcode_high: u8, dnssec_ok: bool) -> [u8; LEN] {
    let [high, low] = PAYLOAD.to_be_bytes();
    let flags = u8::from(dnssec_ok) << 7;
    [0, 0, 41, high, low, rcode_high, 0, flags, 0, 0, 0]
}
