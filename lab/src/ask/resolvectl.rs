//! By systemd-resolved(8), asked over D-Bus.

use std::collections::{BTreeMap, BTreeSet};

use super::command::output;
use super::{Answered, AskError};
use crate::explain::Claims;
use crate::sandbox::{HostId, Sandbox};
use crate::scenario::Resolves;

pub(super) async fn ask(
    sandbox: &Sandbox,
    host: HostId,
    question: &Resolves,
) -> Result<Answered, AskError> {
    let kind = format!("--type={}", question.kind);
    let command = [
        "resolvectl",
        "query",
        "--legend=no",
        &kind,
        question.name.as_str(),
    ];
    let (exit, said) = output(sandbox, host, &command).await?;
    if !exit.0.success() {
        return failure(said.trim());
    }
    // `NAME IN TYPE DATA -- link: LINK`, and the aliases likewise.
    let marked = format!(" IN {} ", question.kind);
    let data = said.lines().filter_map(|line| {
        let (_, data) = line.split_once(&marked)?;
        let data = data.split_once(" -- link:").map_or(data, |(data, _)| data);
        Some(data.trim().trim_matches('"').to_owned())
    });
    let data: BTreeSet<_> = data.collect();
    match data.is_empty() {
        true => Ok(Answered::NoData),
        false => Ok(Answered::Data(data)),
    }
}

/// What its errors mean. Any other says nothing of a server, but of the resolver.
fn failure(said: &str) -> Result<Answered, AskError> {
    let of_server = [
        "SERVFAIL",
        "FORMERR",
        "NOTIMP",
        "does not seem to understand",
    ];
    Ok(match said {
        said if said.contains("not found") => Answered::NoName,
        said if said.contains("does not have any RR of the requested type") => Answered::NoData,
        said if said.contains("REFUSED") => Answered::Refused,
        said if of_server.iter().any(|word| said.contains(word)) => {
            Answered::Failure(said.to_owned())
        }
        said if said.contains("No appropriate name servers") || said.contains("imed out") => {
            Answered::Unanswered(said.to_owned())
        }
        said => return Err(AskError::Resolvectl(said.to_owned())),
    })
}

/// Empties the caches of systemd-resolved(8), so that the next question has to be asked anew.
pub(crate) async fn flush(sandbox: &Sandbox, host: HostId) -> Result<(), AskError> {
    let (exit, said) = output(sandbox, host, &["resolvectl", "flush-caches"]).await?;
    match exit.0.success() {
        true => Ok(()),
        false => Err(AskError::Resolvectl(said.trim().to_owned())),
    }
}

/// Which links with servers of their own claim all names.
pub(crate) async fn claims(sandbox: &Sandbox, host: HostId) -> Result<Claims, AskError> {
    let servers = by_link(sandbox, host, "dns").await?;
    let domains = by_link(sandbox, host, "domain").await?;
    let flags = by_link(sandbox, host, "default-route").await?;
    let with_servers = |said: &BTreeMap<String, Vec<String>>, word: &str| {
        let said = said.iter().filter(|(link, words)| {
            let link: &str = link;
            let has_servers = servers.get(link).is_some_and(|servers| !servers.is_empty());
            has_servers && words.iter().any(|it| it == word)
        });
        said.map(|(link, _)| link.clone()).collect()
    };
    Ok(Claims {
        all_names: with_servers(&domains, "~."),
        default_route: with_servers(&flags, "yes"),
        servers: servers
            .iter()
            .filter(|(_, words)| !words.is_empty())
            .map(|(link, words)| {
                let domains = domains
                    .get(link)
                    .map(|words| words.join(" "))
                    .unwrap_or_default();
                format!("{link} asks {} [{domains}]", words.join(" "))
            })
            .collect(),
    })
}

/// What resolvectl(1) says of each link: `Link 2 (eth0): WORD …`.
async fn by_link(
    sandbox: &Sandbox,
    host: HostId,
    verb: &str,
) -> Result<BTreeMap<String, Vec<String>>, AskError> {
    let (exit, said) = output(sandbox, host, &["resolvectl", verb]).await?;
    if !exit.0.success() {
        return Err(AskError::Resolvectl(said.trim().to_owned()));
    }
    let lines = said.lines().filter_map(|line| {
        let (link, words) = line.strip_prefix("Link ")?.split_once("): ")?;
        let (_, link) = link.split_once('(')?;
        let words = words.split_whitespace().map(str::to_owned);
        Some((link.to_owned(), words.collect()))
    });
    Ok(lines.collect())
}
