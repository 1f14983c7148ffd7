//! The syntax of a file as types, and the JSON schema that is made from them, for editors.
//!
//! A scenario is not read by these types, but by `read` from the file's tree. A test holds the two against
//! each other: where the reader knows a table's keys or a value's words, the schema has the same.
//!
//! - [`Form`]: which kind of file; [`Form::schema`]: its schema
//! - `scenario`, `footprint`: a whole file; the other files are each a part of it
//! - `text`: what strings and numbers mean; `many`: a value or a list; `rule`: what holds between keys
//! - `tidy`, `patch`, `placeholder`: what is made of the schema that schemars gives

mod act;
mod advertise;
#[cfg(test)]
mod agreement;
mod check;
mod dhcp;
mod dns;
mod footprint;
mod host;
mod link;
mod many;
mod net;
mod patch;
mod placeholder;
mod program;
mod route;
mod rule;
mod sabotage;
mod scenario;
mod step;
mod text;
mod tidy;
mod tunnel;
mod words;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// A kind of file that the lab reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// A scenario.
    #[default]
    Scenario,
    /// What another program leaves in a host, which scenarios name by `use`.
    Footprint,
}

impl Form {
    /// The file's name of its schema.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Scenario => "scenario.schema.json",
            Self::Footprint => "footprint.schema.json",
        }
    }

    /// Its schema, of draft 7: the last one that editors of TOML know whole.
    pub fn schema(self) -> Value {
        match self {
            Self::Scenario => {
                let mut schema = made_from::<scenario::Scenario>();
                patch::fill(&mut schema);
                schema
            }
            Self::Footprint => {
                let mut schema = made_from::<footprint::Footprint>();
                placeholder::allow(&mut schema);
                schema
            }
        }
    }

    /// The same as the text of a file.
    pub fn text(self) -> String {
        format!("{:#}\n", self.schema())
    }
}

fn made_from<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft07();
    // Before that of the draft, which wraps what stands beside a reference.
    settings.transforms.insert(0, Box::new(tidy::Tidy));
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}
