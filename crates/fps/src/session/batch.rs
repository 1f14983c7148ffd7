//! What goes on a link with one write.

use bytes::Buf;
use fps_wire::classified::Spread;

/// Records, the last of which may lie in the buffer that their packet was read to.
#[derive(Debug, Default)]
pub struct Batch {
    /// One behind the other.
    pub records: Vec<u8>,
    /// Those behind them, sealed.
    pub packet: Option<Spread>,
}

impl Batch {
    /// With room for so many bytes of records.
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            records: Vec::with_capacity(bytes),
            packet: None,
        }
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.records.len() + self.sealed().len()
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of it, in its order.
    pub fn bytes(&self) -> impl Buf {
        self.records.chain(self.sealed())
    }

    fn sealed(&self) -> &[u8] {
        self.packet.as_ref().map_or(&[], Spread::sealed)
    }
}
