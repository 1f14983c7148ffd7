//! Set 6a: messages about the session.

use fps_wire::control::{
    ClientInstance, DirectionShape, Distribution, InvalidMessage, Lease, ShaperSnapshot,
};
use serde_json::Value;

use crate::data::{array, bytes, each, number, set, short, text};

const SET: &str = include_str!("data/6a-control.json");

fn lease(of: &Value) -> Lease {
    let address = |name| text(of, name).parse().unwrap();
    Lease {
        client: address("client_ipv4"),
        server: address("server_ipv4"),
        network: address("network_ipv4"),
        prefix_len: number(of, "prefix_length").try_into().unwrap(),
        mtu: short(of, "mtu"),
    }
}

fn shape(of: &Value) -> DirectionShape {
    let distribution = |name| {
        let step = |step: &Value, at: usize| step[at].as_u64().unwrap().try_into().unwrap();
        let steps = each(of, name).iter();
        Distribution(steps.map(|it| (step(it, 0), step(it, 1))).collect())
    };
    DirectionShape {
        observed: number(of, "observed_records"),
        sizes: distribution("record_size_cdf_ppm"),
        delays: distribution("inter_record_delay_us_cdf_ppm"),
    }
}

fn snapshot(of: &Value) -> ShaperSnapshot {
    ShaperSnapshot {
        profile_id: text(of, "profile_id").to_owned(),
        to_server: shape(&of["c2s"]),
        to_client: shape(&of["s2c"]),
    }
}

/// What is read has to be what is given, or fail with the peer's error.
fn assert_read<T: std::fmt::Debug + PartialEq>(
    found: Result<T, InvalidMessage>,
    expected: Option<T>,
    given: &Value,
) {
    let error = found.as_ref().err().map(|error| match error {
        InvalidMessage::Payload => "invalid_payload",
        InvalidMessage::Version => "unsupported_version",
        InvalidMessage::Family => "unsupported_family",
    });
    assert_eq!(error, given["error"].as_str(), "{given}");
    assert_eq!(found.ok(), expected, "{given}");
}

#[test]
fn every_message_is_written_and_read_the_same() {
    let set = set(SET);
    for given in each(&set, "lease_encode") {
        assert_eq!(lease(given).to_bytes().to_vec(), bytes(given, "payload"));
    }
    for given in each(&set, "client_instance_encode") {
        let instance = ClientInstance(array(given, "instance_id"));
        assert_eq!(instance.to_bytes().to_vec(), bytes(given, "payload"));
    }
    for given in each(&set, "shaper_snapshot_encode") {
        let written = snapshot(given).to_bytes().unwrap();
        assert_eq!(written, bytes(given, "payload"));
    }
    for given in each(&set, "lease_decode") {
        let expected = given["lease"].is_object().then(|| lease(&given["lease"]));
        assert_read(Lease::read(&bytes(given, "payload")), expected, given);
    }
    for given in each(&set, "client_instance_decode") {
        let known = given["instance_id"].is_string();
        let expected = known.then(|| ClientInstance(array(given, "instance_id")));
        assert_read(
            ClientInstance::read(&bytes(given, "payload")),
            expected,
            given,
        );
    }
    for given in each(&set, "shaper_snapshot_decode") {
        let known = given["snapshot"].is_object();
        let expected = known.then(|| snapshot(&given["snapshot"]));
        assert_read(
            ShaperSnapshot::read(&bytes(given, "payload")),
            expected,
            given,
        );
    }
}
