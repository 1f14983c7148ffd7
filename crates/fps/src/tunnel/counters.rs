//! What has gone by.

use std::cell::Cell;
use std::net::Ipv4Addr;

use fps_wire::Refusal;
use fps_wire::fragment::Dropped;

/// Counts that only grow.
#[derive(Debug, Default)]
pub struct Counters {
    /// Records that were tried for an auth, or on the client for an accept.
    pub candidates: Cell<u64>,
    /// Those that were one.
    pub authenticated: Cell<u64>,
    /// Those without our hint.
    pub precheck_failed: Cell<u64>,
    /// Those of no client that is known.
    pub unknown_client: Cell<u64>,
    /// Those that did not open.
    pub decrypt_failed: Cell<u64>,
    /// Sessions that ended because no accept could be made.
    pub server_accept_failed: Cell<u64>,
    /// Sessions that ended because a record of ours was not in order.
    pub records_invalid: Cell<u64>,
    /// Records of ours that were opened.
    pub records_decoded: Cell<u64>,
    /// Records of ours that were made.
    pub records_encoded: Cell<u64>,
    /// Carriers that took packets.
    pub registered: Cell<u64>,
    /// Carriers that do so no more.
    pub removed: Cell<u64>,
    /// Clients whose second process took the place of the first.
    pub replaced: Cell<u64>,
    /// Addresses that the server has leased since it started.
    pub leases_assigned: Cell<u64>,
    /// Those that its file has.
    pub leases_kept: Cell<u64>,
    /// The address that the client has.
    pub leased_address: Cell<Option<Ipv4Addr>>,
    /// Parts of packets that came to nothing.
    pub fragments: Fragments,
    /// Packets that came from the TUN.
    pub packets_from_device: Cell<u64>,
    /// Their bytes.
    pub bytes_from_device: Cell<u64>,
    /// Packets that records were made of.
    pub packets_to_carriers: Cell<u64>,
    /// Packets that came out of records.
    pub packets_from_carriers: Cell<u64>,
    /// Packets that went to the TUN.
    pub packets_to_device: Cell<u64>,
    /// Their bytes.
    pub bytes_to_device: Cell<u64>,
}

/// How many parts of packets came to nothing, by why.
#[derive(Debug, Default)]
pub struct Fragments([Cell<u64>; 6]);

impl Fragments {
    fn place(&self, dropped: Dropped) -> &Cell<u64> {
        &self.0[match dropped {
            Dropped::NotAPacket => 0,
            Dropped::Malformed => 1,
            Dropped::Oversized => 2,
            Dropped::OutOfOrder => 3,
            Dropped::Mismatched => 4,
            Dropped::TooMany => 5,
        }]
    }

    /// Counts one.
    pub(super) fn count(&self, dropped: Dropped) {
        add(self.place(dropped), 1);
    }

    /// How many there were.
    pub fn of(&self, dropped: Dropped) -> u64 {
        self.place(dropped).get()
    }
}

/// Adds to a count.
pub(crate) fn add(count: &Cell<u64>, more: u64) {
    count.set(count.get() + more);
}

impl Counters {
    pub(super) fn refused(&self, refusal: Refusal) {
        add(&self.candidates, 1);
        let count = match refusal {
            Refusal::NotForUs => &self.precheck_failed,
            Refusal::UnknownClient => &self.unknown_client,
            Refusal::Forged => &self.decrypt_failed,
            Refusal::Size | Refusal::Version | Refusal::PayloadTooLong | Refusal::LowOrderKey => {
                return;
            }
        };
        add(count, 1);
    }
}
