//! An interface's name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest name that the kernel takes: `IFNAMSIZ` is 16 and counts the closing zero.
const LONGEST: usize = 15;

/// A valid interface name, by the rules of `dev_valid_name` in net/core/dev.c.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkName {
    /// The name, and zeros behind it.
    bytes: [u8; LONGEST],
    length: u8,
}

/// Why a text is no interface name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLinkName {
    /// The empty text.
    #[error("an interface name is empty")]
    Empty,
    /// Over 15 bytes.
    #[error("interface name `{0}` is longer than {LONGEST} bytes")]
    TooLong(String),
    /// `.`, `..`, or a `/`, `:` or white space somewhere.
    #[error("interface name `{0}` is `.`, `..`, or holds `/`, `:` or white space")]
    Forbidden(String),
    /// A zero, at which the kernel would take it for another, shorter name.
    #[error("interface name {0:?} holds a zero")]
    Zero(String),
}

impl LinkName {
    /// Checks and wraps a name.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidLinkName> {
        let name = name.into();
        if name.is_empty() {
            return Err(InvalidLinkName::Empty);
        }
        if name.len() > LONGEST {
            return Err(InvalidLinkName::TooLong(name));
        }
        let forbidden = |c: char| c == '/' || c == ':' || c.is_whitespace();
        if name == "." || name == ".." || name.contains(forbidden) {
            return Err(InvalidLinkName::Forbidden(name));
        }
        if name.contains('\0') {
            return Err(InvalidLinkName::Zero(name));
        }
        let mut bytes = [0; LONGEST];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        let length = u8::try_from(name.len()).expect("at most 15");
        Ok(Self { bytes, length })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        let bytes = &self.bytes[..usize::from(self.length)];
        str::from_utf8(bytes).expect("it was text")
    }
}

impl fmt::Debug for LinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LinkName").field(&self.as_str()).finish()
    }
}

impl fmt::Display for LinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for LinkName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for LinkName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(text).map_err(serde::de::Error::custom)
    }
}

impl FromStr for LinkName {
    type Err = InvalidLinkName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_the_kernel_takes() {
        for name in [
            "lo",
            "eth0",
            "wlp192s0",
            "fpsc0",
            "tun-firezone",
            "fifteen-bytes-x",
        ] {
            assert!(LinkName::new(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn refuses_what_the_kernel_refuses() {
        for name in [
            "",
            ".",
            "..",
            "a/b",
            "a b",
            "eth0:1",
            "sixteen-bytes-xx",
            "a\0b",
        ] {
            assert!(LinkName::new(name).is_err(), "{name}");
        }
    }
}
