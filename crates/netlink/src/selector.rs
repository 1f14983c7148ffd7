//! Which packets a rule is for: by mark, by port, by user.

use std::fmt;

use crate::Fwmark;

/// Which marks a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkMatch {
    /// What the mark is.
    pub mark: Fwmark,
    /// In those of its bits that count.
    pub mask: u32,
}

impl MarkMatch {
    /// Whether a packet has such a mark.
    pub fn chooses(self, mark: Fwmark) -> bool {
        mark.0 & self.mask == self.mark.0 & self.mask
    }
}

impl From<Fwmark> for MarkMatch {
    /// This mark alone.
    fn from(mark: Fwmark) -> Self {
        let mask = u32::MAX;
        Self { mark, mask }
    }
}

impl fmt::Display for MarkMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mask {
            u32::MAX => self.mark.fmt(f),
            mask => write!(f, "{}/{mask:#x}", self.mark),
        }
    }
}

/// Ports from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

impl Ports {
    /// Whether a port is one of them.
    pub fn contains(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }
}

impl From<u16> for Ports {
    /// This port alone.
    fn from(port: u16) -> Self {
        let (first, last) = (port, port);
        Self { first, last }
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => self.first.fmt(f),
            false => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

/// Users from one number to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Users {
    /// The first.
    pub first: u32,
    /// The last.
    pub last: u32,
}

impl Users {
    /// Whether a user is one of them.
    pub fn contains(self, user: u32) -> bool {
        (self.first..=self.last).contains(&user)
    }
}

impl fmt::Display for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}
