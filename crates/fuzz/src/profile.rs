//! Profiles as URIs: one that is taken has all that a client needs and nothing of the server's, and is
//! the same after it was written again.
//!
//! Input: one byte, and a URI, JSON for one, or the text of a UUID or of base64.

use fps_wire::profile::{from_uri, to_uri};
use fps_wire::{ClientUuid, base64};
use serde_json::Value;

use crate::seed::Seed;
use crate::vectors::{self, each, text};

/// See the module.
pub fn check(data: &[u8]) -> bool {
    let Some((&what, rest)) = data.split_first() else {
        return false;
    };
    let Ok(given) = std::str::from_utf8(rest) else {
        return false;
    };
    match what % 4 {
        0 => from_uri(given).is_ok_and(|value| is_profile(&value)),
        1 => written(given),
        2 => uuid(given),
        _ => bytes(given),
    }
}

/// What a URI of any JSON comes to.
fn written(json: &str) -> bool {
    let uri = to_uri(json);
    let (scheme, payload) = uri.split_at("fps://v1/".len());
    assert_eq!(scheme, "fps://v1/");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    assert!(payload.chars().all(plain), "{uri}");
    let found = from_uri(&uri);
    let parsed = serde_json::from_str::<Value>(json);
    if let Ok(found) = &found {
        assert!(parsed.is_ok_and(|value| value == *found));
        assert!(is_profile(found));
    }
    found.is_ok()
}

/// All that has to be there is, nothing else of the server's is, and it comes back as it is.
fn is_profile(value: &Value) -> bool {
    let zero_rtt = &value["security"]["zero_rtt"];
    let text = |name: &str| {
        zero_rtt[name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name}"))
    };
    assert!(text("client_uuid").parse::<ClientUuid>().is_ok());
    let key = base64::decode(text("server_public_key_base64"));
    assert!(key.is_ok_and(|key| key.len() == 32));
    for own in ["server_private_key_base64", "allowed_client_uuids"] {
        assert!(zero_rtt.get(own).is_none(), "{own} is the server's");
    }
    let again = from_uri(&to_uri(&value.to_string()));
    assert!(same(&again.expect("it was taken before"), value));
    true
}

/// Whether two values are the same, but for the last digit of a fraction, which serde_json does not
/// promise to keep and no key of ours has.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let found = |(key, value): (&String, &Value)| {
                other.get(key).is_some_and(|other| same(value, other))
            };
            one.len() == other.len() && one.iter().all(found)
        }
        (Value::Number(one), Value::Number(other)) if one.is_f64() && other.is_f64() => true,
        (one, other) => one == other,
    }
}

fn uuid(given: &str) -> bool {
    let Ok(uuid) = given.parse::<ClientUuid>() else {
        return false;
    };
    let text = uuid.to_text();
    assert_eq!(*text, given.to_lowercase());
    assert!(text.parse() == Ok(uuid.clone()));
    assert!(ClientUuid::from_random(*uuid.as_bytes()) == uuid);
    true
}

fn bytes(given: &str) -> bool {
    let encoded = base64::encode(given.as_bytes());
    let back = base64::decode(&encoded);
    assert!(given.is_empty() || back.as_deref() == Ok(given.as_bytes()));
    let Ok(decoded) = base64::decode(given) else {
        return false;
    };
    // Bits that stand for nothing may differ; they are in the last character before the padding.
    let again = base64::encode(&decoded);
    let differing = again
        .bytes()
        .zip(given.bytes())
        .filter(|(one, other)| one != other);
    assert_eq!(again.len(), given.len());
    assert!(differing.count() <= usize::from(given.ends_with('=')));
    true
}

/// The recorded profiles, as URI and as JSON.
pub fn seeds() -> Vec<Seed> {
    let set = vectors::profiles();
    let mut seeds = Vec::new();
    for given in each(&set, "encode") {
        seeds.push(Seed::deep(format!("\0{}", text(given, "uri"))));
        seeds.push(Seed::deep(format!("\x01{}", text(given, "json_text"))));
    }
    for given in each(&set, "decode") {
        let uri = text(given, "uri");
        seeds.push(Seed::any(format!("\0{uri}")));
        if let Ok(value) = from_uri(uri) {
            seeds.push(Seed::deep(format!("\x01{value}")));
        }
    }
    seeds.push(Seed::deep("\x023f2b8c1d-9a4e-4F6b-8c2d-1e5f7a9b3c4d"));
    seeds.push(Seed::deep("\x03cGFja2V0cw=="));
    seeds
}
