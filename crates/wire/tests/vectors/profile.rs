//! Set 6b: profiles as URIs.

use fps_wire::profile::{from_uri, to_uri};
use serde_json::Value;

use crate::data::{each, set, text};

const SET: &str = include_str!("data/6b-profile-uri.json");

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn every_profile_has_the_same_uri() {
    let set = set(SET);
    for given in each(&set, "encode") {
        let uri = to_uri(text(given, "json_text"));
        assert_eq!(uri, text(given, "uri"));
        assert_eq!(
            from_uri(&uri).unwrap(),
            json(text(given, "decoded_json_text"))
        );
    }
    for given in each(&set, "decode") {
        let found = from_uri(text(given, "uri"));
        assert_eq!(
            found.is_ok(),
            given["accepted"] == true,
            "{given}: {found:?}"
        );
        if let Ok(found) = found {
            assert_eq!(found, json(text(given, "decoded_json_text")), "{given}");
        }
    }
}
