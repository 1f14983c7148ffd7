//! `fps-lab new`.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::Exit;
use super::output::{put, write_new};
use crate::scenario::schema::Form;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: fps-lab new scenarios/lan/printer.toml --kind lan")]
pub(super) struct Arguments {
    /// The file to write, which must not be there yet; printed where not given
    file: Option<PathBuf>,
    /// What the scenario is about
    #[arg(long, value_name = "KIND", default_value = "split-tunnel")]
    kind: Kind,
}

/// What a starting file is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    SplitTunnel,
    FullTunnel,
    Lan,
    Dns,
}

impl Kind {
    fn text(self) -> &'static str {
        match self {
            Self::SplitTunnel => include_str!("split-tunnel.toml"),
            Self::FullTunnel => include_str!("full-tunnel.toml"),
            Self::Lan => include_str!("lan.toml"),
            Self::Dns => include_str!("dns.toml"),
        }
    }
}

pub(super) fn main(arguments: &Arguments) -> Exit {
    let kind = arguments.kind;
    let Some(file) = &arguments.file else {
        return put("the scenario", format!("{}{}", head(None), kind.text()));
    };
    let text = format!("{}{}", head(committed_schema(file).as_deref()), kind.text());
    let path = file.display();
    match write_new(file, &text) {
        Ok(()) => {
            say!("{path}: written; play it: fps-lab run {path}");
            Exit::Passed
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            complain!("fps-lab: {path} is there already: name another file");
            Exit::Invalid
        }
        Err(error) => {
            complain!("fps-lab: write {path}: {error}");
            Exit::Invalid
        }
    }
}

/// The first lines: where editors find the schema, and how to go on.
fn head(schema: Option<&str>) -> String {
    let name = Form::Scenario.file_name();
    let (path, hint) = match schema {
        Some(path) => (path.to_owned(), String::new()),
        None => (
            format!("./{name}"),
            format!(" Make it with: fps-lab schema > {name}"),
        ),
    };
    format!(
        "#:schema {path}\n\
         # By the schema above editors complete and check this file.{hint}\n\
         # Check it with `fps-lab check FILE`, and play it with `fps-lab run FILE`.\n\n"
    )
}

/// The way to the schema that the repository has, from a file in it.
fn committed_schema(file: &Path) -> Option<String> {
    let folder = match file.parent()? {
        folder if folder.as_os_str().is_empty() => Path::new("."),
        folder => folder,
    };
    let folder = fs::canonicalize(folder).ok()?;
    let below = Path::new("docs").join(Form::Scenario.file_name());
    let mut ups = folder.ancestors().enumerate();
    let (count, _) = ups.find(|(_, root)| root.join(&below).is_file())?;
    let up = match count {
        0 => "./".to_owned(),
        count => "../".repeat(count),
    };
    Some(format!("{up}{}", below.display()))
}
