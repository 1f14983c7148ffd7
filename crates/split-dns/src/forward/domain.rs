//! A domain that has servers of its own.

use std::fmt;
use std::str::FromStr;

use hickory_proto::rr::Name;
use serde::{Deserialize, Serialize};

use super::name::WireName;

/// `fps.test`, or `~fps.test` as systemd-resolved writes a domain that only routes (resolved.conf(5));
/// it means the same here. The root, `.` or `~.`, takes every name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Domain(WireName);

impl Domain {
    /// The name in the form in which it is compared.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> Self {
        domain.to_string()
    }
}

impl TryFrom<String> for Domain {
    type Error = InvalidDomain;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for Domain {
    type Err = InvalidDomain;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidDomain(text.to_owned());
        let name = text.strip_prefix('~').unwrap_or(text);
        if name.is_empty()
            || !name
                .chars()
                .all(|c| c.is_ascii_graphic() && !"~=,\\".contains(c))
        {
            return Err(invalid());
        }
        // It puts no error on an empty label in the middle.
        if name != "." && name.trim_end_matches('.').len() + 1 < name.len() || name.contains("..") {
            return Err(invalid());
        }
        let name = Name::from_ascii(name).map_err(|_| invalid())?;
        Ok(Self(WireName::of(&name)))
    }
}

/// A text is no domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no domain: write one such as fps.test, or ~. for every name")]
pub struct InvalidDomain(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_a_last_dot_and_the_case_change_nothing() {
        let domain: Domain = "fps.test".parse().unwrap();
        for text in ["~fps.test", "fps.test.", "~FPS.Test."] {
            assert_eq!(text.parse::<Domain>().unwrap(), domain, "{text}");
        }
        assert_eq!(domain.to_string(), "fps.test.");
        for text in [".", "~."] {
            assert_eq!(text.parse::<Domain>().unwrap().as_bytes(), [0], "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_name() {
        let long = "a".repeat(64);
        for text in [
            "", "~", "~~a", "a..b", "a..", "..", ".a", "a b", "a,b", "bü.test", &long,
        ] {
            assert!(text.parse::<Domain>().is_err(), "{text}");
        }
    }
}
