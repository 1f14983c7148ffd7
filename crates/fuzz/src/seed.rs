//! Bytes to begin with.

use std::path::Path;

/// A seed.
#[derive(Clone, Debug)]
pub struct Seed {
    bytes: Vec<u8>,
    /// Whether its check has to get past the first refusal.
    deep: bool,
}

impl Seed {
    /// One whose check gets as far as it can.
    pub fn deep(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self { bytes, deep: true }
    }

    /// One that may be refused at once.
    pub fn any(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self { bytes, deep: false }
    }
}

/// Checks the seeds of a target, and puts them into the folder that `FPS_FUZZ_SEEDS` names. A deep one
/// that is refused ends the program: the fuzzer would run, and reach nothing.
pub fn plant(target: &str, check: fn(&[u8]) -> bool, seeds: Vec<Seed>) {
    assert!(seeds.iter().any(|it| it.deep), "{target}: no deep seed");
    let folder = std::env::var_os("FPS_FUZZ_SEEDS");
    for (at, seed) in seeds.iter().enumerate() {
        let reached = check(&seed.bytes);
        assert!(reached || !seed.deep, "{target}: seed {at} is refused");
        if let Some(folder) = &folder {
            let file = Path::new(folder).join(format!("seed-{at}"));
            std::fs::write(&file, &seed.bytes)
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        }
    }
}
