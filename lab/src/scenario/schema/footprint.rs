//! The file of a footprint.

use schemars::JsonSchema;

use super::act::FootprintAct;
use super::many::{Named, OneOrMany};
use super::text::{ParameterName, ParameterValue, ProgramName, Text};

/// A footprint of FPS Lab: what another program leaves in a host's kernel and files, as acts.
/// In the acts `{NAME}` stands for the value of a parameter, and `{on}` for the host.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "kebab-case",
    deny_unknown_fields,
    title = "FPS Lab footprint"
)]
pub(super) struct Footprint {
    /// What it is, in one line for people: `"wg-quick: a default route through WireGuard"`.
    title: Text,
    /// Where the program does this.
    origin: Option<Text>,
    /// Programs that must be on the machine, which a scenario with it needs as well: `["nft"]`.
    needs: Option<Vec<ProgramName>>,
    /// What a scenario gives it: `param.tun = { what = "its device" }`.
    param: Option<Named<ParameterName, Parameter>>,
    /// One or many acts; any but `footprint`.
    r#do: OneOrMany<FootprintAct>,
    /// The acts that take it back.
    undo: OneOrMany<FootprintAct>,
}

/// What a scenario gives a footprint.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Parameter {
    /// What it is, for people: `"the other VPN's device"`.
    what: Text,
    /// What it is where the scenario gives none; a scenario must where there is no such.
    default: Option<ParameterValue>,
}
