//! `fps-dns`: a forwarder in the place of the servers that /etc/resolv.conf names.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use fps_netlink::{LinkName, namespace_name};

use super::bounded::Bounded;
use super::dns::{DnsBackend, DnsError, Trace, yes};
use crate::{Dns, DnsChange};

/// The program's name.
const NAME: &str = "fps-dns";
/// How long it may take: it has 5 s to start, and 5 s to answer.
const PATIENCE: Duration = Duration::from_secs(12);

/// The program, which starts what serves the host when it gets its first setting, and ends it when the
/// last is gone.
#[derive(Clone, Debug)]
pub(crate) struct Stub(PathBuf);

impl Stub {
    /// Looks for it along PATH.
    pub(crate) fn find() -> Option<Self> {
        let path = env::var_os("PATH")?;
        let mut candidates = env::split_paths(&path).map(|folder| folder.join(NAME));
        candidates.find(|file| file.is_file()).map(Self)
    }

    fn run(&self, words: &[String]) -> Result<String, DnsError> {
        let child = Command::new(&self.0)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let child = child
            .map_err(|error| DnsError(format!("cannot start {}: {error}", self.0.display())))?;
        let ended = Bounded::of(child).end(PATIENCE);
        let (status, output, said) = ended.map_err(|error| DnsError(error.to_string()))?;
        if status.success() {
            return Ok(output);
        }
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        Err(DnsError(match said.strip_prefix("fps-dns: ") {
            Some(said) => said.to_owned(),
            None => format!("{status}: {said}"),
        }))
    }
}

impl DnsBackend for Stub {
    fn settings(&self, device: LinkName) -> Result<Dns, DnsError> {
        let said = self.run(&["status".to_owned(), device.to_string()])?;
        serde_json::from_str(&said)
            .map_err(|error| DnsError(format!("`fps-dns status {device}` says `{said}`: {error}")))
    }

    fn trace(&self) -> Option<Trace> {
        let folder = env::var_os("FPS_DNS_STATE_DIR").map(PathBuf::from);
        let folder = folder.unwrap_or_else(|| PathBuf::from("/run/fps-dns"));
        // Without a name there is no socket either.
        let name = namespace_name().ok()?;
        Some(Trace::Socket(folder.join(name).join("control")))
    }

    fn flush(&self) -> Result<(), DnsError> {
        self.run(&["flush-caches".to_owned()]).map(drop)
    }

    fn change(&self, device: LinkName, change: &DnsChange) -> Result<(), DnsError> {
        let (verb, values) = match change {
            DnsChange::Servers(servers) => ("dns", texts(servers)),
            DnsChange::Domains(domains) => ("domain", texts(domains)),
            DnsChange::DefaultRoute(on) => ("default-route", vec![yes(*on).to_owned()]),
            DnsChange::Revert => ("revert", Vec::new()),
        };
        let words = [verb.to_owned(), device.to_string()];
        self.run(&[&words[..], &values].concat()).map(drop)
    }
}

/// The values as words: none take away what is there.
fn texts(values: &[impl ToString]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}
