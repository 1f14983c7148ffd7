//! The JSON schemas of `outcome.json` and of a line of `timeline.jsonl`.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

use super::{Moment, OutcomeFile};

/// The schema of `outcome.json`, as `docs/outcome.schema.json` holds it.
pub fn schema() -> String {
    of::<OutcomeFile>()
}

/// The schema of each line of `timeline.jsonl`, as `docs/timeline.schema.json` holds it.
pub fn timeline_schema() -> String {
    of::<Moment>()
}

/// JSON Schema 2020-12. It describes what is written: every key is there, and one that may be empty is
/// null.
fn of<T: JsonSchema>() -> String {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<T>();
    format!("{:#}\n", schema.as_value())
}
