//! `throughput`: what comes by one way, as a part of what comes by another in the same seconds.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::{CheckError, locate};
use crate::play::stage::Stage;
use crate::play::{Evidence, Verdict};
use crate::probe::{Answer, Came, Question, flood};
use crate::scenario::{Probe, Throughput};

/// How many turns each way has: whatever else the machine does then slows both.
const TURNS: u32 = 4;
/// How long the control may wait for its answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// One of the two ways.
struct Way {
    probe: Probe<IpAddr>,
    came: Came,
    /// In how many turns nothing came.
    mute: u32,
}

pub(super) async fn check(stage: &Stage<'_>, wanted: &Throughput) -> Result<Verdict, CheckError> {
    let mut ways = Vec::new();
    for probe in [&wanted.probe, &wanted.of] {
        match control(stage, probe).await? {
            Ok(way) => ways.push(way),
            Err(why) => return Ok(Verdict::Inconclusive(why)),
        }
    }
    for _ in 0..TURNS {
        for way in &mut ways {
            way.turn(stage, wanted.hold / TURNS).await?;
        }
    }
    let [one, other] = ways.as_slice() else {
        unreachable!("there are two")
    };
    let seen = format!("{one} against {other}, in {TURNS} turns each");
    // What is compared with less than there was looks better than it is.
    if other.mute > 0 {
        return Ok(Verdict::Inconclusive(format!(
            "in {} of the turns nothing came to compare it with: {seen}",
            other.mute
        )));
    }
    let part = one.rate() / other.rate();
    let at_least = f64::from(wanted.at_least) / 1000.0;
    let seen = format!("{part:.3} of it: {seen}");
    Ok(if part >= at_least {
        Verdict::Held(seen)
    } else {
        Verdict::failed(
            format!("expected at least {at_least}; it is {seen}"),
            Vec::<Evidence>::new(),
        )
    })
}

/// Both targets must answer, and be who they are, or nothing is compared.
async fn control(stage: &Stage<'_>, probe: &Probe) -> Result<Result<Way, String>, CheckError> {
    let deadline = Instant::now() + PATIENCE;
    let probe = match locate::probe(stage, probe, deadline).await? {
        Ok(probe) => probe,
        Err(why) => return Ok(Err(why)),
    };
    let host = stage.lab.host(&probe.from).id();
    let question = Question::new(stage.lab.sandbox(), host, &probe, None)?;
    stage.asked(question.mark());
    let attempt = question.ask(PATIENCE).await?;
    if !matches!(attempt.answer, Answer::Echo { .. }) {
        return Ok(Err(format!(
            "{} does not answer {}: {}",
            probe.address, probe.from, attempt.answer
        )));
    }
    if let Some(target) = &probe.to {
        let tape = stage.tape(target);
        tape.sync().await?;
        if !tape.look(|frames| frames.iter().any(|frame| attempt.mark.reaches(frame))) {
            let address = probe.address;
            return Ok(Err(format!(
                "somebody else than {target} answers at {address}"
            )));
        }
    }
    let came = Came::default();
    Ok(Ok(Way {
        probe,
        came,
        mute: 0,
    }))
}

impl Way {
    /// Measures for one more turn. What gives nothing has used up its time all the same.
    async fn turn(&mut self, stage: &Stage<'_>, time: Duration) -> Result<(), CheckError> {
        let host = stage.lab.host(&self.probe.from).id();
        let (mark, came) = flood(stage.lab.sandbox(), host, &self.probe, time).await?;
        stage.asked(mark);
        let came = came.unwrap_or(Came { bytes: 0, time });
        self.mute += u32::from(came.bytes == 0);
        self.came.bytes += came.bytes;
        self.came.time += came.time;
        Ok(())
    }

    /// Bytes a second.
    fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let bytes = self.came.bytes as f64;
        bytes / self.came.time.as_secs_f64()
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Probe { from, address, .. } = &self.probe;
        write!(f, "{:.1} MB/s {address} -> {from}", self.rate() / 1e6)
    }
}
