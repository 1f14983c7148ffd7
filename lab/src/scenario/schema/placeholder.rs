//! `{NAME}` in the acts of a footprint, in the place of any value.

use serde_json::{Map, Value, json};

/// A text with the name of a parameter in it.
const NAMED: &str = r"\{[a-z][a-z0-9-]*\}";

/// Lets all that is not in the definition of a parameter be a text with a name in it.
pub(super) fn allow(schema: &mut Value) {
    let definitions = schema["definitions"].as_object_mut();
    for (name, definition) in definitions.into_iter().flatten() {
        if name != "Parameter" {
            descend(definition);
        }
    }
}

fn descend(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    for key in ["anyOf", "oneOf"] {
        let alternatives = object.get_mut(key).and_then(Value::as_array_mut);
        alternatives.into_iter().flatten().for_each(descend);
    }
    let properties = object.get_mut("properties").and_then(Value::as_object_mut);
    properties
        .into_iter()
        .flatten()
        .for_each(|(_, it)| descend(it));
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(key) {
            descend(inner);
        }
    }
    let Some(kind) = object.get("type").and_then(Value::as_str) else {
        return;
    };
    match kind {
        "string" if object.contains_key("enum") => beside(object),
        "string" => {
            if let Some(Value::String(pattern)) = object.get_mut("pattern") {
                *pattern = format!("({pattern})|{NAMED}");
            }
        }
        "integer" | "number" | "boolean" => beside(object),
        _ => {}
    }
}

/// Makes a text with a name an alternative to what is there, whose description stays outside.
fn beside(object: &mut Map<String, Value>) {
    let mut outside = Map::new();
    for key in ["description", "default"] {
        if let Some(value) = object.remove(key) {
            outside.insert(key.to_owned(), value);
        }
    }
    let inside = Value::Object(std::mem::take(object));
    let named = json!({ "type": "string", "pattern": NAMED });
    outside.insert("anyOf".to_owned(), json!([inside, named]));
    *object = outside;
}
