//! Which flow goes by which carrier, so that no packet of a flow overtakes another.
//!
//! A flow keeps its carrier as long as that is there. Once it has ended, what the flow has sent by it may
//! still be on its way, and would arrive behind what goes by another; so the flow waits until nothing is
//! ([`Seats::release`]).
//!
//! The client leads, and the server follows: a flow goes back by the carrier by which it comes, and when
//! the client moves it to another, as after a roam, its answers follow with the next packet.

use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::{CarrierId, Flow};

/// After so long a silence in both directions a flow may go by another carrier.
pub(super) const SILENCE: Duration = Duration::from_millis(250);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Seats(FxHashMap<Flow, Seat>);

#[derive(Clone, Copy, Debug)]
struct Seat {
    carrier: CarrierId,
    /// When the last packet went by it.
    sent: Option<Instant>,
    /// By which carrier the other end's last packet has come, and when.
    heard: Option<(CarrierId, Instant)>,
}

/// Where a flow's next packet may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// By its carrier.
    At {
        /// Which.
        carrier: CarrierId,
        /// Whether the flow was silent, and may go by another if nothing of it is on its way.
        silent: bool,
    },
    /// By any; best by the one by which the other end sends.
    Free(Option<CarrierId>),
    /// Nowhere yet: its carrier has ended, and something of it may be on its way.
    Waits,
}

/// Whose choice it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Leads,
    Follows,
}

impl Seat {
    fn is_silent(&self, now: Instant) -> bool {
        let last = self.sent.max(self.heard.map(|(_, moment)| moment));
        last.is_none_or(|moment| now >= moment + SILENCE)
    }
}

impl Seats {
    /// Where a flow stands.
    pub(super) fn look(
        &self,
        flow: Flow,
        now: Instant,
        is_live: impl Fn(CarrierId) -> bool,
    ) -> Look {
        let Some(seat) = self.0.get(&flow) else {
            return Look::Free(None);
        };
        match is_live(seat.carrier) {
            true => Look::At {
                carrier: seat.carrier,
                silent: seat.is_silent(now),
            },
            false if seat.sent.is_some() => Look::Waits,
            false => Look::Free(seat.heard.map(|(carrier, _)| carrier)),
        }
    }

    /// A packet of a flow goes by a carrier.
    pub(super) fn sent(&mut self, flow: Flow, by: CarrierId, now: Instant) {
        let seat = self.0.entry(flow).or_insert(Seat {
            carrier: by,
            sent: None,
            heard: None,
        });
        (seat.carrier, seat.sent) = (by, Some(now));
    }

    /// A packet of a flow has come. Gives the carrier by which the one before has come, if by another.
    pub(super) fn came(
        &mut self,
        flow: Flow,
        by: CarrierId,
        now: Instant,
        role: Role,
        is_live: impl Fn(CarrierId) -> bool,
    ) -> Option<CarrierId> {
        let seat = self.0.entry(flow).or_insert(Seat {
            carrier: by,
            sent: None,
            heard: None,
        });
        // Both ends may have begun at once, each by a carrier of its own choice; then each keeps it.
        let before = seat.heard.map(|(before, _)| before);
        let moved = before.filter(|before| *before != by);
        let follows = moved.is_some() && role == Role::Follows && is_live(seat.carrier);
        seat.heard = Some((by, now));
        if follows || seat.sent.is_none() {
            seat.carrier = by;
        }
        moved
    }

    /// Nothing that went by a carrier is on its way any more. By which one the other end has sent is kept:
    /// what lies in its socket comes before what comes by another.
    pub(super) fn release(&mut self, carrier: CarrierId) {
        self.0.retain(|_, seat| {
            if seat.carrier != carrier {
                return true;
            }
            let Some((by, _)) = seat.heard else {
                return false;
            };
            (seat.carrier, seat.sent) = (by, None);
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: CarrierId = CarrierId(1);
    const TWO: CarrierId = CarrierId(2);
    const BOTH: fn(CarrierId) -> bool = |_| true;
    const WITHOUT_ONE: fn(CarrierId) -> bool = |it| it != ONE;

    fn at(carrier: CarrierId, silent: bool) -> Look {
        Look::At { carrier, silent }
    }

    #[test]
    fn a_flow_waits_for_what_went_by_a_carrier_that_has_ended() {
        let (mut seats, flow, now) = (Seats::default(), Flow::default(), Instant::now());
        assert_eq!(seats.look(flow, now, BOTH), Look::Free(None));
        seats.sent(flow, ONE, now);
        assert_eq!(seats.look(flow, now, BOTH), at(ONE, false));
        assert_eq!(seats.look(flow, now + SILENCE, BOTH), at(ONE, true));
        assert_eq!(seats.look(flow, now, WITHOUT_ONE), Look::Waits);
        seats.release(TWO);
        assert_eq!(seats.look(flow, now, WITHOUT_ONE), Look::Waits);
        seats.release(ONE);
        assert_eq!(seats.look(flow, now, WITHOUT_ONE), Look::Free(None));
    }

    #[test]
    fn what_comes_keeps_a_flow_busy_as_well() {
        let (mut seats, flow, now) = (Seats::default(), Flow::default(), Instant::now());
        seats.sent(flow, ONE, now);
        let (then, later) = (now + SILENCE / 2, now + SILENCE);
        assert_eq!(seats.came(flow, ONE, then, Role::Leads, BOTH), None);
        assert_eq!(seats.look(flow, later, BOTH), at(ONE, false));
        let before = seats.came(flow, TWO, then, Role::Leads, BOTH);
        assert_eq!(before, Some(ONE));
    }

    #[test]
    fn by_which_carrier_something_came_is_known_when_that_is_released() {
        let (mut seats, flow, now) = (Seats::default(), Flow::default(), Instant::now());
        seats.came(flow, ONE, now, Role::Leads, BOTH);
        seats.sent(flow, ONE, now);
        seats.release(ONE);
        let free = Look::Free(Some(ONE));
        assert_eq!(seats.look(flow, now, WITHOUT_ONE), free);
        let before = seats.came(flow, TWO, now, Role::Leads, WITHOUT_ONE);
        assert_eq!(before, Some(ONE));
    }

    #[test]
    fn the_server_follows_the_client_and_the_client_nobody() {
        let (flow, now) = (Flow::default(), Instant::now());
        for (role, follows) in [(Role::Follows, TWO), (Role::Leads, ONE)] {
            let mut seats = Seats::default();
            seats.came(flow, ONE, now, role, BOTH);
            seats.sent(flow, ONE, now);
            seats.came(flow, TWO, now, role, BOTH);
            assert_eq!(seats.look(flow, now, BOTH), at(follows, false), "{role:?}");
        }
    }

    #[test]
    fn where_both_began_at_once_each_stays() {
        let (mut seats, flow, now) = (Seats::default(), Flow::default(), Instant::now());
        seats.sent(flow, ONE, now);
        seats.came(flow, TWO, now, Role::Follows, BOTH);
        seats.came(flow, TWO, now + SILENCE, Role::Follows, BOTH);
        assert_eq!(seats.look(flow, now + SILENCE, BOTH), at(ONE, false));
    }

    #[test]
    fn who_follows_waits_too_for_what_went_by_a_carrier_that_has_ended() {
        let (mut seats, flow, now) = (Seats::default(), Flow::default(), Instant::now());
        seats.came(flow, ONE, now, Role::Follows, BOTH);
        seats.sent(flow, ONE, now);
        seats.came(flow, TWO, now, Role::Follows, WITHOUT_ONE);
        assert_eq!(seats.look(flow, now, WITHOUT_ONE), Look::Waits);
        seats.release(ONE);
        assert_eq!(seats.look(flow, now, WITHOUT_ONE), at(TWO, false));
    }
}
