//! Answers that are kept, and those that are not.

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use nix::sys::signal::Signal;
use serde_json::json;

use super::server::Server;
use super::*;

#[test]
fn a_second_question_is_answered_from_the_cache() {
    let server = Server::of(1);
    let forwarder = Forwarder::start(&[&server], &[], json!({}));
    assert_eq!(forwarder.address_of("one.test."), "10.0.0.1");
    assert_eq!(forwarder.address_of("ONE.test."), "10.0.0.1");
    // What is not in it is seen.
    assert_eq!(forwarder.address_of("two.test."), "10.0.0.1");
    assert_eq!(server.asked(), ["one.test.", "two.test."]);
    forwarder
        .client()
        .ask(&query("one.test.", RecordType::AAAA));
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn a_missing_name_is_kept_where_a_soa_says_for_how_long() {
    for (minimum, expected) in [(Some(30), 1), (None, 2)] {
        let server = Server::new(move |query, _| {
            let mut message = failure(query, ResponseCode::NXDomain);
            message.authorities = Vec::from_iter(minimum.map(soa));
            vec![message]
        });
        let forwarder = Forwarder::start(&[&server], &[], json!({}));
        for _ in 0..2 {
            let got = forwarder.ask("none.test.");
            assert_eq!(rcode(&got), ResponseCode::NXDomain);
            let ttl = got.authorities.first().map(|record| record.ttl);
            assert!(ttl.is_none_or(|ttl| ttl <= 30), "{ttl:?}");
        }
        assert_eq!(server.asked().len(), expected, "{minimum:?}");
    }
}

#[test]
fn a_failure_is_passed_on_and_not_kept() {
    for code in [ResponseCode::ServFail, ResponseCode::Refused] {
        let server = Server::new(move |query, _| vec![failure(query, code)]);
        let forwarder = Forwarder::start(&[&server], &[], json!({}));
        assert_eq!(rcode(&forwarder.ask("one.test.")), code);
        assert_eq!(rcode(&forwarder.ask("one.test.")), code);
        assert_eq!(server.asked().len(), 2);
    }
}

#[test]
fn sighup_forgets_all_and_reads_the_file_again() {
    let (old, new) = (Server::of(1), Server::of(2));
    let forwarder = Forwarder::start(&[&old], &[], json!({}));
    assert_eq!(forwarder.address_of("one.test."), "10.0.0.1");
    write_config(&forwarder.folder, &config(&[&new], &[], json!({})));
    assert_eq!(forwarder.address_of("one.test."), "10.0.0.1");
    forwarder.signal(Signal::SIGHUP);
    forwarder.wait_for_line("event=reloaded");
    assert_eq!(forwarder.address_of("one.test."), "10.0.0.2");
    // The old one had kept its name until then.
    assert_eq!(old.asked(), ["one.test."]);
}

#[test]
fn a_file_that_is_wrong_changes_nothing_but_the_cache() {
    let server = Server::of(1);
    let forwarder = Forwarder::start(&[&server], &[], json!({}));
    let itself = json!({ "listen": ["127.0.0.1:0"], "default": [forwarder.address] });
    for (round, wrong) in [json!({ "listen": [] }), itself].iter().enumerate() {
        forwarder.address_of("one.test.");
        assert_eq!(server.asked().len(), round + 1);
        write_config(&forwarder.folder, wrong);
        forwarder.signal(Signal::SIGHUP);
        forwarder.wait_for_line("event=reload_failed");
    }
    assert_eq!(forwarder.address_of("one.test."), "10.0.0.1");
    assert_eq!(server.asked().len(), 3);
}
