//! What is known of the network until it changes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

/// How many of each are kept.
const MOST: usize = 256;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Cache {
    /// From which address a destination was reached.
    sources: RefCell<HashMap<IpAddr, IpAddr>>,
    /// What a name was looked up to, if it has led somewhere since.
    names: RefCell<HashMap<(String, u16), Vec<SocketAddr>>>,
}

impl Cache {
    pub(super) fn source(&self, to: IpAddr) -> Option<IpAddr> {
        self.sources.borrow().get(&to).copied()
    }

    pub(super) fn keep_source(&self, to: IpAddr, source: IpAddr) {
        let mut sources = self.sources.borrow_mut();
        if sources.len() < MOST {
            sources.insert(to, source);
        }
    }

    pub(super) fn forget_source(&self, to: IpAddr) {
        self.sources.borrow_mut().remove(&to);
    }

    pub(super) fn take_name(&self, name: &str, port: u16) -> Option<Vec<SocketAddr>> {
        self.names.borrow_mut().remove(&(name.to_owned(), port))
    }

    pub(super) fn keep_name(&self, name: &str, port: u16, found: &[SocketAddr]) {
        let mut names = self.names.borrow_mut();
        if names.len() < MOST {
            names.insert((name.to_owned(), port), found.to_vec());
        }
    }

    pub(super) fn clear(&self) {
        self.sources.borrow_mut().clear();
        self.names.borrow_mut().clear();
    }
}
