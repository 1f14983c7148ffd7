//! Where our own questions come from.

use std::cell::RefCell;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::rc::Rc;

/// The addresses of the sockets that wait for a server's answer. A question that comes to a listener
/// from one of them has been asked by this forwarder: it would go round for ever.
///
/// A loop by way of another forwarder is not seen so. It ends all the same: the question waits for
/// itself, as any that is asked twice, until the server's time is over.
#[derive(Debug, Default)]
pub(super) struct Sources(RefCell<HashSet<SocketAddr>>);

/// An address, as long as this exists.
pub(super) struct Source {
    all: Rc<Sources>,
    address: SocketAddr,
}

impl Sources {
    /// Questions come from this address.
    pub(super) fn add(self: &Rc<Self>, address: SocketAddr) -> Source {
        let address = canonical(address);
        self.0.borrow_mut().insert(address);
        Source {
            all: Rc::clone(self),
            address,
        }
    }

    /// Whether they do.
    pub(super) fn has(&self, address: SocketAddr) -> bool {
        self.0.borrow().contains(&canonical(address))
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.all.0.borrow_mut().remove(&self.address);
    }
}

/// Without flow label and scope, which one side alone may know.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_ours_as_long_as_its_socket_waits() {
        let sources = Rc::new(Sources::default());
        let (ours, mapped) = ("127.0.0.1:4000", "[::ffff:127.0.0.1]:4000");
        let source = sources.add(ours.parse().unwrap());
        assert!(sources.has(ours.parse().unwrap()) && sources.has(mapped.parse().unwrap()));
        assert!(!sources.has("127.0.0.1:4001".parse().unwrap()));
        drop(source);
        assert!(!sources.has(ours.parse().unwrap()));
    }
}
