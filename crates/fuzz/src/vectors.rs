//! The recorded bytes of the wire's own tests.

use serde_json::Value;

macro_rules! set {
    ($name:ident, $file:literal, $doc:literal) => {
        #[doc = $doc]
        pub fn $name() -> Value {
            let text = include_str!(concat!("../../wire/tests/vectors/data/", $file));
            serde_json::from_str(text).expect("the vectors are JSON")
        }
    };
}

set!(transcript, "2-transcript.json", "Reads of a link.");
set!(handshake, "3-handshake.json", "Auths and accepts.");
set!(records, "4-classified.json", "Records of frames.");
set!(fragments, "5-fragmentation.json", "Packets in parts.");
set!(control, "6a-control.json", "Messages about the session.");
set!(profiles, "6b-profile-uri.json", "Profiles.");

/// The array of this name.
pub fn each<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of[name].as_array().unwrap_or_else(|| panic!("no {name}"))
}

/// The text of this name.
pub fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_else(|| panic!("no {name}"))
}

/// The bytes of this name.
pub fn bytes(of: &Value, name: &str) -> Vec<u8> {
    hex::decode(text(of, name)).expect("hexadecimal")
}
