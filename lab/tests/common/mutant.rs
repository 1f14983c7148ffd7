//! A file with one thing in it that is another.

use toml::{Table, Value};

/// Changes one value or key, which the dice choose, and says what.
pub(crate) fn mutate(table: &mut Table, dice: &mut fastrand::Rng) -> String {
    let mut root = Value::Table(std::mem::take(table));
    let mut at = dice.usize(..count(&root));
    let said = change(&mut root, &mut at, dice);
    if let Value::Table(changed) = root {
        *table = changed;
    }
    said.unwrap_or_default()
}

/// The entries of all tables and lists.
fn count(value: &Value) -> usize {
    match value {
        Value::Table(entries) => entries.values().map(|it| 1 + count(it)).sum(),
        Value::Array(items) => items.iter().map(|it| 1 + count(it)).sum(),
        _ => 0,
    }
}

/// Counts `at` down to the entry that is meant, and changes that.
fn change(value: &mut Value, at: &mut usize, dice: &mut fastrand::Rng) -> Option<String> {
    match value {
        Value::Table(entries) => {
            let keys: Vec<String> = entries.keys().cloned().collect();
            for key in keys {
                if *at == 0 {
                    return Some(entry(entries, &key, dice));
                }
                *at -= 1;
                if let Some(said) = change(&mut entries[&key], at, dice) {
                    return Some(format!("{key}: {said}"));
                }
            }
            None
        }
        Value::Array(items) => {
            for index in 0..items.len() {
                if *at == 0 {
                    return Some(item(items, index, dice));
                }
                *at -= 1;
                if let Some(said) = change(&mut items[index], at, dice) {
                    return Some(format!("{index}: {said}"));
                }
            }
            None
        }
        _ => None,
    }
}

fn entry(entries: &mut Table, key: &str, dice: &mut fastrand::Rng) -> String {
    match dice.u8(..4) {
        0 => {
            entries.remove(key);
            format!("`{key}` removed")
        }
        1 => {
            let others = [
                "on", "to", "via", "within", "for", "name", "with", "link", "ip", "type",
            ];
            let new = match dice.bool() {
                true => others[dice.usize(..others.len())].to_owned(),
                false => format!("{key}s"),
            };
            let value = entries.remove(key).expect("it was there");
            entries.insert(new.clone(), value);
            format!("`{key}` renamed `{new}`")
        }
        _ => {
            let new = other(&entries[key], dice);
            let said = format!("`{key}` = {new}");
            entries.insert(key.to_owned(), new);
            said
        }
    }
}

fn item(items: &mut Vec<Value>, index: usize, dice: &mut fastrand::Rng) -> String {
    if dice.u8(..3) == 0 {
        items.remove(index);
        return format!("{index} removed");
    }
    items[index] = other(&items[index], dice);
    format!("{index} = {}", items[index])
}

/// Another value, of another type or of the same.
fn other(value: &Value, dice: &mut fastrand::Rng) -> Value {
    let texts = [
        "",
        "xyzzy",
        "10.0.0.0/8",
        "192.168.188.20",
        "fd00::1",
        "500ms",
        "eth0",
        "laptop",
        "a/b",
        "-1",
    ];
    let candidates = [
        Value::String(texts[dice.usize(..texts.len())].to_owned()),
        Value::Integer([0, 1, -1, 443, 1 << 40][dice.usize(..5)]),
        Value::Boolean(dice.bool()),
        Value::Float(0.5),
        Value::Array(vec![value.clone()]),
        Value::Array(Vec::new()),
        Value::Table(Table::new()),
        match value {
            Value::Array(items) => items.first().cloned().unwrap_or(Value::Integer(7)),
            other => Value::String(other.to_string()),
        },
    ];
    candidates[dice.usize(..candidates.len())].clone()
}
