//! `resolves`: a name leads to what it should, asked as programs ask, and the right server is asked.

use std::collections::BTreeSet;
use std::io::Read;
use std::time::{Duration, Instant as Moment};

use fps_dns::zone::Name;
use fps_netlink::{Flow, IpProtocol};
use fps_packet::{Direction, Frame, Transport};
use tokio::time::{Instant, timeout_at};

use super::why::{self, Suspect};
use super::{CheckError, lossy};
use crate::ask::{Answered, AskError, ask, claims, flush};
use crate::lab::{LogEntry, NameServer};
use crate::play::Verdict;
use crate::play::stage::Stage;
use crate::scenario::{HostName, Resolver, Resolves, Way};

const PORT: u16 = 53;
/// How long one question waits for its answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long before the next try.
const GAP: Duration = Duration::from_millis(50);
/// How long a question may be on its way to a server that is not to be asked.
const LATER: Duration = Duration::from_millis(50);

/// What came of one question.
struct Attempt {
    by: Way,
    since: Moment,
    /// None while questions of it may be on their way.
    until: Option<Moment>,
    answer: Answered,
}

pub(super) async fn check(stage: &Stage<'_>, wanted: &Resolves) -> Result<Verdict, CheckError> {
    let mut deadline = Instant::now() + wanted.within;
    let mut attempts = Vec::new();
    for by in &wanted.by {
        match asked_until(stage, wanted, *by, &mut deadline).await? {
            Ok(attempt) => attempts.push(attempt),
            Err(verdict) => return Ok(verdict),
        }
    }
    if wanted.asked.is_some() {
        let servers = stage.lab.hosts().filter_map(|(_, host)| host.name_server());
        if servers.into_iter().any(NameServer::has_lost) {
            let why = "a server was asked more than can be remembered".to_owned();
            return Ok(Verdict::Inconclusive(why));
        }
    }
    // A capture that has lost packets cannot show that a question went nowhere else.
    let lost = stage.tape(&wanted.on).sync().await?;
    if lost > 0 && wanted.via.is_some() {
        return Ok(lossy(&wanted.on, lost));
    }
    let seen = attempts
        .iter()
        .map(|it| format!("{}: {}", it.by, it.answer));
    Ok(Verdict::Held(seen.collect::<Vec<_>>().join("; ")))
}

/// Asks until it holds or there is no time left. What an attempt waits for others counts for nothing.
async fn asked_until(
    stage: &Stage<'_>,
    wanted: &Resolves,
    by: Way,
    deadline: &mut Instant,
) -> Result<Result<Attempt, Verdict>, CheckError> {
    let mut alone = false;
    loop {
        let waits_since = Instant::now();
        // What other hosts ask for by this name is not to be taken for this one's.
        let name = stage.name_turns.take_name(wanted.name.name()).await;
        let turn = stage.name_turns.take(&wanted.on, alone).await;
        *deadline += waits_since.elapsed();
        let mut attempt = attempt(stage, wanted, by).await?;
        let problem = match problem(stage, wanted, &attempt).await? {
            None => return Ok(held(stage, wanted, &mut attempt).await?.map(|()| attempt)),
            Some(problem) => problem,
        };
        drop((turn, name));
        // The question of another expectation may have filled the cache behind the flush, as an alias does
        // with its target. If nobody else asks, it has not.
        if problem.is_unasked && !alone {
            alone = true;
            continue;
        }
        if Instant::now() + GAP >= *deadline {
            return Ok(Err(failed(stage, wanted, &attempt, problem.text).await?));
        }
        tokio::time::sleep(GAP).await;
    }
}

/// Where two are asked at once, the question to the farther one comes later than the answer.
async fn held(
    stage: &Stage<'_>,
    wanted: &Resolves,
    attempt: &mut Attempt,
) -> Result<Result<(), Verdict>, CheckError> {
    if wanted.asked.is_some() {
        tokio::time::sleep(LATER).await;
        attempt.until = Some(Moment::now());
        if let Some(problem) = problem(stage, wanted, attempt).await? {
            return Ok(Err(failed(stage, wanted, attempt, problem.text).await?));
        }
    }
    Ok(Ok(()))
}

async fn attempt(stage: &Stage<'_>, wanted: &Resolves, by: Way) -> Result<Attempt, CheckError> {
    let host = stage.lab.host(&wanted.on).id();
    let caches = stage.scenario.hosts[&wanted.on].resolver == Resolver::SystemdResolved;
    // An answer out of its cache says nothing of who would be asked.
    if caches && (wanted.asked.is_some() || wanted.via.is_some()) {
        flush(stage.lab.sandbox(), host).await?;
    }
    let since = Moment::now();
    let asking = ask(stage.lab.sandbox(), host, wanted, by);
    let answer = match timeout_at(Instant::now() + PATIENCE, asking).await {
        Ok(answer) => answer?,
        Err(_) => Answered::Unanswered(format!("no answer within {PATIENCE:?}")),
    };
    Ok(Attempt {
        by,
        since,
        until: None,
        answer,
    })
}

/// What is wrong with an attempt.
struct Problem {
    text: String,
    /// Whether it was answered, and nobody was asked.
    is_unasked: bool,
}

async fn problem(
    stage: &Stage<'_>,
    wanted: &Resolves,
    attempt: &Attempt,
) -> Result<Option<Problem>, CheckError> {
    let by = attempt.by;
    let problem = |text: String, is_unasked: bool| {
        let text = format!("{by}: {text}");
        Ok(Some(Problem { text, is_unasked }))
    };
    if !attempt.answer.is(&wanted.to) {
        return problem(attempt.answer.to_string(), false);
    }
    if let Some(host) = &wanted.asked {
        let until = attempt.until;
        let asked: BTreeSet<_> = asked(stage, wanted, attempt.since)
            .filter(|(_, entry)| until.is_none_or(|until| entry.at <= until))
            .map(|(host, _)| host)
            .collect();
        if asked != [host.clone()].into() {
            let asked: Vec<_> = asked.iter().map(HostName::as_str).collect();
            let names = match asked.as_slice() {
                [] => "no server".to_owned(),
                asked => asked.join(" and "),
            };
            return problem(format!("answered, but {names} was asked"), asked.is_empty());
        }
    }
    let Some(via) = &wanted.via else {
        return Ok(None);
    };
    let links = leaves_by(stage, wanted, attempt.since).await?;
    if links.len() == 1 && links.contains(via.as_str()) {
        return Ok(None);
    }
    let names: Vec<_> = links.iter().map(String::as_str).collect();
    let text = format!("answered, but it left by [{}]", names.join(", "));
    problem(text, links.is_empty())
}

/// Which servers were asked for the name, or what it is an alias of.
fn asked<'a>(
    stage: &'a Stage<'_>,
    wanted: &Resolves,
    since: Moment,
) -> impl Iterator<Item = (HostName, LogEntry)> + use<'a> {
    let (name, kind) = (wanted.name.name().clone(), wanted.kind);
    let servers = stage
        .lab
        .hosts()
        .filter_map(|(host, it)| Some((host, it.name_server()?)));
    servers.flat_map(move |(host, server)| {
        let entries = server.asked_since(since).into_iter();
        let name = name.clone();
        let entries =
            entries.filter(move |entry| entry.asked.name == name && entry.asked.kind == kind);
        entries.map(|entry| (host.clone(), entry))
    })
}

/// The links by which questions for the name have left the host since a moment.
async fn leaves_by(
    stage: &Stage<'_>,
    wanted: &Resolves,
    since: Moment,
) -> Result<BTreeSet<String>, CheckError> {
    let (tape, encoded) = (stage.tape(&wanted.on), encoded(wanted.name.name()));
    tape.sync().await?;
    Ok(tape.look(|frames| {
        let sent = frames.iter().filter(|frame| {
            let is_new = frame.at >= since && frame.direction == Direction::Sent;
            is_new && asks(frame, &encoded)
        });
        let links = sent.map(|frame| tape.names().show(frame.ifindex));
        // What a host asks itself is on no way anywhere.
        links.filter(|link| link != "lo").collect()
    }))
}

fn asks(frame: &Frame, encoded: &[u8]) -> bool {
    let Some(packet) = frame.packet() else {
        return false;
    };
    let to = match packet.transport {
        Transport::Udp {
            destination_port, ..
        }
        | Transport::Tcp {
            destination_port, ..
        } => destination_port,
        _ => return false,
    };
    let lower = packet.payload.to_ascii_lowercase();
    to == PORT && lower.windows(encoded.len()).any(|window| window == encoded)
}

/// As it stands in a question: each label behind its length, and the root (RFC 1035, 3.1).
fn encoded(name: &Name) -> Vec<u8> {
    let name = name.to_lowercase();
    let labels = name.iter().flat_map(|label| {
        let length = u8::try_from(label.len()).expect("at most 63");
        [&[length], label].concat()
    });
    labels.chain([0]).collect()
}

async fn failed(
    stage: &Stage<'_>,
    wanted: &Resolves,
    attempt: &Attempt,
    problem: String,
) -> Result<Verdict, CheckError> {
    let questions = asked(stage, wanted, stage.step_began());
    let evidence = questions.map(|(host, entry)| {
        let after = entry.at.saturating_duration_since(stage.step_began());
        let (from, by, kind) = (entry.from, entry.by, entry.asked.kind);
        format!(
            "{after:.1?} {host} asked by {from} ({by:?}) for {kind}: {}",
            entry.word
        )
    });
    let mut evidence: Vec<_> = evidence.take(5).collect();
    if evidence.is_empty() {
        evidence.push("no server of the lab was asked for it in this step".to_owned());
    }
    let asked = wanted
        .asked
        .as_ref()
        .map(|host| format!(", of {host} alone"));
    let via = wanted.via.as_ref().map(|link| format!(", by {link} alone"));
    let (asked, via) = (asked.unwrap_or_default(), via.unwrap_or_default());
    let why = format!(
        "expected {}{asked}{via}, by {}; {problem}",
        wanted.to, attempt.by
    );
    Ok(match culprit(stage, wanted).await? {
        Some(suspect) => {
            Verdict::failed(why, evidence).explained(why::explain(stage, &suspect).await)
        }
        None => Verdict::failed(why, evidence),
    })
}

/// The first question for the name that left the host, and who claims all names there.
async fn culprit(stage: &Stage<'_>, wanted: &Resolves) -> Result<Option<Suspect>, CheckError> {
    let (tape, encoded) = (stage.tape(&wanted.on), encoded(wanted.name.name()));
    tape.sync().await?;
    let server = tape.look(|frames| {
        let mut sent = frames.iter().filter(|frame| {
            let left = frame.direction == Direction::Sent && frame.ifindex != 1;
            left && asks(frame, &encoded)
        });
        sent.next()
            .and_then(Frame::packet)
            .map(|packet| packet.destination)
    });
    let Some(server) = server else {
        return Ok(None);
    };
    let flow = Flow::to(server).to_port(IpProtocol::Udp, PORT);
    let mut suspect = Suspect::new(&wanted.on, flow).wanted(&wanted.on, wanted.via.as_ref());
    let (sandbox, host) = (stage.lab.sandbox(), stage.lab.host(&wanted.on).id());
    let whose = match stage.scenario.hosts[&wanted.on].resolver {
        Resolver::SystemdResolved => {
            let claims = claims(sandbox, host).await?;
            let said = format!("in systemd-resolved {}", claims.servers.join("; "));
            suspect.claims = Some(claims);
            said
        }
        Resolver::ResolvConf => {
            let servers = name_servers(stage, &wanted.on)?;
            format!(
                "{}'s /etc/resolv.conf names {}",
                wanted.on,
                servers.join(", then ")
            )
        }
    };
    suspect.hint = Some(format!("the question went to {server}: {whose}"));
    Ok(Some(suspect))
}

/// The name servers in a host's /etc/resolv.conf.
fn name_servers(stage: &Stage<'_>, host: &HostName) -> Result<Vec<String>, CheckError> {
    let file = stage
        .lab
        .sandbox()
        .open(stage.lab.host(host).id(), "/etc/resolv.conf");
    let mut text = String::new();
    if let Some(mut file) = file.map_err(AskError::from)? {
        file.read_to_string(&mut text).map_err(AskError::from)?;
    }
    let servers = text
        .lines()
        .filter_map(|line| line.strip_prefix("nameserver "));
    Ok(servers.map(|server| server.trim().to_owned()).collect())
}
