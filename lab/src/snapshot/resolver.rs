//! What answers for the names of a host's programs.

use std::io::{self, Read};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::SnapshotError;
use crate::sandbox::{HostId, PATH, Sandbox, Signal};

/// The file that every resolver looks into.
const FILE: &str = "/etc/resolv.conf";
/// It is there where systemd-resolved runs, or has run.
const RESOLVED: &str = "/run/systemd/resolve/resolv.conf";
/// What resolvectl(1) tells of each link, a setting each.
const SETTINGS: [&str; 7] = [
    "dns",
    "domain",
    "default-route",
    "llmnr",
    "mdns",
    "dnsovertls",
    "dnssec",
];
/// How long systemd-resolved may take for all of it.
const PATIENCE: Duration = Duration::from_secs(5);

/// What answers for names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolver {
    /// Where /etc/resolv.conf leads, if it is a symbolic link.
    pub link: Option<String>,
    /// What it holds; none where there is no such file.
    pub resolv_conf: Option<String>,
    /// The settings of systemd-resolved, where it is: `dns eth0 192.0.2.1`.
    pub resolved: Vec<String>,
}

impl Resolver {
    /// The same without the settings of some links.
    pub(super) fn without(mut self, links: &[&str]) -> Self {
        // The setting, the link, the values.
        let is_theirs = |line: &String| {
            let link = line.split(' ').nth(1);
            link.is_some_and(|link| links.contains(&link))
        };
        self.resolved.retain(|line| !is_theirs(line));
        self
    }

    /// All of it as lines, of which each has its meaning alone.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.link.as_ref().map(|to| format!("{FILE} -> {to}")));
        match &self.resolv_conf {
            None => lines.push(format!("{FILE} is not there")),
            Some(text) => {
                let numbered = text.lines().enumerate();
                lines.extend(numbered.map(|(place, line)| format!("{FILE}:{} {line}", place + 1)));
            }
        }
        lines.extend(
            self.resolved
                .iter()
                .map(|line| format!("resolvectl {line}")),
        );
        lines
    }
}

/// Reads it; gives also what could not be read.
pub(super) async fn read(
    sandbox: &Sandbox,
    host: HostId,
) -> Result<(Resolver, Option<String>), SnapshotError> {
    let mut resolver = read_file(sandbox, host)?;
    if sandbox.open(host, RESOLVED)?.is_none() {
        return Ok((resolver, None));
    }
    let unseen = match settings(sandbox, host).await? {
        Some(lines) => {
            resolver.resolved = lines;
            None
        }
        None => Some("systemd-resolved has run and does not answer resolvectl(1)".to_owned()),
    };
    Ok((resolver, unseen))
}

/// Reads the part of it that /etc/resolv.conf tells.
pub(super) fn read_file(sandbox: &Sandbox, host: HostId) -> Result<Resolver, SnapshotError> {
    let mut resolver = Resolver {
        link: sandbox.link_target(host, FILE)?,
        ..Resolver::default()
    };
    if let Some(mut file) = sandbox.open(host, FILE)? {
        let mut text = Vec::new();
        let read = file.read_to_end(&mut text);
        read.map_err(|source| unreadable(FILE, source))?;
        resolver.resolv_conf = Some(String::from_utf8_lossy(&text).into_owned());
    }
    Ok(resolver)
}

/// The settings; none where nobody answers.
async fn settings(sandbox: &Sandbox, host: HostId) -> Result<Option<Vec<String>>, SnapshotError> {
    let commands: Vec<String> = SETTINGS
        .iter()
        .map(|it| format!("t=$(resolvectl {it}); echo \"$t\" | sed 's/^/{it} /'"))
        .collect();
    // An assignment ends as its command does, which a pipe would hide.
    let command = ["sh", "-ec", &commands.join("; ")].map(str::to_owned);
    let environment = [("PATH".to_owned(), PATH.to_owned())];
    let mut running = sandbox.spawn(host, &command, &environment)?;
    let mut text = String::new();
    let Some(mut output) = running.output.take() else {
        return Ok(None);
    };
    let whole = async {
        output.read_to_string(&mut text).await?;
        Ok::<_, io::Error>(running.wait().await)
    };
    let Ok(ended) = timeout(PATIENCE, whole).await else {
        sandbox.signal(&running, Signal::Kill)?;
        return Ok(None);
    };
    let exit = ended.map_err(|source| unreadable("the settings of systemd-resolved", source))??;
    let mut lines: Vec<String> = text.lines().filter_map(setting).collect();
    lines.sort();
    Ok((exit.0.success() && !lines.is_empty()).then_some(lines))
}

/// `dns Link 2 (eth0): 192.0.2.1` without the link's number; none where nothing is set.
fn setting(line: &str) -> Option<String> {
    let (head, values) = line.split_once(':')?;
    let values = values.split_whitespace().collect::<Vec<_>>().join(" ");
    let head = match head.split_once(" Link ") {
        Some((setting, link)) => {
            let name = link.split_once('(')?.1.trim_end_matches(')');
            format!("{setting} {name}")
        }
        None => head.to_owned(),
    };
    (!values.is_empty()).then(|| format!("{head} {values}"))
}

fn unreadable(what: &'static str, source: io::Error) -> SnapshotError {
    SnapshotError::Read { what, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_told_without_the_links_number() {
        for (line, told) in [
            (
                "dns Link 2 (eth0): 192.0.2.1 2001:db8::1",
                Some("dns eth0 192.0.2.1 2001:db8::1"),
            ),
            ("dns Global:", None),
            ("domain Global: ~.", Some("domain Global ~.")),
            (
                "default-route Link 17 (fpsc0): yes",
                Some("default-route fpsc0 yes"),
            ),
        ] {
            assert_eq!(setting(line).as_deref(), told, "{line}");
        }
    }

    #[test]
    fn the_settings_of_a_link_may_be_left_out() {
        let resolved = [
            "dns eth0 192.0.2.1",
            "dns fpsc0 10.66.0.1",
            "domain Global ~.",
        ];
        let resolver = Resolver {
            resolved: resolved.map(str::to_owned).into(),
            ..Resolver::default()
        };
        let rest = resolver.without(&["fpsc0"]);
        assert_eq!(rest.resolved, ["dns eth0 192.0.2.1", "domain Global ~."]);
    }

    #[test]
    fn a_file_that_is_empty_is_another_than_none() {
        let empty = Resolver {
            resolv_conf: Some(String::new()),
            ..Resolver::default()
        };
        assert_ne!(empty.lines(), Resolver::default().lines());
    }
}
