//! A sabotage of [`REACHED`](super::reached::REACHED).

/// Its cable is out, so that it fails.
pub(crate) const CABLE_OUT: &str = r#"
[[sabotage]]
name = "the cable is out"
change = { seed = { link = { on = "laptop", link = "eth0", state = "unplugged" } } }
must-fail = ["reach laptop -> printer"]
"#;
