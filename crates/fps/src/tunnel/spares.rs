//! Buffers for the packets that are read next.

use std::cell::RefCell;

use fps_wire::classified::Spread;

use super::Whole;

/// How many are kept, of all carriers: as many as a full queue has (1 MiB by default). A new one costs as
/// much as a copy of the packet, since it is of zeros.
const MOST: usize = 16;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Spares(RefCell<Vec<Spread>>);

impl Spares {
    /// One for any packet.
    pub(super) fn take(&self) -> Spread {
        let spare = self.0.borrow_mut().pop();
        spare.unwrap_or_else(|| Spread::new(Whole::LONGEST))
    }

    /// Takes back one whose packet has gone.
    pub(super) fn give_back(&self, spread: Spread) {
        let mut spares = self.0.borrow_mut();
        if spares.len() < MOST {
            spares.push(spread);
        }
    }
}
