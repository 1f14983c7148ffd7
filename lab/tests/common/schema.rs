//! A schema as validators take it.

use std::fs;

use boon::{Compiler, SchemaIndex, Schemas};
use fps_lab::scenario::schema::Form;
use serde_json::Value;

use super::root::root;

/// A schema that texts are held against.
pub(crate) struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    /// The one in docs/.
    pub(crate) fn committed(form: Form) -> Self {
        let path = root().join("docs").join(form.file_name());
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let schema = serde_json::from_str(&text).expect("it is JSON");
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let name = form.file_name();
        compiler.add_resource(name, schema).expect("it is a schema");
        let index = compiler.compile(name, &mut schemas);
        let index = index.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        Self { schemas, index }
    }

    /// Holds the text of a TOML file against it; gives what is wrong.
    pub(crate) fn check(&self, text: &str) -> Result<(), String> {
        let value: Value = toml::from_str(text).map_err(|error| error.to_string())?;
        let result = self.schemas.validate(&value, self.index);
        result.map_err(|error| format!("{error:#}"))
    }
}
