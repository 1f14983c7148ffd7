//! `[[sabotage]]`

use schemars::JsonSchema;

use super::act::{Act, Seed};
use super::many::OneOrMany;
use super::patch::Patches;
use super::rule;
use super::text::{Command, Name, Step, Text};

/// A way to break the scenario, and the expectations that must then fail.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Sabotage {
    /// Its name, unique among sabotages: `"the cable stays in"`.
    name: Text,
    /// One or many changes of the scenario, done in order: `{ drop = "unplug" }`.
    change: OneOrMany<Change>,
    /// The expectations that must fail, at least one, by name: `["reach laptop -> web"]`.
    #[schemars(length(min = 1))]
    must_fail: Vec<String>,
    /// Further expectations that the change may damage, by name.
    may_fail: Option<Vec<String>>,
}

/// A change: exactly one verb.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, extend("minProperties" = 1, "maxProperties" = 1))]
pub(super) struct Change {
    /// `drop`: leaves a step out, its expectations too: `{ drop = "unplug" }`.
    drop: Option<Step>,
    alter: Option<Alter>,
    add: Option<Add>,
    swap: Option<Swap>,
    /// `seed`: one or many acts before any program starts: `{ seed = { sysctl = { on = "laptop", key = "net.ipv4.conf.all.rp_filter", value = 1 } } }`.
    seed: Option<OneOrMany<Seed>>,
}

/// `alter`: merges a table into the acts of a step, key by key; all else is replaced whole. `{ step = "unplug", do = { link = { state = "plugged" } } }`
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Alter {
    /// The step, by its number counted from 1, or by name.
    step: Step,
    r#do: Patches,
}

/// `add`: puts a step in: `{ before = "roam", do = { stop = "client" } }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, transform = rule::exactly_one("before after"))]
pub(super) struct Add {
    /// The step that it comes before, by its number counted from 1, or by name.
    before: Option<Step>,
    /// The step that it comes after, by its number counted from 1, or by name.
    after: Option<Step>,
    /// One or many acts.
    r#do: OneOrMany<Act>,
}

/// `swap`: another command for one of the tunnel's programs or a `[program]`: `{ program = "client", command = ["true"] }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Swap {
    /// The program: `"client"`, `"server"`, `"origin"`, `"carrier"`, or a `[program]`.
    program: Name,
    /// The command.
    command: Command,
}
