//! A device's MTU.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use super::text::serialize_as_text;

/// A device's MTU in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mtu(u32);

impl Mtu {
    /// The least that IPv4 takes (RFC 791; `ETH_MIN_MTU`).
    const LEAST: Self = Self(68);
    /// The least that IPv6 takes (RFC 8200, 5).
    pub(crate) const LEAST_V6: Self = Self(1280);
    /// The most that a TUN device takes (`MAX_MTU` in drivers/net/tun.c).
    const MOST: Self = Self(65535);

    /// The number of bytes.
    pub fn get(self) -> u32 {
        self.0
    }
}

serialize_as_text!(Mtu);

impl fmt::Display for Mtu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Mtu {
    type Err = InvalidMtu;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let out_of_range = |_: ParseIntError| InvalidMtu;
        let mtu = Self(text.parse().map_err(out_of_range)?);
        if (Self::LEAST..=Self::MOST).contains(&mtu) {
            Ok(mtu)
        } else {
            Err(InvalidMtu)
        }
    }
}

/// A text is no MTU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no number from {} to {}", Mtu::LEAST, Mtu::MOST)]
pub struct InvalidMtu;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_mtu_is_one_that_a_tun_device_takes() {
        for text in ["68", "1280", "65535"] {
            assert_eq!(text.parse::<Mtu>().unwrap().to_string(), text);
        }
        for text in ["", "67", "65536", "-1", "99999999999", "1280b"] {
            let refused = text.parse::<Mtu>().unwrap_err();
            assert_eq!(
                refused.to_string(),
                "it is no number from 68 to 65535",
                "{text}"
            );
        }
    }
}
