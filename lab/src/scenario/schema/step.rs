//! `[[step]]`

use schemars::JsonSchema;

use super::act::Act;
use super::check::Expectation;
use super::many::OneOrMany;
use super::rule;
use super::text::StepName;

/// A step: what happens, then what must hold. It has `do`, `expect` or both.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, transform = rule::at_least_one("do expect"))]
pub(super) struct Step {
    /// Its name, unique among steps and not a number: `"unplug"`. `step N` where not given.
    name: Option<StepName>,
    /// One or many acts, done in order: `{ link = { on = "laptop", link = "eth0", state = "unplugged" } }`.
    r#do: Option<OneOrMany<Act>>,
    /// One or many expectations, checked side by side once the acts are done: `{ reach = { from = "laptop", to = "web" } }`.
    expect: Option<OneOrMany<Expectation>>,
}
