//! By systemd-resolved(8), asked over D-Bus.

use std::collections::BTreeSet;

use super::command::output;
use super::{Answered, AskError};
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
