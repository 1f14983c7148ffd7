//! `changes`

use schemars::JsonSchema;

use crate::scenario::schema::many::OneOrMany;
use crate::scenario::schema::text::{Name, Text};

/// `changes`: while the acts are done, programs change the host's network in this way, in this order, and in no other: `{ on = "laptop", lines = ["add route 10.0.0.0/8 dev fpsc0"] }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Changes {
    /// The expectation's name; what it says where not given.
    name: Option<Text>,
    /// The host: `"laptop"`.
    on: Name,
    /// What is done, `[]` for nothing: `"add rule 10000: not from all fwmark 0x1 lookup 100"`, `"set link fpsc0 up mtu 1300"`.
    lines: OneOrMany<String>,
}
