//! Whole files through the front end.

use std::path::Path;
use std::time::Duration;

use super::*;

fn shipped(name: &str) -> ScenarioFile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../scenarios")
        .join(name);
    match load(&path) {
        Ok(file) => file,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn x() {
    let file = shipped("split-tunnel.toml");
    println!("{file:#?}");
    shipped("roam.toml");
    shipped("link-down.toml");
    let _ = Duration::ZERO;
}
