//! What `alter` merges into an act: an act of which anything may be left out.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// The schema's name for it.
const NAME: &str = "Patches";
/// What demands keys, or says what holds between those that are there: the act that it is merged into
/// may have the others.
const DEMANDS: [&str; 4] = ["required", "if", "then", "minProperties"];

/// One table whose verb one act of the step has, or a table for each act.
pub(super) struct Patches;

impl JsonSchema for Patches {
    fn schema_name() -> Cow<'static, str> {
        NAME.into()
    }

    /// Stands for what [`fill`] puts there: it is made of the other definitions.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        Schema::default()
    }
}

/// Puts the definition there, from that of an act.
pub(super) fn fill(schema: &mut Value) {
    let Some(definitions) = schema["definitions"].as_object_mut() else {
        return;
    };
    let Some(Value::Object(act)) = definitions.get("Act").cloned() else {
        return;
    };
    let mut verbs = Map::new();
    for (verb, object) in act["properties"].as_object().into_iter().flatten() {
        let name = object["$ref"].as_str().and_then(|it| it.rsplit('/').next());
        // A verb whose object is no table is replaced whole.
        let Some((name, whole)) = name.and_then(|it| Some((it, definitions.get(it)?))) else {
            verbs.insert(verb.clone(), object.clone());
            continue;
        };
        let mut part = whole.clone();
        if let Some(part) = part.as_object_mut() {
            for key in DEMANDS {
                part.remove(key);
            }
        }
        let name = format!("{name}Patch");
        verbs.insert(
            verb.clone(),
            json!({ "$ref": format!("#/definitions/{name}") }),
        );
        definitions.insert(name, part);
    }
    let table = |least: u32| {
        json!({
            "type": "object",
            "properties": verbs,
            "additionalProperties": false,
            "minProperties": least,
            "maxProperties": 1,
        })
    };
    let patches = json!({
        "description": "What is merged into the step's act: a table with its verb, and what is to be other in it. \
                        For a step of several acts, a table whose verb only one of them has, or a list of as many \
                        tables, `{}` for an act that stays.",
        "anyOf": [table(1), { "type": "array", "items": table(0) }],
    });
    definitions.insert(NAME.to_owned(), patches);
}
