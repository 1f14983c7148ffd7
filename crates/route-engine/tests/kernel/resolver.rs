//! A program in the place of resolvectl.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};

use nix::sys::stat::Mode;

/// A resolver that keeps its settings in files, and writes down what it is told.
pub(crate) struct Resolver {
    folder: tempfile::TempDir,
}

impl Resolver {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let resolver = Self { folder };
        let program = resolver.file("resolvectl");
        let here = resolver.folder.path().display();
        let script = format!(
            "#!/bin/sh\n\
             [ $1 = flush-caches ] && {{ echo $1 >> {here}/log; exit; }}\n\
             verb=$1 device=$2; shift 2\n\
             [ $verb = revert ] && rm -f {here}/dns {here}/domain {here}/default-route\n\
             if [ $# = 0 ] && [ $verb != revert ]; then\n\
               [ -p {here}/hang ] && exec cat {here}/hang\n\
               value=; [ -e {here}/$verb ] && read -r value < {here}/$verb\n\
               echo \"Link 7 ($device): $value\"; exit\n\
             fi\n\
             echo $verb $device \"$@\" >> {here}/log\n\
             [ -e {here}/fail-$verb ] && {{ echo no bus >&2; exit 1; }}\n\
             [ $verb = revert ] || echo \"$@\" > {here}/$verb\n"
        );
        std::fs::write(&program, script).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&program, mode).unwrap();
        resolver
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A PATH in which it is first; the script needs `rm`.
    pub(crate) fn path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.folder.path().display())
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Loses a setting, as when another program reverts it.
    pub(crate) fn forget(&self, setting: &str) {
        std::fs::remove_file(self.file(setting)).unwrap();
    }

    /// Has it hang from now on, and returns what says that it has begun to, as long as that lives.
    pub(crate) fn hang(&self) -> Receiver<File> {
        let name = self.file("hang");
        nix::unistd::mkfifo(&name, Mode::S_IRWXU).unwrap();
        let (tell, told) = channel();
        // Opening a FIFO waits for its other end (fifo(7)).
        std::thread::spawn(move || tell.send(File::options().write(true).open(name).unwrap()));
        told
    }

    /// What it was told since the last time.
    pub(crate) fn said(&self) -> String {
        let log = self.file("log");
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        let _ = std::fs::remove_file(log);
        said
    }
}
