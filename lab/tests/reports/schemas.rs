//! JSON and its schema.

use std::env;
use std::fs;
use std::path::Path;

use boon::{Compiler, Schemas};

/// Fails unless a text is JSON as a schema says.
#[track_caller]
pub(crate) fn assert_follows(schema: &str, text: &str) {
    let schema: serde_json::Value = serde_json::from_str(schema).expect("the schema is JSON");
    let value: serde_json::Value = serde_json::from_str(text).expect("it is JSON");
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    let added = compiler.add_resource("schema.json", schema);
    added.expect("add the schema");
    let index = compiler
        .compile("schema.json", &mut schemas)
        .unwrap_or_else(|error| panic!("the schema is none: {error:#}"));
    if let Err(error) = schemas.validate(&value, index) {
        panic!("{error:#}\n{text}");
    }
}

/// Fails unless the schema that is committed in docs is this one.
#[track_caller]
pub(crate) fn assert_committed(name: &str, schema: &str) {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let path = docs.join(name);
    if env::var_os("FPS_LAB_BLESS").is_some() {
        fs::write(&path, schema).expect("write the schema");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == schema,
        "docs/{name} is out of date: write it anew with FPS_LAB_BLESS=1, and see what a reader of the \
         one before would make of the change"
    );
}
