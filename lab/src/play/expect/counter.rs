//! `counter`: what the kernel of a host counts during a step.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::CheckError;
use crate::counters::{Counters, STATISTICS};
use crate::play::Verdict;
use crate::play::stage::Stage;
use crate::scenario::Counter;

/// How often a counter is read until it has counted enough.
const LOOK: Duration = Duration::from_millis(20);
/// How many others a failure shows.
const SHOWN: usize = 20;

pub(super) async fn check(stage: &Stage<'_>, wanted: &Counter) -> Result<Verdict, CheckError> {
    let end = Instant::now() + wanted.time;
    let meters = stage.meters(&wanted.on);
    let before = meters.at_reset()?;
    if wanted.count.waits() {
        sleep_until(end).await;
    }
    loop {
        let now = meters.now()?;
        if let Some(link) = made_anew(stage, wanted) {
            let why = format!(
                "{link} of {} was made anew in this step, and counts anew",
                wanted.on
            );
            return Ok(Verdict::Inconclusive(why));
        }
        let counted = match counted(wanted, &before, &now) {
            Ok(counted) => counted,
            Err(why) => return Ok(Verdict::Inconclusive(why)),
        };
        if wanted.count.holds(counted) {
            return Ok(Verdict::Held(format!("{counted} since the step began")));
        }
        if Instant::now() >= end {
            return Ok(failed(wanted, counted, &now.since(&before)));
        }
        sleep_until((Instant::now() + LOOK).min(end)).await;
    }
}

/// The link of a counter, where another had its name earlier in this step.
fn made_anew<'a>(stage: &Stage<'_>, wanted: &'a Counter) -> Option<&'a str> {
    let (link, statistic) = wanted.counter.rsplit_once('.')?;
    let is_of_link = STATISTICS.contains(&statistic);
    let anew = is_of_link && stage.tape(&wanted.on).names().bearers(link) > 1;
    anew.then_some(link)
}

/// How much was counted; a text where that cannot be said.
fn counted(wanted: &Counter, before: &Counters, now: &Counters) -> Result<u64, String> {
    let Counter { on, counter, .. } = wanted;
    let (was, is) = match (before.get(counter), now.get(counter)) {
        (None, None) if is_shown_late(counter) => (0, 0),
        (None, None) => {
            let like = like(counter, now);
            return Err(format!("the kernel of {on} has no counter {counter}{like}"));
        }
        (Some(_), None) => return Err(format!("{counter} is gone: its link went in this step")),
        (was, Some(is)) => (was.unwrap_or(0), is),
    };
    is.checked_sub(was)
        .ok_or_else(|| format!("{counter} went back from {was} to {is}: its link was made anew"))
}

/// Whether the kernel shows a counter only once it has counted something: those of ICMP by the
/// type of message (`icmpmsg_put` in net/ipv4/proc.c, `snmp6_seq_show_icmpv6msg` in
/// net/ipv6/proc.c).
fn is_shown_late(counter: &str) -> bool {
    let types = [
        "IcmpMsg.InType",
        "IcmpMsg.OutType",
        "Icmp6.InType",
        "Icmp6.OutType",
    ];
    types.iter().any(|kind| counter.starts_with(kind))
}

/// The names of the same group that are closest, in words.
fn like(counter: &str, now: &Counters) -> String {
    let nearest = now
        .names()
        .map(|name| (likeness(name, counter), name))
        .max_by_key(|(shared, _)| *shared);
    nearest.map_or_else(String::new, |(_, name)| format!("; did you mean {name}?"))
}

/// How many letters two names share at their beginnings and ends.
fn likeness(one: &str, other: &str) -> usize {
    let same = |(a, b): &(char, char)| a == b;
    let beginning = one.chars().zip(other.chars()).take_while(same).count();
    let end = one
        .chars()
        .rev()
        .zip(other.chars().rev())
        .take_while(same)
        .count();
    beginning + end
}

fn failed(wanted: &Counter, counted: u64, others: &[(String, i64)]) -> Verdict {
    let Counter {
        on, counter, count, ..
    } = wanted;
    let why = format!("expected {count} of {counter} on {on} since the step began; {counted} came");
    let others = others.iter().filter(|(name, _)| name != counter);
    let evidence = others
        .take(SHOWN)
        .map(|(name, by)| format!("{name} {by:+}"))
        .collect();
    Verdict::failed(why, evidence)
}
