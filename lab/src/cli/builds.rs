//! Other builds of the programs that the lab brings along.

use std::io;
use std::path::PathBuf;

use indexmap::IndexMap;

use crate::lab::Site;

#[derive(Debug, clap::Args)]
pub(super) struct Builds {
    /// Another build of `fps_client`
    #[arg(long, value_name = "FILE")]
    client_bin: Option<PathBuf>,
    /// Another build of `fps_server`
    #[arg(long, value_name = "FILE")]
    server_bin: Option<PathBuf>,
    /// Another build of `fps_carrier`
    #[arg(long, value_name = "FILE")]
    carrier_bin: Option<PathBuf>,
    /// Another build of `fps-route`
    #[arg(long, value_name = "FILE")]
    route_bin: Option<PathBuf>,
    /// Another build of `fps-dns`
    #[arg(long, value_name = "FILE")]
    dns_bin: Option<PathBuf>,
}

impl Builds {
    /// What labs take from the machine.
    pub(super) fn site(&self) -> io::Result<Site> {
        let builds = [
            ("fps_client", &self.client_bin),
            ("fps_server", &self.server_bin),
            ("fps_carrier", &self.carrier_bin),
            ("fps-route", &self.route_bin),
            ("fps-dns", &self.dns_bin),
        ];
        let mut programs = IndexMap::new();
        for (name, path) in builds {
            if let Some(path) = path {
                let path = path.canonicalize().map_err(|error| {
                    io::Error::other(format!("find {}: {error}", path.display()))
                })?;
                programs.insert(name.to_owned(), path);
            }
        }
        Ok(Site {
            programs,
            ..Site::this_program()
        })
    }
}
