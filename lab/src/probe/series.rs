//! One question asked again and again, however long each waits for its answer.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::{Answer, Attempt, Known, Mark, ProbeError, Question, Trust};
use crate::sandbox::{HostId, Sandbox, SandboxError};
use crate::scenario::{Probe, ProbeProtocol};

/// How long a question waits for its answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// A question that is asked again every few milliseconds, until this is dropped.
#[derive(Debug)]
pub struct Series {
    log: Arc<Mutex<Log>>,
    answered: watch::Receiver<usize>,
    asker: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Log {
    sent: Vec<Sent>,
    failure: Option<ProbeError>,
}

/// A question of a series.
#[derive(Clone, Debug)]
pub struct Sent {
    /// What its packets are known by.
    pub mark: Mark,
    /// When it was sent.
    pub at: Instant,
    /// What came of it; none while it waits.
    pub answer: Option<Answer>,
}

/// What a series asks, and who is told of its marks.
#[derive(Debug)]
pub struct Asker {
    /// Makes a socket for each question. Not kept alive by a series: it ends with its lab.
    pub sandbox: Weak<Sandbox>,
    /// Where.
    pub host: HostId,
    /// What is asked.
    pub probe: Probe<IpAddr>,
    /// Learns the mark of each question before it is sent.
    pub known: Arc<Mutex<Known>>,
    /// The CA that a question by HTTPS trusts.
    pub trust: Option<Trust>,
}

impl Asker {
    /// The time between two questions. A TCP connection is several packets each way.
    pub fn pace(&self) -> Duration {
        match self.probe.protocol {
            ProbeProtocol::Tcp(_) | ProbeProtocol::Web(_) => Duration::from_millis(10),
            ProbeProtocol::Icmp | ProbeProtocol::Udp(_) => Duration::from_millis(5),
        }
    }

    /// Prepares the next question, with a socket of its own: each is a new flow to whoever keeps
    /// track of flows on the way, and has the source address that the routes give it now.
    fn next(&self) -> Result<Question, ProbeError> {
        let sandbox = self.sandbox.upgrade().ok_or_else(SandboxError::gone)?;
        let question = Question::new(&sandbox, self.host, &self.probe, self.trust.as_ref())?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.add(question.mark());
        Ok(question)
    }
}

impl Series {
    /// Begins to ask.
    pub fn begin(asker: Asker) -> Self {
        let log = Arc::default();
        let (tell, answered) = watch::channel(0);
        let task = ask(asker, Arc::clone(&log), tell);
        Self {
            log,
            answered,
            asker: tokio::spawn(task),
        }
    }

    /// Waits until this many questions have been answered, or for ever.
    pub async fn answered(&self, count: usize) {
        let mut answered = self.answered.clone();
        if answered.wait_for(|now| *now >= count).await.is_err() {
            // It has failed, and nothing more will be answered.
            std::future::pending::<()>().await;
        }
    }

    /// How many have been answered up to now.
    pub fn count(&self) -> usize {
        *self.answered.borrow()
    }

    /// What was asked up to now, in order.
    pub fn sent(&self) -> Vec<Sent> {
        lock(&self.log).sent.clone()
    }

    /// Whether it asks no more.
    pub fn has_failed(&self) -> bool {
        lock(&self.log).failure.is_some()
    }

    /// Why it asks no more, if it does not.
    pub fn failure(&self) -> Option<ProbeError> {
        lock(&self.log).failure.take()
    }
}

impl Drop for Series {
    fn drop(&mut self) {
        self.asker.abort();
    }
}

impl From<Sent> for Attempt {
    fn from(sent: Sent) -> Self {
        let over = match sent.answer {
            Some(Answer::Echo { after, .. }) => sent.at + after,
            _ => Instant::now(),
        };
        Self {
            mark: sent.mark,
            at: sent.at,
            over,
            answer: sent.answer.unwrap_or(Answer::Silence),
        }
    }
}

fn lock(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn ask(asker: Asker, log: Arc<Mutex<Log>>, tell: watch::Sender<usize>) {
    let mut under_way = FuturesUnordered::new();
    let mut ticks = interval(asker.pace());
    // One that comes late shall not be followed by a crowd.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let failure = tokio::select! {
            biased;
            Some((number, attempt)) = under_way.next(), if !under_way.is_empty() => {
                let attempt: Result<Attempt, ProbeError> = attempt;
                match attempt {
                    Ok(attempt) => {
                        let echo = attempt.answer.is_echo();
                        let number: usize = number;
                        lock(&log).sent[number].answer = Some(attempt.answer);
                        tell.send_modify(|count| *count += usize::from(echo));
                        continue;
                    }
                    Err(error) => error,
                }
            }
            _ = ticks.tick() => match asker.next() {
                Ok(question) => {
                    let mut log = lock(&log);
                    let number = log.sent.len();
                    let (mark, at) = (question.mark(), Instant::now());
                    log.sent.push(Sent { mark, at, answer: None });
                    under_way.push(async move { (number, question.ask(PATIENCE).await) });
                    continue;
                }
                Err(error) => error,
            },
        };
        lock(&log).failure = Some(failure);
        return;
    }
}
