//! Where our own questions come from.

use std::cell::RefCell;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::rc::Rc;

/// How a question gets from one socket to another. A port of UDP is not that of TCP; and by TCP two
/// connections may have one port where they lead to different servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Way {
    Udp { from: SocketAddr },
    Tcp { from: SocketAddr, to: SocketAddr },
}

impl Way {
    /// Without flow label and scope, which one side alone may know.
    fn canonical(self) -> Self {
        let address = |address: SocketAddr| -> SocketAddr {
            (address.ip().to_canonical(), address.port()).into()
        };
        match self {
            Self::Udp { from } => Self::Udp {
                from: address(from),
            },
            Self::Tcp { from, to } => Self::Tcp {
                from: address(from),
                to: address(to),
            },
        }
    }
}

/// The ways of the sockets that wait for a server's answer. A question that comes to a listener by
/// one of them has been asked by this forwarder: it would go round for ever.
///
/// A loop by way of another forwarder is not seen so. It ends all the same: the question waits for
/// itself, as any that is asked twice, until the server's time is over.
#[derive(Debug, Default)]
pub(super) struct Sources(RefCell<HashSet<Way>>);

/// A way, as long as this exists.
pub(super) struct Source {
    all: Rc<Sources>,
    way: Way,
}

impl Sources {
    /// A question goes this way.
    pub(super) fn add(self: &Rc<Self>, way: Way) -> Source {
        let way = way.canonical();
        self.0.borrow_mut().insert(way);
        Source {
            all: Rc::clone(self),
            way,
        }
    }

    /// Whether one does.
    pub(super) fn has(&self, way: Way) -> bool {
        self.0.borrow().contains(&way.canonical())
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.all.0.borrow_mut().remove(&self.way);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn udp(from: &str) -> Way {
        Way::Udp {
            from: from.parse().unwrap(),
        }
    }

    fn tcp(from: &str, to: &str) -> Way {
        Way::Tcp {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        }
    }

    #[test]
    fn a_way_is_ours_as_long_as_its_socket_waits() {
        let sources = Rc::new(Sources::default());
        let source = sources.add(udp("127.0.0.1:4000"));
        assert!(sources.has(udp("127.0.0.1:4000")) && sources.has(udp("[::ffff:127.0.0.1]:4000")));
        assert!(!sources.has(udp("127.0.0.1:4001")));
        drop(source);
        assert!(!sources.has(udp("127.0.0.1:4000")));
    }

    #[test]
    fn a_client_with_the_same_port_for_something_else_is_not_us() {
        let sources = Rc::new(Sources::default());
        let _udp = sources.add(udp("127.0.0.1:4000"));
        let _tcp = sources.add(tcp("127.0.0.1:5000", "127.0.0.2:53"));
        assert!(sources.has(tcp("127.0.0.1:5000", "127.0.0.2:53")));
        assert!(!sources.has(tcp("127.0.0.1:4000", "127.0.0.2:53")));
        assert!(!sources.has(tcp("127.0.0.1:5000", "127.0.0.3:53")));
        assert!(!sources.has(udp("127.0.0.1:5000")));
    }
}
