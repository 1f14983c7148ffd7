//! From the form that schemars gives to one that editors show well.

use schemars::Schema;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Map, Value, json};

/// - Takes `null` away: TOML has none, an optional key is left out.
/// - Makes a list of words out of alternatives of one word each, so that a wrong one is told with all
///   that are right. What each means stays beside them, where Taplo looks for it.
#[derive(Clone, Debug)]
pub(super) struct Tidy;

impl Transform for Tidy {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        if let Some(object) = schema.as_object_mut() {
            without_null(object);
            as_words(object);
        }
    }
}

fn without_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(words)) = object.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    let Some(Value::Array(alternatives)) = object.get_mut("anyOf") else {
        return;
    };
    alternatives.retain(|it| it.get("type") != Some(&json!("null")));
    if let [Value::Object(only)] = alternatives.as_slice() {
        let only = only.clone();
        object.remove("anyOf");
        for (key, value) in only {
            // What the key says goes before what its type says.
            object.entry(key).or_insert(value);
        }
    }
}

fn as_words(object: &mut Map<String, Value>) {
    let Some(Value::Array(alternatives)) = object.get("oneOf") else {
        return;
    };
    let word = |it: &Value| it.get("const").filter(|it| it.is_string()).cloned();
    let words: Option<Vec<Value>> = alternatives.iter().map(word).collect();
    let Some(words) = words else { return };
    let texts = alternatives.iter().map(|it| it["description"].clone());
    let texts: Vec<Value> = texts.collect();
    object.remove("oneOf");
    object.insert("type".to_owned(), json!("string"));
    object.insert("enum".to_owned(), Value::Array(words));
    object.insert(
        "x-taplo".to_owned(),
        json!({ "docs": { "enumValues": texts } }),
    );
}
