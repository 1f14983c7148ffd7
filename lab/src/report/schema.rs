//! The JSON schema of `outcome.json`.

use schemars::generate::SchemaSettings;

use super::OutcomeFile;

/// The schema, as `docs/outcome.schema.json` holds it (JSON Schema 2020-12). It describes what is written:
/// every key is there, and one that may be empty is null.
pub fn schema() -> String {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings
        .into_generator()
        .into_root_schema_for::<OutcomeFile>();
    format!("{:#}\n", schema.as_value())
}
