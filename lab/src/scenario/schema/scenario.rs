//! The whole of a scenario.

use schemars::JsonSchema;
use serde_json::{Value, json};

use super::host::Host;
use super::many::Named;
use super::net::Net;
use super::program::Program;
use super::rule;
use super::sabotage::Sabotage;
use super::step::Step;
use super::text::{Name, ProgramKey, ProgramName, Text};
use super::tunnel::Tunnel;

/// A scenario of FPS Lab: a lab, the steps that are played in it, what must hold after each, and the ways to break it.
/// All keys are in docs/scenario-format.md.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "kebab-case",
    deny_unknown_fields,
    title = "FPS Lab scenario",
    transform = rule::all_of(no_sabotage_says_why()),
    transform = rule::all_of(why_is_for_no_sabotage())
)]
pub(super) struct Scenario {
    /// What must hold, in one line for people: `"The printer stays in reach"`.
    title: Text,
    /// The report or document that the scenario comes from: the project and the number of its issue, `"openvpn#123"`, or a link.
    origin: Option<Text>,
    /// Programs that must be on the machine, by name, not by path: `["nft", "curl"]`. Without one the scenario is not played.
    needs: Option<Vec<ProgramName>>,
    /// `true` plays nothing else of the run while this is played: for limits on time that leave a busy machine too little room.
    #[schemars(extend("default" = false))]
    alone: Option<bool>,
    /// Why there is no sabotage. Required by `sabotage = []`, and a mistake otherwise.
    why: Option<Text>,
    /// The nets: `[net.home]` is an L2 segment that links of hosts are plugged into.
    net: Option<Named<Name, Net>>,
    /// The hosts: `[host.laptop]` is a machine of its own, with its links, its /etc and its /run.
    host: Named<Name, Host>,
    /// Programs that steps start and stop by name: `[program.dns]`.
    program: Option<Named<ProgramKey, Program>>,
    tunnel: Option<Tunnel>,
    /// What happens, in order: each `[[step]]` has acts, then expectations.
    #[schemars(length(min = 1))]
    step: Vec<Step>,
    /// The ways to break the scenario, so that it is seen to fail: a `[[sabotage]]` each, or `sabotage = []` with `why`.
    sabotage: Vec<Sabotage>,
}

fn no_sabotage_says_why() -> Value {
    json!({ "anyOf": [{ "required": ["why"] }, { "properties": { "sabotage": { "minItems": 1 } } }] })
}

fn why_is_for_no_sabotage() -> Value {
    json!({ "dependencies": { "why": { "properties": { "sabotage": { "maxItems": 0 } } } } })
}
