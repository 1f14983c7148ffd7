//! `[host.NAME.dns]`, and the act that changes one.

use schemars::JsonSchema;

use super::many::Named;
use super::rule;
use super::text::{Domain, Duration, Name, Record};

/// A DNS server on port 53 of all the host's addresses, by UDP and TCP. It remembers each question.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct DnsServer {
    #[schemars(flatten)]
    content: Content,
}

/// `dns`: what a DNS server says from now on.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, transform = rule::at_least_one("zone manner"))]
pub(super) struct DnsChange {
    /// The host of the server: `"router"`.
    on: Name,
    #[schemars(flatten)]
    content: Content,
}

/// What a server knows, and how it answers.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(super) struct Content {
    /// Its zones by their apex, each a list of records: `zone."example.net" = ["www 60 A 192.0.2.80"]`. In an act they take the place of those with the same apex.
    zone: Option<Named<Domain, Vec<Record>>>,
    /// What it does about some names in place of answering; the longest name counts. In an act they take the place of all, and `[]` has it answer as usual.
    manner: Option<Vec<Manner>>,
}

/// What a server does about a name and all below it: `{ name = "slow.example.net", does = "delays", by = "300ms" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, transform = rule::only_with("by", "does", "delays"))]
pub(super) struct Manner {
    /// The name: `"slow.example.net"`.
    name: Domain,
    /// What the server does.
    does: Does,
    /// How long it delays its answers: `"300ms"`.
    by: Option<Duration>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
pub(super) enum Does {
    /// Answers REFUSED.
    Refuses,
    /// Answers SERVFAIL.
    Fails,
    /// Does not answer.
    Ignores,
    /// Has its answers by UDP truncated, so that they are asked for again by TCP.
    Truncates,
    /// Answers late, `by` a duration.
    Delays,
}
