//! The files of an archive, read without a trust in what it says.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use flate2::read::MultiGzDecoder;

use super::DumpError;

/// How large an archive may be. A host with 100 000 routes has some 2 MB.
pub const LARGEST_ARCHIVE: usize = 64 << 20;
/// How large it may be unpacked, with all that tar puts between the files.
const LARGEST_CONTENT: u64 = 256 << 20;
/// How large a file in it may be.
const LARGEST_FILE: u64 = 128 << 20;
/// How many entries it may have.
const MOST_ENTRIES: usize = 1000;

/// The texts of an archive by the last parts of their paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<String, String>);

impl Files {
    /// Unpacks an archive, compressed or not. Only plain files count, whatever their folder; nothing is
    /// written anywhere.
    pub fn unpack(archive: &[u8]) -> Result<Self, DumpError> {
        if archive.len() > LARGEST_ARCHIVE {
            return Err(DumpError::TooLarge("the archive"));
        }
        let content: Box<dyn Read + '_> = match archive {
            [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(archive)),
            plain => Box::new(Cursor::new(plain)),
        };
        let mut tar = tar::Archive::new(content.take(LARGEST_CONTENT));
        let mut files = BTreeMap::new();
        let entries = tar.entries().map_err(DumpError::Archive)?;
        for (number, entry) in entries.enumerate() {
            let mut entry = entry.map_err(DumpError::Archive)?;
            if number == MOST_ENTRIES {
                return Err(DumpError::TooLarge("the number of files in the archive"));
            }
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let path = entry.path_bytes();
            let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            let name = String::from_utf8_lossy(name).into_owned();
            if entry.size() > LARGEST_FILE {
                return Err(DumpError::TooLarge("a file in the archive"));
            }
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(DumpError::Archive)?;
            let text = match String::from_utf8(bytes) {
                Ok(text) => text,
                Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            };
            files.entry(name).or_insert(text);
        }
        Ok(Self(files))
    }

    /// Puts a text in, by its file's name.
    pub fn insert(&mut self, name: &str, text: impl Into<String>) {
        self.0.insert(name.to_owned(), text.into());
    }

    /// A text by its file's name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether there is one of the files that a collection has.
    pub fn is_collection(&self) -> bool {
        ["about.txt", "addr.json", "link.json"]
            .iter()
            .any(|name| self.0.contains_key(*name))
    }
}
