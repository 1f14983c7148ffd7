//! Why an archive cannot be read.

use std::io;

/// An archive that says nothing of a host.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// It is none.
    #[error("read the archive: it is no tar file, with or without gzip, or only a part of one")]
    Archive(#[source] io::Error),
    /// It is more than anybody's network takes.
    #[error("{0} is larger than that of any host: this is no collection of fps-lab")]
    TooLarge(&'static str),
    /// It is another archive.
    #[error(
        "the archive has neither about.txt nor addr.json: this is no collection of `fps-lab collect`"
    )]
    NoCollection,
    /// What cannot be done without is missing.
    #[error("the archive has no {file}{why}: collect once more")]
    Missing {
        /// The file.
        file: &'static str,
        /// What missing.txt says of it.
        why: String,
    },
    /// A file is broken.
    #[error("{file} of the archive is no whole JSON: collect once more")]
    Json {
        /// The file.
        file: &'static str,
        /// Where, and what is wrong.
        source: serde_json::Error,
    },
    /// A file is JSON, and something else.
    #[error("{file} of the archive is no list of objects: collect once more, with `ip -j`")]
    NoList {
        /// The file.
        file: &'static str,
    },
}
