//! Set 1: identities, keys, base64.

use fps_wire::{ClientUuid, PrivateKey, base64};

use crate::data::{array, bytes, each, set, text};

const SET: &str = include_str!("data/1-identity.json");

#[test]
fn a_client_has_the_key_of_its_uuid() {
    let set = set(SET);
    for case in each(&set, "client") {
        let uuid: ClientUuid = text(case, "uuid").parse().unwrap();
        assert_eq!(*uuid.to_text(), text(case, "uuid_canonical"));
        assert_eq!(uuid.as_bytes().to_vec(), bytes(case, "uuid_bytes"));
        let private = uuid.private_key();
        assert_eq!(*private.to_bytes(), array::<32>(case, "private_key"));
        let public = private.public();
        assert_eq!(*public.as_bytes(), array(case, "public_key"));
        assert_eq!(public.to_base64(), text(case, "public_key_base64"));
        assert_eq!(public.fingerprint(), text(case, "fingerprint"));
    }
    for case in each(&set, "client_uuid_text_rejects") {
        let uuid = text(case, "uuid").parse::<ClientUuid>();
        assert_eq!(uuid.is_ok(), case["accepted"] == true, "{case}");
    }
}

#[test]
fn a_server_has_the_public_key_of_its_private_one() {
    for case in each(&set(SET), "server") {
        let private = base64::decode(text(case, "server_private_key_base64")).unwrap();
        assert_eq!(private, bytes(case, "private_key"));
        let private = PrivateKey::from_bytes(private.try_into().unwrap());
        assert_eq!(
            private.public().to_base64(),
            text(case, "server_public_key_base64")
        );
        assert_eq!(*private.public().as_bytes(), array(case, "public_key"));
    }
}

#[test]
fn base64_is_strict() {
    for case in each(&set(SET), "base64_cases") {
        let decoded = base64::decode(text(case, "text"));
        assert_eq!(decoded.is_ok(), case["decodes"] == true, "{case}");
        if let Ok(decoded) = decoded {
            assert_eq!(decoded, bytes(case, "decoded"), "{case}");
            assert_eq!(decoded.len() == 32, case["usable_as_key"] == true, "{case}");
        }
    }
}
