//! Who is told what to look up through the tunnel.

use std::env;
use std::fmt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use fps_netlink::LinkName;

use super::bounded::Bounded;
use crate::{Dns, DnsChange};

/// A resolver that keeps settings for each device.
pub trait DnsBackend: fmt::Debug + Send + Sync {
    /// What it has for a device.
    fn settings(&self, device: LinkName) -> Result<Dns, DnsError>;

    /// Where it shows that its settings may have changed; none where nowhere.
    fn trace(&self) -> Option<Trace> {
        None
    }

    /// Has it forget what it has looked up.
    fn flush(&self) -> Result<(), DnsError> {
        Ok(())
    }

    /// Changes that.
    fn change(&self, device: LinkName, change: &DnsChange) -> Result<(), DnsError>;
}

/// Where it shows that a resolver's settings may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trace {
    /// Files change in this folder.
    Folder(PathBuf),
    /// Who listens at this socket, and has the settings, ends.
    Socket(PathBuf),
}

/// Why a resolver could not be asked or told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DnsError(pub String);

/// How long `resolvectl` may take: it is through in 10 ms, but where resolved is to be started first.
const PATIENCE: Duration = Duration::from_secs(5);

/// systemd-resolved, by its program `resolvectl` (resolvectl(1)).
#[derive(Clone, Debug)]
pub(crate) struct Resolvectl(PathBuf);

impl Resolvectl {
    /// Looks for it along PATH.
    pub(crate) fn find() -> Option<Self> {
        let path = env::var_os("PATH")?;
        let mut candidates = env::split_paths(&path).map(|folder| folder.join("resolvectl"));
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
        Err(DnsError(format!("{status}: {said}")))
    }

    /// The words behind `Link 7 (fpsc0):`.
    fn ask<T: std::str::FromStr>(&self, what: &str, device: LinkName) -> Result<Vec<T>, DnsError> {
        let answer = self.run(&[what.to_owned(), device.to_string()])?;
        let (_, words) = answer.split_once("): ").unwrap_or_default();
        let words = words.split_whitespace();
        let read = |word: &str| {
            let unknown = |_| DnsError(format!("`resolvectl {what}` says `{word}`"));
            word.parse().map_err(unknown)
        };
        words.map(read).collect()
    }
}

impl DnsBackend for Resolvectl {
    fn settings(&self, device: LinkName) -> Result<Dns, DnsError> {
        let (servers, domains) = (self.ask("dns", device)?, self.ask("domain", device)?);
        let default_route = match Dns::would_take_all(&domains) {
            true => self.ask::<String>("default-route", device)?.pop(),
            false => None,
        };
        Ok(Dns {
            servers,
            domains,
            default_route: default_route.map(|word| word == "yes"),
        })
    }

    fn trace(&self) -> Option<Trace> {
        // For a resolved that has another.
        let other = env::var_os("FPS_ROUTE_RESOLVED_DIR").map(PathBuf::from);
        let folder = other.unwrap_or_else(|| PathBuf::from("/run/systemd/resolve"));
        Some(Trace::Folder(folder))
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

/// As resolvectl(1) takes it.
pub(crate) fn yes(on: bool) -> &'static str {
    if on { "yes" } else { "no" }
}

/// The values as words; an empty one takes away what is there.
pub(super) fn texts<T: fmt::Display>(values: &[T]) -> Vec<String> {
    match values {
        [] => vec![String::new()],
        values => values.iter().map(ToString::to_string).collect(),
    }
}
