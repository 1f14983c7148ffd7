//! `sysctl net`.

use std::collections::BTreeMap;

/// How many are read: a hundred links have some 15 000.
const MOST: usize = 100_000;

/// Reads lines of `name = value`; what else stands there says nothing.
pub(super) fn sysctls(text: &str) -> BTreeMap<String, String> {
    let pairs = text.lines().take(MOST).filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        let is_name = name.starts_with("net.") && !name.contains(char::is_whitespace);
        is_name.then(|| (name.to_owned(), value.to_owned()))
    });
    pairs.collect()
}
