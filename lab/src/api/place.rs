//! Where a lab's logs go.

use std::collections::HashSet;
use std::env;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::folder::Folder;
use crate::sandbox::whereabouts;

/// Names the folder for all labs.
const VARIABLE: &str = "FPS_LAB_OUT";
const NAME: &str = "fps-lab-out";

/// The names that labs of this process have.
static TAKEN: Mutex<Option<HashSet<String>>> = Mutex::new(None);

/// A name for a lab that no other of this process has: that of the test, which is that of its thread.
pub(super) fn name(given: Option<&str>) -> String {
    let thread = std::thread::current();
    let name = given.or(thread.name()).unwrap_or("lab");
    let name = name.replace("::", "-");
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let name = name.replace(|c| !plain(c), "-");
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let taken = taken.get_or_insert_default();
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut free = std::iter::once(name.clone()).chain(numbered);
    let free = free.find(|name| taken.insert(name.clone()));
    free.unwrap_or(name)
}

/// The folder of a lab, empty: below `out`, or FPS_LAB_OUT, or `fps-lab-out` in the target folder.
pub(super) fn folder(out: Option<&Path>, name: &str) -> std::io::Result<Folder> {
    let named = out.map(Path::to_owned);
    let named = named.or_else(|| env::var_os(VARIABLE).map(PathBuf::from));
    let target = || whereabouts::own_target().map(|target| target.join(NAME));
    let out = named.or_else(target).unwrap_or_else(elsewhere);
    // Tests of different programs may have one name, and run at once.
    Folder::create(out)?.fresh(&format!("{}/{name}", program()))
}

/// A folder of this user's alone, as others may write to the one for temporary files.
fn elsewhere() -> PathBuf {
    let user = nix::unistd::geteuid();
    env::temp_dir().join(format!("{NAME}-{user}"))
}

/// What this program is called, without the hash that cargo gives it.
fn program() -> String {
    let path = env::current_exe().unwrap_or_default();
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let is_hash = |hash: &str| hash.len() == 16 && hash.bytes().all(|it| it.is_ascii_hexdigit());
    match name.rsplit_once('-') {
        Some((name, hash)) if is_hash(hash) => name.to_owned(),
        _ => name.into_owned(),
    }
}
