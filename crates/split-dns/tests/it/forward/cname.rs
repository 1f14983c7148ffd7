//! CNAMEs that lead elsewhere.

use hickory_proto::op::ResponseCode;
use serde_json::json;

use super::server::Server;
use super::*;

#[test]
fn where_a_cname_leads_is_asked_of_the_servers_that_gave_it() {
    let lan = Server::of(1);
    let tunnel = Server::new(|query, _| {
        let asked = query.queries[0].name().to_ascii();
        vec![answer(
            query,
            match &*asked {
                "www.fps.test." => vec![cname("www.fps.test.", "cdn.example.")],
                "cdn.example." => vec![cname("cdn.example.", "edge.example.")],
                _ => vec![a(&asked, 60, 2)],
            },
        )]
    });
    let forwarder = Forwarder::start(&[&lan], &[("fps.test", &tunnel)], json!({}));
    let got = forwarder.ask("www.fps.test.");
    let texts: Vec<_> = got
        .answers
        .iter()
        .map(|record| record.data.to_string())
        .collect();
    assert_eq!(texts, ["cdn.example.", "edge.example.", "10.0.0.2"]);
    assert_eq!(
        tunnel.asked(),
        ["www.fps.test.", "cdn.example.", "edge.example."]
    );
    // Asked for itself, the same name goes to the default server, which would have been seen.
    assert!(lan.asked().is_empty());
    assert_eq!(forwarder.address_of("edge.example."), "10.0.0.1");
    assert_eq!(lan.asked(), ["edge.example."]);
}

#[test]
fn an_answer_that_is_whole_is_passed_on_as_it_is() {
    let server = Server::new(|query, _| {
        let records = vec![cname("www.test.", "cdn.test."), a("cdn.test.", 60, 3)];
        let mut message = answer(query, records);
        message.authorities = vec![soa(5)];
        message.additionals = vec![a("extra.test.", 60, 4)];
        vec![message]
    });
    let forwarder = Forwarder::start(&[&server], &[], json!({}));
    let got = forwarder.ask("www.test.");
    assert_eq!(got.all_sections().count(), 4);
    assert_eq!(server.asked(), ["www.test."]);
}

#[test]
fn a_chain_without_end_fails() {
    let server = Server::new(|query, _| {
        let asked = query.queries[0].name().to_ascii();
        vec![answer(query, vec![cname(&asked, &format!("x{asked}"))])]
    });
    let forwarder = Forwarder::start(&[&server], &[], json!({}));
    assert_eq!(rcode(&forwarder.ask("a.test.")), ResponseCode::ServFail);
    assert_eq!(server.asked().len(), 1 + 8 + 1);
}

#[test]
fn a_target_that_is_missing_is_asked_for_once() {
    let server = Server::new(|query, _| {
        let is_alias = query.queries[0].name() == &name("a.test.");
        let records = is_alias.then(|| cname("a.test.", "b.test."));
        vec![answer(query, Vec::from_iter(records))]
    });
    let forwarder = Forwarder::start(&[&server], &[], json!({}));
    assert_eq!(forwarder.ask("a.test.").answers.len(), 1);
    assert_eq!(server.asked(), ["a.test.", "b.test."]);
}
