//! By the name service switch.

use std::net::IpAddr;

use fps_dns::zone::RecordType;

use super::command::output;
use super::{Answered, AskError};
use crate::sandbox::{HostId, Sandbox};
use crate::scenario::Resolves;

/// The name is not known (getent(1)).
const UNKNOWN: i32 = 2;

pub(super) async fn ask(
    sandbox: &Sandbox,
    host: HostId,
    question: &Resolves,
) -> Result<Answered, AskError> {
    let database = match question.kind {
        RecordType::AAAA => "ahostsv6",
        _ => "ahostsv4",
    };
    let command = ["getent", database, question.name.as_str()];
    let (exit, said) = output(sandbox, host, &command).await?;
    let lines = said.lines().filter_map(|line| line.split(' ').next());
    let addresses = lines.filter_map(|word| word.parse::<IpAddr>().ok());
    // For want of others, `ahostsv6` gives IPv4 addresses as mapped ones.
    let is_mapped = |ip: &IpAddr| matches!(ip, IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some());
    let data = addresses.filter(|ip| !is_mapped(ip));
    match (exit.0.code(), data.map(|ip| ip.to_string()).collect()) {
        (Some(0), data) if data != [].into() => Ok(Answered::Data(data)),
        (Some(0 | UNKNOWN), _) => Ok(Answered::Nothing),
        (_, _) => Err(AskError::Getent(format!("{}: {}", exit.0, said.trim()))),
    }
}
