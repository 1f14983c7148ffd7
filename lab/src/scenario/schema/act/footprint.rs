//! `footprint`

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::scenario::read::shipped_footprints;
use crate::scenario::schema::text::{Name, ParameterValue};

/// `footprint`: what another program leaves in the host, with the parameters of that footprint: `{ use = "wg-quick", on = "laptop", tun = "wg0" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", extend("additionalProperties" = parameters()))]
pub(super) struct FootprintCall {
    /// Its name, of those that come with the lab, or the path of a file of your own from the scenario's folder: `"./globalprotect.toml"`.
    r#use: FootprintName,
    /// The host: `"laptop"`.
    on: Name,
    /// Whether it comes or goes.
    #[schemars(extend("default" = "add"))]
    action: Option<FootprintAction>,
}

/// What a scenario may give it: what else there is its file says.
fn parameters() -> Schema {
    ParameterValue::json_schema(&mut SchemaGenerator::default())
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum FootprintAction {
    /// It comes.
    Add,
    /// It goes.
    Remove,
}

/// One that comes with the lab, or a path.
struct FootprintName;

impl JsonSchema for FootprintName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "FootprintName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let shipped: Vec<&str> = shipped_footprints().collect();
        json_schema!({ "anyOf": [{ "enum": shipped }, { "type": "string", "pattern": "[/.]" }] })
    }
}
