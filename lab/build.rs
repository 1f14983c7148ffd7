//! Names what the lab is built from, by which the sandbox and who has started it know each other.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The sources of the lab, of what it links in, and what it has in its binary; those outside its own
/// folder are not there where the package stands alone.
const SOURCES: [&str; 3] = ["src", "../crates", "../scenarios/footprints"];
/// FNV-1a (draft-eastlake-fnv, 64 bits): it tells sources apart, and defends against nobody.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

fn main() -> io::Result<()> {
    let mut files = Vec::new();
    for source in SOURCES.map(Path::new).into_iter().filter(|it| it.exists()) {
        for folder in code(source)? {
            println!("cargo::rerun-if-changed={}", folder.display());
            collect(&folder, &mut files)?;
        }
    }
    files.sort();
    let mut hash = BASIS;
    for file in &files {
        let name = file.as_os_str().as_encoded_bytes();
        for byte in name.iter().chain(&fs::read(file)?) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
    }
    println!("cargo::rustc-env=FPS_LAB_BUILD={hash:016x}");
    Ok(())
}

/// The folders below one with crates that end up in a program: their tests and targets do not.
fn code(folder: &Path) -> io::Result<Vec<PathBuf>> {
    if !folder.ends_with("crates") {
        return Ok(vec![folder.to_owned()]);
    }
    let crates = fs::read_dir(folder)?;
    let sources = crates.map(|entry| Ok(entry?.path().join("src")));
    let sources: Vec<PathBuf> = sources.collect::<io::Result<_>>()?;
    Ok(sources.into_iter().filter(|it| it.exists()).collect())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => collect(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}
