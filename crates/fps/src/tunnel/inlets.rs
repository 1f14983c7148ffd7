//! How much has come by each carrier and is not read yet.
//!
//! A flow moves to another carrier only when the kernel here has all that it sent by the one before. So
//! when its next packet comes, nothing can be missing but what lies in a socket.

use std::cell::RefCell;
use std::os::fd::RawFd;
use std::time::Instant;

use rustc_hash::FxHashMap;

use super::CarrierId;
use crate::socket::unread;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Inlets(RefCell<FxHashMap<CarrierId, Inlet>>);

#[derive(Debug)]
struct Inlet {
    link: RawFd,
    read: u64,
    last: Option<Instant>,
}

/// So much of a carrier has to be read first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Behind {
    pub(super) carrier: CarrierId,
    read: u64,
}

impl Inlets {
    /// A carrier begins to read from its link.
    pub(super) fn open(&self, id: CarrierId, link: RawFd) {
        let inlet = Inlet {
            link,
            read: 0,
            last: None,
        };
        self.0.borrow_mut().insert(id, inlet);
    }

    /// It has ended, and nothing more is read.
    pub(super) fn close(&self, id: CarrierId) {
        self.0.borrow_mut().remove(&id);
    }

    /// So many bytes more have been read, and all packets in them have gone on.
    pub(super) fn have_read(&self, id: CarrierId, bytes: usize) {
        if let Some(inlet) = self.0.borrow_mut().get_mut(&id) {
            inlet.read += bytes as u64;
            inlet.last = Some(Instant::now());
        }
    }

    /// What of a carrier is not read yet, if anything.
    pub(super) fn behind(&self, carrier: CarrierId) -> Option<Behind> {
        let open = self.0.borrow();
        let inlet = open.get(&carrier)?;
        let unread = unread(inlet.link);
        (unread > 0).then_some(Behind {
            carrier,
            read: inlet.read + unread,
        })
    }

    /// When something of that carrier has been read last.
    pub(super) fn last_read(&self, behind: &Behind) -> Option<Instant> {
        self.0.borrow().get(&behind.carrier)?.last
    }

    /// Whether that has been read now.
    pub(super) fn has_reached(&self, behind: &Behind) -> bool {
        let open = self.0.borrow();
        let inlet = open.get(&behind.carrier);
        inlet.is_none_or(|inlet| inlet.read >= behind.read)
    }
}
