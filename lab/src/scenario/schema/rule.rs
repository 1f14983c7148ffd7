//! What holds between the keys of a table.
//!
//! Each rule stands below `then` of a condition that always holds. There a validator finds it, and an
//! editor that looks for keys to propose does not take it for a table of its own.

use schemars::Schema;
use serde_json::{Value, json};

/// Exactly one of these keys is there.
pub(super) fn exactly_one(keys: &'static str) -> impl FnMut(&mut Schema) {
    move |schema| add(schema, json!({ "oneOf": each(keys) }))
}

/// One of these keys at least is there.
pub(super) fn at_least_one(keys: &'static str) -> impl FnMut(&mut Schema) {
    move |schema| add(schema, json!({ "anyOf": each(keys) }))
}

/// No more than one of these keys is there.
pub(super) fn at_most_one(keys: &'static str) -> impl FnMut(&mut Schema) {
    move |schema| {
        let none = json!({ "not": { "anyOf": each(keys) } });
        let mut cases = each(keys);
        cases.push(none);
        add(schema, json!({ "oneOf": cases }));
    }
}

/// Where one of `keys` is there, so is `other`.
pub(super) fn needs(keys: &'static str, other: &'static str) -> impl FnMut(&mut Schema) {
    move |schema| {
        let rules = keys.split(' ').map(|key| (key.to_owned(), json!([other])));
        let rules = Value::Object(rules.collect());
        add(schema, json!({ "dependencies": rules }));
    }
}

/// Where `key` is there, so is one of `others` at least.
pub(super) fn at_least_one_where(
    key: &'static str,
    others: &'static str,
) -> impl FnMut(&mut Schema) {
    move |schema| {
        add(
            schema,
            json!({ "dependencies": { key: { "anyOf": each(others) } } }),
        )
    }
}

/// Where `key` is there, none of `others` is.
pub(super) fn without(key: &'static str, others: &'static str) -> impl FnMut(&mut Schema) {
    move |schema| {
        let rule = json!({ "not": { "anyOf": each(others) } });
        add(schema, json!({ "dependencies": { key: rule } }));
    }
}

/// `key` is there exactly where `other` is this word.
pub(super) fn only_with(
    key: &'static str,
    other: &'static str,
    word: &'static str,
) -> impl FnMut(&mut Schema) {
    move |schema| {
        let there = json!({ "required": [key] });
        let is = json!({ "properties": { other: { "const": word } } });
        let rule = json!({ "if": is, "then": there, "else": { "not": there } });
        add(schema, rule);
    }
}

/// Whatever a rule says in the words of JSON schema.
pub(super) fn all_of(rule: Value) -> impl FnMut(&mut Schema) {
    move |schema| add(schema, rule.clone())
}

fn each(keys: &str) -> Vec<Value> {
    let keys = keys.split(' ');
    keys.map(|key| json!({ "required": [key] })).collect()
}

fn add(schema: &mut Schema, rule: Value) {
    let object = schema.ensure_object();
    object.insert("if".to_owned(), json!({}));
    let then = object
        .entry("then")
        .or_insert_with(|| json!({ "allOf": [] }));
    if let Some(Value::Array(rules)) = then.get_mut("allOf") {
        rules.push(rule);
    }
}
