//! What a command is for: a text that is printed or written, whole or with an error.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::Exit;

/// Prints a text as it is. A closed pipe ends nothing: its reader wanted no more. A full disk does, since
/// what is there would pass for the whole.
pub(super) fn put(what: &str, text: impl AsRef<[u8]>) -> Exit {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_ref()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain!("fps-lab: print {what}: {error}");
            Exit::NoLab
        }
        _ => Exit::Passed,
    }
}

/// Writes a file that is not there yet.
pub(super) fn write_new(path: &Path, text: &str) -> io::Result<()> {
    File::create_new(path)?.write_all(text.as_bytes())
}
