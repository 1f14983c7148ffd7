//! `counter`, `log` and `status`

use schemars::JsonSchema;

use crate::scenario::schema::rule;
use crate::scenario::schema::text::{Count, CounterName, Duration, Name, Text, Value};

/// How many, one of three.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
struct HowMany {
    /// So many or more.
    at_least: Option<Count>,
    /// So many or fewer.
    at_most: Option<Count>,
    /// So many, neither more nor fewer.
    exactly: Option<Count>,
}

/// `counter`: the kernel of the host has counted as many since the acts began: `{ on = "router", name = "IpExt.InNoRoutes", at-most = 0 }`.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "kebab-case",
    deny_unknown_fields,
    transform = rule::exactly_one("at-least at-most exactly"),
    transform = rule::needs("within", "at-least"),
    transform = rule::without("at-least", "for")
)]
pub(super) struct Counter {
    /// The expectation's own name; what it says where not given.
    r#as: Option<Text>,
    /// The host: `"router"`.
    on: Name,
    /// The counter, as nstat(8) has it with a dot behind the group, or of a link: `"IpExt.InNoRoutes"`, `"eth0.rx_packets"`.
    name: CounterName,
    #[schemars(flatten)]
    count: HowMany,
    /// With `at-least`: the deadline.
    #[schemars(extend("default" = "1s"))]
    within: Option<Duration>,
    /// With `at-most` and `exactly`: how long it must hold.
    #[schemars(extend("default" = "200ms"))]
    r#for: Option<Duration>,
}

/// `log`: a program's output has so many lines with the text, since the step began: `{ who = "client", text = "carrier_removed", exactly = 0 }`.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "kebab-case",
    deny_unknown_fields,
    transform = rule::exactly_one("text matches"),
    transform = rule::at_most_one("at-least at-most exactly"),
    transform = rule::without("within", "at-most exactly"),
    transform = rule::at_least_one_where("for", "at-most exactly")
)]
pub(super) struct Log {
    /// The expectation's name; what it says where not given.
    name: Option<Text>,
    /// `"client"`, `"server"`, `"origin"`, `"carrier"`, or a `[program]`.
    who: Name,
    /// What the line holds.
    text: Option<Text>,
    /// A regular expression that the line matches, in place of `text`: `"carriers=[12] "`.
    matches: Option<Text>,
    #[schemars(flatten)]
    count: HowMany,
    /// From when on lines count.
    #[schemars(extend("default" = "step"))]
    since: Option<Since>,
    /// With `at-least`: the deadline.
    #[schemars(extend("default" = "1s"))]
    within: Option<Duration>,
    /// With `at-most` and `exactly`: how long it must hold.
    #[schemars(extend("default" = "200ms"))]
    r#for: Option<Duration>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum Since {
    /// Since the step began.
    Step,
    /// Since the program was last started.
    Start,
}

/// `status`: a field of the status that FPS tells on its socket is so by the deadline: `{ who = "client", field = "sessions.carriers_current", is = 2 }`.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "kebab-case",
    deny_unknown_fields,
    transform = rule::exactly_one("is matches at-least at-most exactly")
)]
pub(super) struct Status {
    /// The expectation's name; what it says where not given.
    name: Option<Text>,
    /// Whose status.
    who: Who,
    /// The field: `"sessions.carriers_current"`, or a JSON pointer, `"/tun/mtu"`.
    field: Text,
    /// It is this: a string, an integer, `true` or `false`.
    is: Option<Value>,
    /// It is a text that this regular expression matches.
    matches: Option<Text>,
    #[schemars(flatten)]
    count: HowMany,
    /// The deadline.
    #[schemars(extend("default" = "1s"))]
    within: Option<Duration>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum Who {
    Client,
    Server,
}
