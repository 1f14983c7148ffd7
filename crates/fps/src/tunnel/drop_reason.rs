//! Why a packet went nowhere.

use std::time::Instant;

use fps_log::Throttle;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// It is no IP packet.
    NotIp,
    /// It is not of IPv4, of which alone there are leases.
    NotIpv4,
    /// The same of one that came from a carrier.
    NotIpv4Inward,
    /// There is no TUN.
    NoDevice,
    /// The TUN's link is down.
    LinkDown,
    /// No carrier leads there.
    NoCarrier,
    /// As much waits as may.
    QueueFull,
    /// Its carrier has ended while it waited.
    CarrierEnded,
    /// It cannot be put into records.
    TooLarge,
    /// A part of it did not come, or not in order.
    Fragment,
    /// It comes from a carrier of nobody.
    UnassignedSource,
    /// It does not come from the address that its client has.
    SpoofedSource,
    /// It goes from one client to another.
    Isolated,
    /// Nobody has its destination.
    UnassignedDestination,
}

impl DropReason {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::NotIp,
        Self::NotIpv4,
        Self::NotIpv4Inward,
        Self::NoDevice,
        Self::LinkDown,
        Self::NoCarrier,
        Self::QueueFull,
        Self::CarrierEnded,
        Self::TooLarge,
        Self::Fragment,
        Self::UnassignedSource,
        Self::SpoofedSource,
        Self::Isolated,
        Self::UnassignedDestination,
    ];

    /// The word for the log.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotIp => "not_ip",
            Self::NotIpv4 => "not_ipv4",
            Self::NotIpv4Inward => "not_ipv4_inward",
            Self::NoDevice => "no_device",
            Self::LinkDown => "link_down",
            Self::NoCarrier => "no_carrier",
            Self::QueueFull => "queue_full",
            Self::CarrierEnded => "carrier_ended",
            Self::TooLarge => "packet_too_large",
            Self::Fragment => "fragment",
            Self::UnassignedSource => "unassigned_source",
            Self::SpoofedSource => "spoofed_source",
            Self::Isolated => "client_isolation",
            Self::UnassignedDestination => "unassigned_destination",
        }
    }
}

/// How many went so, of each reason; and when that is worth a line.
#[derive(Debug, Default)]
pub(super) struct Drops([Throttle; DropReason::ALL.len()]);

impl Drops {
    /// Counts one, and says so from time to time.
    pub(super) fn count(&self, reason: DropReason) {
        let throttle = &self.0[reason as usize];
        let Some((count, suppressed)) = throttle.hit(Instant::now()) else {
            return;
        };
        let word = reason.word();
        if reason == DropReason::SpoofedSource {
            tracing::warn!(event = "ignored_spoofed_tun_source", count, suppressed);
        } else {
            tracing::warn!(
                event = "tun_packet_dropped",
                reason = word,
                count,
                suppressed
            );
        }
    }

    /// How many of one reason.
    pub(super) fn of(&self, reason: DropReason) -> u64 {
        self.0[reason as usize].count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_place_of_its_own() {
        let drops = Drops::default();
        for (place, reason) in DropReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, place);
            drops.count(reason);
            assert_eq!(drops.of(reason), 1);
        }
    }
}
