//! The counters of one host, ready to be read again and again.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::{Counters, CountersError, GAUGES, SOURCES};
use crate::sandbox::{HostId, Sandbox};

/// The files of a host that hold its counters, and what they said when it was last reset.
///
/// To read them takes some 0.1 ms, and what they said is understood only where somebody asks.
#[derive(Debug)]
pub struct Meters {
    files: Vec<(usize, File)>,
    at_reset: Vec<String>,
}

impl Meters {
    /// Opens them, and takes them as they are for the beginning. Where the kernel has no IPv6 there
    /// is no snmp6, and so no counter of IPv6.
    pub fn open(sandbox: &Sandbox, host: HostId) -> Result<Self, CountersError> {
        let mut files = Vec::new();
        for (source, (path, _)) in SOURCES.iter().enumerate() {
            if let Some(file) = sandbox.open(host, path)? {
                files.push((source, file));
            }
        }
        let mut meters = Self {
            files,
            at_reset: Vec::new(),
        };
        meters.reset()?;
        Ok(meters)
    }

    /// From now on is counted anew.
    pub fn reset(&mut self) -> Result<(), CountersError> {
        self.at_reset = self.texts()?;
        Ok(())
    }

    /// What they said at the last reset.
    pub fn at_reset(&self) -> Result<Counters, CountersError> {
        self.understand(&self.at_reset)
    }

    /// What they say now.
    pub fn now(&self) -> Result<Counters, CountersError> {
        self.understand(&self.texts()?)
    }

    /// Each counter that changed since the last reset, in the order of names.
    pub fn changes(&self) -> Result<Vec<(String, i64)>, CountersError> {
        Ok(self.now()?.since(&self.at_reset()?))
    }

    fn texts(&self) -> Result<Vec<String>, CountersError> {
        let files = self.files.iter();
        files
            .map(|(source, file)| text(SOURCES[*source].0, file))
            .collect()
    }

    fn understand(&self, texts: &[String]) -> Result<Counters, CountersError> {
        let mut counters = Counters::default();
        for ((source, _), text) in self.files.iter().zip(texts) {
            let (path, understand) = SOURCES[*source];
            let found = understand(text).map_err(|line| CountersError::Malformed { path, line })?;
            counters.values.extend(found);
        }
        for gauge in GAUGES {
            counters.values.remove(gauge);
        }
        Ok(counters)
    }
}

/// All of a file, from its beginning: the kernel makes its text anew.
fn text(path: &'static str, file: &File) -> Result<String, CountersError> {
    let failed = |source| CountersError::Read { path, source };
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let at = bytes.len() as u64;
        match file.read_at(&mut buffer, at).map_err(failed)? {
            0 => break,
            length => bytes.extend_from_slice(&buffer[..length]),
        }
    }
    String::from_utf8(bytes).map_err(|error| failed(std::io::Error::other(error)))
}
