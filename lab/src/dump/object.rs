//! An object of JSON, as the versions of ip(8) write it: numbers as texts, marks as hexadecimal texts,
//! flags as null.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use super::{DumpError, Files, Remarks};

/// How many objects of a file are read.
pub(super) const MOST: usize = 200_000;

/// An object, and which of its fields were asked for.
pub(super) struct Object<'a> {
    fields: &'a Map<String, Value>,
    asked: RefCell<BTreeSet<&'a str>>,
}

impl<'a> Object<'a> {
    pub(super) fn new(fields: &'a Map<String, Value>) -> Self {
        Self {
            fields,
            asked: RefCell::default(),
        }
    }

    fn ask(&self, name: &str) -> Option<&'a Value> {
        let (name, value) = self.fields.get_key_value(name)?;
        self.asked.borrow_mut().insert(name);
        Some(value)
    }

    /// A text, or a number as one.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.ask(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Something that a text says, or a number.
    pub(super) fn read<T: FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }

    /// A number, decimal or hexadecimal.
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        number(&self.text(name)?)
    }

    /// Whether it is there, and not false.
    pub(super) fn flag(&self, name: &str) -> bool {
        !matches!(self.ask(name), None | Some(Value::Bool(false)))
    }

    /// A list of texts.
    pub(super) fn texts(&self, name: &str) -> Vec<&'a str> {
        let list = self.ask(name).and_then(Value::as_array);
        let list = list.map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(Value::as_str).collect()
    }

    /// An object in it.
    pub(super) fn object(&self, name: &str) -> Option<Object<'a>> {
        self.ask(name)?.as_object().map(Object::new)
    }

    /// A list of objects in it.
    pub(super) fn objects(&self, name: &str) -> Vec<Object<'a>> {
        let list = self.ask(name).and_then(Value::as_array);
        let list = list.map(Vec::as_slice).unwrap_or_default();
        let objects = list.iter().filter_map(Value::as_object);
        objects.map(Object::new).collect()
    }

    /// The fields that nobody has asked for.
    pub(super) fn rest(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let asked = self.asked.borrow().clone();
        let fields = self.fields.iter();
        fields
            .filter(move |(name, _)| !asked.contains(name.as_str()))
            .map(|(name, value)| (name.as_str(), value))
    }

    /// Remarks on the fields that nobody has asked for: of what they say nothing is reproduced.
    pub(super) fn remark(&self, what: &str, remarks: &mut Remarks) {
        for (name, value) in self.rest() {
            remarks.add(format!("{what}: `{name}` ({value}) is not known here"));
        }
    }
}

/// A number as ip(8) writes it.
pub(super) fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// What ip(8) before 5.1 prints of routes with `-d` has no key before the first word, `{"unicast","dst":`.
fn with_keys(text: &str) -> Cow<'_, str> {
    static BARE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"([\[,]\s*\{\s*)("[a-z]+"\s*,)"#).expect("it is valid"));
    BARE.replace_all(text, "$1\"type\":$2")
}

/// The objects of a file; none where it is empty, as ip(8) leaves it where there is nothing to tell.
pub(super) fn list(files: &Files, file: &'static str) -> Result<Option<Vec<Value>>, DumpError> {
    let Some(text) = files.get(file) else {
        return Ok(None);
    };
    // What ip(8) has nothing to tell of it writes as an empty list.
    if text.trim().is_empty() {
        return Ok(None);
    }
    let text = with_keys(text);
    let value: Value =
        serde_json::from_str(&text).map_err(|source| DumpError::Json { file, source })?;
    match value {
        Value::Array(list) if list.len() > MOST => {
            Err(DumpError::TooLarge("a list in the archive"))
        }
        Value::Array(list) if list.iter().all(Value::is_object) => Ok(Some(list)),
        _ => Err(DumpError::NoList { file }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_of_an_older_ip_are_read() {
        let text = r#"[{"unicast","dst":"default","flags":[]},{
            "local","dst":"127.0.0.1","metrics":[{"mtu":1400}]},{"dst":"10.0.0.0/8"}]"#;
        assert!(serde_json::from_str::<Value>(text).is_err());
        let value: Value = serde_json::from_str(&with_keys(text)).expect("it is JSON now");
        let types: Vec<_> = value.as_array().expect("a list").iter().collect();
        assert_eq!(types[0]["type"], "unicast");
        assert_eq!(types[1]["type"], "local");
        assert_eq!(types[2].get("type"), None);
        let whole = r#"[{"dst":"default","flags":["linkdown","onlink"]}]"#;
        assert!(matches!(with_keys(whole), Cow::Borrowed(_)), "left alone");
    }
}
