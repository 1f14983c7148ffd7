//! `network.fwmark`: a JSON number, or a text such as `"0x465053"` (JSON has no hexadecimal).

use fps_netlink::Fwmark;
use serde::{Deserialize, Deserializer, de};

/// For `#[serde(deserialize_with)]`.
pub(super) fn deserialize<'de, D>(deserializer: D) -> Result<Option<Fwmark>, D::Error>
where
    D: Deserializer<'de>,
{
    let value = serde_json::Value::deserialize(deserializer)?;
    let mark = match &value {
        serde_json::Value::Number(number) => number
            .as_u64()
            .and_then(|number| u32::try_from(number).ok())
            .map(Fwmark),
        serde_json::Value::String(text) => text.parse().ok(),
        _ => None,
    };
    match mark {
        // A mark of zero is "no mark": the routing rules could not tell our sockets from others.
        Some(Fwmark(1..)) => Ok(mark),
        _ => Err(de::Error::custom(format!(
            "{value} is not a mark from 1 to 0xffffffff"
        ))),
    }
}
