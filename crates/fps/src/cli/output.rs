//! A file that holds secrets.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use super::CommandError;

/// Where a profile goes.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct OutputArgs {
    /// Write it here, for the owner alone, instead of printing it.
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) output: Option<PathBuf>,
    /// Replace a file that is there already.
    #[arg(long, requires = "output", hide_short_help = true)]
    pub(crate) force: bool,
}

impl OutputArgs {
    /// Gives what is to be printed: the text, or that it is written.
    pub(crate) fn put(&self, text: String) -> Result<String, CommandError> {
        let Some(path) = &self.output else {
            return Ok(text);
        };
        write(path, &text, self.force).map_err(|source| CommandError::Output {
            path: path.clone(),
            source,
        })?;
        Ok(format!("wrote {}", path.display()))
    }
}

/// Never through a link: whoever may make one there could have the secrets put elsewhere.
fn write(path: &Path, text: &str, force: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options.custom_flags(OFlag::O_NOFOLLOW.bits());
    match force {
        true => options.create(true).truncate(true),
        false => options.create_new(true),
    };
    let mut file = options.open(path)?;
    // A file that was there has the mode that it had.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    file.set_permissions(mode)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn it_is_the_owners_alone_and_nothing_is_replaced_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("client.json");
        let args = |force| OutputArgs {
            output: Some(path.clone()),
            force,
        };
        args(false).put("one".into()).unwrap();
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(args(false).put("two".into()).is_err());
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        args(true).put("two".into()).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two\n");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        let output = Some(link);
        let through = OutputArgs {
            output,
            force: true,
        };
        assert!(through.put("three".into()).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two\n");
    }
}
