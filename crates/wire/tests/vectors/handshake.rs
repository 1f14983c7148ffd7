//! Set 3: auth, accept, session keys, and what is refused.

use fps_wire::auth::{AllowList, Auth, Client, Server};
use fps_wire::{Direction, Link, PrivateKey, PublicKey, Record, Refusal};
use serde_json::Value;

use crate::data::{
    array, assert_link, bytes, count, each, number, private, profile, public, set, short, size,
    text, whole,
};

const SET: &str = include_str!("data/3-handshake.json");

/// A case of the set, with both sides.
struct Case<'a> {
    given: &'a Value,
    client: Client,
    server: Server,
    allowed: AllowList,
    most: usize,
}

impl<'a> Case<'a> {
    fn new(given: &'a Value) -> Self {
        let server = Server::new(private(&given["server_static"]));
        let client = Client::new(private(&given["client_static"]), server.public()).unwrap();
        assert_eq!(
            client.pair().client,
            public(&given["client_static"], "public_key")
        );
        assert_eq!(
            server.public(),
            public(&given["server_static"], "public_key")
        );
        let allowed = each(given, "allowed_client_public_keys").iter();
        let allowed = allowed.map(|key| {
            let key = hex::decode(key.as_str().unwrap()).unwrap();
            PublicKey::from_bytes(key.try_into().unwrap())
        });
        Self {
            allowed: AllowList::new(allowed.collect()).unwrap(),
            most: size(given, "max_padding_size"),
            given,
            client,
            server,
        }
    }

    fn link(&self) -> Link {
        let least = number(self.given, "min_records_before_trial");
        Link::new(&self.server.public(), profile(self.given), least)
    }

    /// What a record of the client is to the server: none where it is not tried.
    fn offer(&self, link: &Link, record: Record<'_>) -> Option<Result<Auth, Refusal>> {
        let binding = link.binding().filter(|_| record.is_application_data())?;
        let auth = self
            .server
            .open_auth(&self.allowed, &binding, record, self.most);
        Some(auth)
    }
}

#[test]
fn every_handshake_comes_to_the_same_keys() {
    for given in each(&set(SET), "cases") {
        let (case, name) = (Case::new(given), text(given, "name"));
        let mut link = case.link();
        count(&mut link, each(given, "records_before_auth"));
        let binding = link.binding().unwrap();
        let auth = &given["auth"];
        assert_eq!(
            binding.as_bytes(),
            bytes(auth, "handshake_binding"),
            "{name}"
        );
        let ephemeral = private(&given["client_ephemeral"]);
        let capabilities = short(given, "client_capabilities");
        let payload = bytes(auth, "payload");
        let made = case
            .client
            .auth(&binding, ephemeral, capabilities, &payload, case.most);
        let (record, sent) = made.unwrap();
        assert_eq!(hex::encode(&record), text(auth, "record"), "{name}");
        let taken = case.offer(&link, whole(&record)).unwrap().unwrap();
        assert_eq!(taken.client, case.client.pair().client, "{name}");
        assert_eq!(taken.capabilities, capabilities, "{name}");
        assert_eq!(taken.payload, payload, "{name}");

        link.count(Direction::ToServer, whole(&record));
        count(&mut link, each(given, "records_between_auth_and_accept"));
        let (binding, accept) = (link.binding().unwrap(), &given["accept"]);
        let payload = bytes(accept, "payload");
        let ephemeral = private(&given["server_ephemeral"]);
        let capabilities = short(given, "server_capabilities");
        let made = case.server.accept(
            &taken,
            &binding,
            &ephemeral,
            capabilities,
            &payload,
            case.most,
        );
        let (record, keys) = made.unwrap();
        assert_eq!(hex::encode(&record), text(accept, "record"), "{name}");
        let okm = array::<72>(&given["session_keys"], "okm72");
        assert_eq!(*keys.as_bytes(), okm, "{name}");
        let got = case
            .client
            .open_accept(&sent, &binding, whole(&record), case.most);
        let got = got.unwrap();
        assert_eq!(*got.keys.as_bytes(), okm, "{name}");
        assert_eq!(
            (got.capabilities, got.payload),
            (capabilities, payload),
            "{name}"
        );
        link.count(Direction::ToClient, whole(&record));
        assert_link(&link, &given["transcript_after_accept"], name);
    }
}

/// The peer's name for a refusal.
fn peers_name(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Size => "invalid_size",
        Refusal::NotForUs => "precheck_failed",
        Refusal::UnknownClient => "unknown_client_id",
        Refusal::Forged => "decrypt_failed",
        Refusal::Version => "unsupported_version",
        Refusal::PayloadTooLong => "oversized_padding",
        Refusal::LowOrderKey => "crypto_error",
    }
}

#[test]
fn every_wrong_auth_is_forwarded() {
    let set = set(SET);
    let negative = each(&set, "negative").iter();
    let mut seen = 0;
    for given in negative.filter(|given| given["side"] == "server") {
        let name = text(given, "name");
        let case = Case::new(&each(&set, "cases")[size(given, "case")]);
        if given["error"] == "invalid_config" {
            // With us such a list does not come into being.
            let client = case.client.pair().client;
            assert!(AllowList::new(vec![client, client]).is_err());
            continue;
        }
        let mut link = case.link();
        count(&mut link, each(given, "records_seen_before"));
        let record = bytes(given, "record");
        let offered = case.offer(&link, whole(&record));
        let error = offered.as_ref().and_then(|it| it.as_ref().err());
        assert_eq!(
            error.map(|it| peers_name(*it)),
            given["error"].as_str(),
            "{name}"
        );
        let auth = offered.and_then(Result::ok);
        assert_eq!(auth.is_some(), given["auth_accepted"] == true, "{name}");
        link.count(Direction::ToServer, whole(&record));
        assert_link(&link, &given["transcript_after"], name);
        let action = match auth {
            None => "forward",
            Some(auth) => {
                let ephemeral = PrivateKey::from_bytes([7; 32]);
                let binding = link.binding().unwrap();
                let made = case
                    .server
                    .accept(&auth, &binding, &ephemeral, 1, &[], case.most);
                made.map_or("close", |_| "consume")
            }
        };
        assert_eq!(action, text(given, "action"), "{name}");
        seen += 1;
    }
    assert_eq!(seen, 25);
}

#[test]
fn every_wrong_accept_is_forwarded() {
    let set = set(SET);
    let negative = each(&set, "negative").iter();
    let mut seen = 0;
    for given in negative.filter(|given| given["side"] == "client") {
        let name = text(given, "name");
        let case = Case::new(&each(&set, "cases")[size(given, "case")]);
        let mut link = case.link();
        count(&mut link, each(case.given, "records_before_auth"));
        let ephemeral = private(&given["client_ephemeral"]);
        let payload = bytes(&case.given["auth"], "payload");
        let binding = link.binding().unwrap();
        let capabilities = short(case.given, "client_capabilities");
        let made = case
            .client
            .auth(&binding, ephemeral, capabilities, &payload, case.most);
        let (auth, sent) = made.unwrap();
        let sent = (given["auth_sent"] == true).then_some(sent);
        if sent.is_some() {
            link.count(Direction::ToServer, whole(&auth));
        }
        count(&mut link, each(given, "records_after_auth"));
        let record = bytes(given, "record");
        let offered = sent.map(|sent| {
            let binding = link.binding().unwrap();
            case.client
                .open_accept(&sent, &binding, whole(&record), case.most)
        });
        let error = offered.as_ref().and_then(|it| it.as_ref().err());
        assert_eq!(
            error.map(|it| peers_name(*it)),
            given["error"].as_str(),
            "{name}"
        );
        let accepted = matches!(offered, Some(Ok(_)));
        assert_eq!(accepted, given["accept_accepted"] == true, "{name}");
        assert_eq!(text(given, "action"), "forward", "{name}");
        link.count(Direction::ToClient, whole(&record));
        assert_link(&link, &given["transcript_after"], name);
        seen += 1;
    }
    assert_eq!(seen, 13);
}

#[test]
fn what_must_not_be_built_is_not() {
    let set = set(SET);
    let names: Vec<_> = each(&set, "build_refusals")
        .iter()
        .map(|it| text(it, "name"))
        .collect();
    // An accept without a verified auth cannot be written down: it takes an `Auth`.
    assert_eq!(
        names,
        [
            "client auth before any binding exists",
            "client auth payload max_padding_size+1",
            "server accept without a verified auth"
        ]
    );
    let case = Case::new(&each(&set, "cases")[0]);
    let mut link = case.link();
    assert_eq!(link.binding(), None);
    count(&mut link, each(case.given, "records_before_auth"));
    let binding = link.binding().unwrap();
    let long = vec![0; case.most + 1];
    let ephemeral = PrivateKey::from_bytes([7; 32]);
    let made = case.client.auth(&binding, ephemeral, 1, &long, case.most);
    assert!(made.is_err());
}
