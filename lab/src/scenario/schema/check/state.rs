//! `kernel` and `unchanged`

use schemars::JsonSchema;

use crate::scenario::schema::many::OneOrMany;
use crate::scenario::schema::rule;
use crate::scenario::schema::text::{Duration, LinkName, Name, Step, Text};

/// `kernel`: each object written is there, in lines as ip(8) and sysctl(8) print them: `{ on = "laptop", routes = ["default dev fpsc0 table 51820"] }`.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "kebab-case",
    deny_unknown_fields,
    transform = rule::at_most_one("within for"),
    transform = rule::at_least_one("absent rules routes addresses links sysctls")
)]
pub(super) struct Kernel {
    /// The expectation's name; what it says where not given.
    name: Option<Text>,
    /// The host: `"laptop"`.
    on: Name,
    absent: Option<Absent>,
    #[schemars(flatten)]
    lines: Lines,
    /// It is so at one look before this deadline.
    #[schemars(extend("default" = "1s"))]
    within: Option<Duration>,
    /// It is so at each look, all this time. Not with `within`.
    r#for: Option<Duration>,
}

/// What is not there: `{ rules = "5210: from all lookup 52" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Absent {
    #[schemars(flatten)]
    lines: Lines,
}

/// Lines about the kernel's objects.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(super) struct Lines {
    /// One or many as `ip rule` prints them, `-6` before one of IPv6: `"32764: not from all fwmark 0x1 lookup 51820"`.
    rules: Option<OneOrMany<String>>,
    /// One or many as `ip route` prints them: `"default via 192.168.188.1 dev wlan0 metric 600"`.
    routes: Option<OneOrMany<String>>,
    /// One or many addresses: `"10.66.0.2/30 dev fpsc0"`.
    addresses: Option<OneOrMany<String>>,
    /// One or many as ip-link(8) has them: `"fpsc0 mtu 1280 up"`.
    links: Option<OneOrMany<String>>,
    /// One or many as sysctl(8) prints them: `"net.ipv4.ip_forward = 1"`.
    sysctls: Option<OneOrMany<String>>,
}

/// `unchanged`: the network of the host is as it was: `{ on = "laptop", since = "start" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Unchanged {
    /// The expectation's name; what it says where not given.
    name: Option<Text>,
    /// The host: `"laptop"`.
    on: Name,
    /// `"start"`, which is before the first step, or an earlier step by number or name, which means its end.
    since: Step,
    /// One or many links that may be other, with what hangs on them.
    except: Option<OneOrMany<LinkName>>,
    /// The deadline.
    #[schemars(extend("default" = "1s"))]
    within: Option<Duration>,
}
