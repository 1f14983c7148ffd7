//! `fps-lab import`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};

use super::Exit;
use super::output::{put, write_new};
use crate::dump::{Dump, DumpError, LARGEST_ARCHIVE};
use crate::import::{Options, anonymise, is_host_name, scenario};
use crate::scenario::parse;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: fps-lab import fps-lab-collect-20261127T080000Z.tar.gz -o bug.toml"
)]
pub(super) struct Arguments {
    /// What the customer has sent: the archive that `fps-lab collect` made
    #[arg(value_name = "ARCHIVE")]
    archive: PathBuf,
    /// The file to write, which must not be there; without it the scenario is printed
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Put other addresses and names in place of the customer's, the same for the same
    #[arg(long)]
    anonymise: bool,
    /// Tell of systemd-resolved in comments, and do not run it
    #[arg(long)]
    without_resolved: bool,
    /// What the host is called in the scenario
    #[arg(long, value_name = "NAME", default_value = "customer")]
    host: String,
}

pub(super) fn main(arguments: &Arguments) -> Exit {
    match import(arguments) {
        Ok(exit) => exit,
        Err(error) => {
            complain!("fps-lab: {}: {error}", arguments.archive.display());
            Exit::Invalid
        }
    }
}

fn import(arguments: &Arguments) -> Result<Exit, String> {
    if !is_host_name(&arguments.host) {
        return Err(format!(
            "`{}` is no name for the host: take lower-case letters, digits and hyphens, and none of \
             web, gateway, dns and end",
            arguments.host
        ));
    }
    let mut dump = read(&arguments.archive)?;
    if arguments.anonymise {
        let mut key = [0; 16];
        let filled = SystemRandom::new().fill(&mut key);
        filled.map_err(|_| "the system has no random numbers".to_owned())?;
        dump = anonymise(&dump, key);
    }
    // Who has renamed an archive has perhaps called it after the customer.
    let source = match arguments.anonymise {
        true => "an archive".into(),
        false => arguments
            .archive
            .file_name()
            .unwrap_or_default()
            .to_string_lossy(),
    };
    let options = Options {
        host: arguments.host.clone(),
        source: source.into_owned(),
        runs_resolved: !arguments.without_resolved,
    };
    let text = scenario(&dump, &options);
    let path = arguments
        .output
        .as_deref()
        .unwrap_or(Path::new("import.toml"));
    // What we have written ourselves and cannot read is our mistake, and is told as such.
    if let Err(error) = parse(path, &text) {
        return Err(format!(
            "the scenario that came of it is invalid, which is a bug of fps-lab:\n{error}"
        ));
    }
    let Some(path) = &arguments.output else {
        return Ok(put("the scenario", &text));
    };
    match write_new(path, &text) {
        Ok(()) => Ok(Exit::Passed),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(format!("{} is there already", path.display()))
        }
        Err(error) => Err(format!("write {}: {error}", path.display())),
    }
}

/// Reads an archive, and no more of it than one may have.
pub(super) fn read(path: &Path) -> Result<Dump, String> {
    let file = File::open(path).map_err(|error| format!("open it: {error}"))?;
    let mut bytes = Vec::new();
    let most = u64::try_from(LARGEST_ARCHIVE).unwrap_or(u64::MAX);
    let read = file.take(most + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("read it: {error}"))?;
    Dump::unpack(&bytes).map_err(|error: DumpError| crate::chain(&error))
}
