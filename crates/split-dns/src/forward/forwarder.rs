//! What becomes of a question.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use hickory_proto::op::ResponseCode;

use super::answer::{Answer, UnusableAnswer};
use super::cache::{Cache, Key};
use super::client::{Client, Waiter};
use super::config::{Config, Limits};
use super::lifetime::lifetime;
use super::log::chain;
use super::outstanding::{Joined, Outstanding};
use super::request::{Request, Unusable};
use super::routes::{Group, GroupId, Routes};
use super::sources::Sources;
use super::throttle::Throttle;
use super::upstream::{NoReply, Upstream};

/// All that questions share.
#[derive(Debug)]
pub(super) struct Forwarder {
    routes: RefCell<Routes>,
    upstream: RefCell<Upstream>,
    cache: RefCell<Cache>,
    outstanding: RefCell<Outstanding<Waiter>>,
    sources: Rc<Sources>,
    loops: Throttle,
    overloads: Throttle,
    failures: Throttle,
}

/// Why a client is told SERVFAIL.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    NoReply(#[from] NoReply),
    #[error(transparent)]
    Answer(#[from] UnusableAnswer),
}

impl Forwarder {
    pub(super) fn new(config: &Config) -> Rc<Self> {
        let sources = Rc::new(Sources::default());
        let limits = config.limits;
        Rc::new(Self {
            routes: RefCell::new(Routes::new(config, GroupId::default())),
            upstream: RefCell::new(upstream(&sources, limits)),
            cache: RefCell::new(Cache::new(limits.cache_entries, limits.cache_bytes)),
            outstanding: RefCell::new(Outstanding::new(limits.outstanding)),
            sources,
            loops: Throttle::default(),
            overloads: Throttle::default(),
            failures: Throttle::default(),
        })
    }

    /// Takes another configuration, and forgets the answers of the old one. Questions that are
    /// outstanding are answered by the servers that have been asked.
    pub(super) fn configure(&self, config: &Config) {
        let limits = config.limits;
        let last = self.routes.borrow().last();
        self.routes.replace(Routes::new(config, last));
        self.upstream.replace(upstream(&self.sources, limits));
        self.cache
            .replace(Cache::new(limits.cache_entries, limits.cache_bytes));
        self.outstanding.borrow_mut().set_most(limits.outstanding);
    }

    /// Forgets all answers.
    pub(super) fn flush(&self) {
        self.cache.borrow_mut().flush();
    }

    /// Takes a message of a client.
    pub(super) fn take(self: &Rc<Self>, bytes: &[u8], client: Client) {
        match Request::read(bytes) {
            Ok(request) => self.answer(Waiter { client, request }, Instant::now()),
            Err(Unusable::Silence) => {}
            Err(Unusable::Reply(reply)) => {
                tracing::debug!(event = "refused", client = %client.peer());
                client.send(reply);
            }
        }
    }

    fn answer(self: &Rc<Self>, waiter: Waiter, now: Instant) {
        let question = &waiter.request.question;
        let peer = waiter.client.peer();
        if self.sources.has(peer) {
            if let Some(count) = self.loops.hit(now) {
                tracing::warn!(event = "loop", name = %question.name, source = %peer, count);
            }
            return waiter.fail(ResponseCode::ServFail);
        }
        let Some(group) = self.routes.borrow().group_of(&question.name).cloned() else {
            return waiter.fail(ResponseCode::Refused);
        };
        let key = Key {
            group: group.id,
            question: question.clone(),
        };
        if let Some((answer, age)) = self.cache.borrow_mut().get(&key, now) {
            return waiter.give(&answer, age, &Told::cached(&group));
        }
        match self.outstanding.borrow_mut().join(key.clone(), waiter) {
            Joined::First => {
                tokio::task::spawn_local(Rc::clone(self).forward(group, key));
            }
            Joined::Later | Joined::Again => {}
            Joined::Full(waiter) => {
                if let Some(count) = self.overloads.hit(now) {
                    tracing::warn!(event = "overload", count);
                }
                waiter.fail(ResponseCode::ServFail);
            }
        }
    }

    async fn forward(self: Rc<Self>, group: Rc<Group>, key: Key) {
        let begin = Instant::now();
        let upstream = self.upstream.borrow().clone();
        let outcome = self.ask(&upstream, &group, &key).await;
        let waiters = self.outstanding.borrow_mut().finish(&key);
        match outcome {
            Ok((answer, server)) => {
                let told = Told {
                    group: &group,
                    server: Some(server),
                    took_ms: begin.elapsed().as_millis(),
                };
                for waiter in waiters {
                    waiter.give(&answer, 0, &told);
                }
            }
            Err(error) => {
                if let Some(count) = self.failures.hit(Instant::now()) {
                    let (group, error) = (&*group.name, chain(&error));
                    tracing::warn!(event = "forward_failed", group, error, count);
                }
                for waiter in waiters {
                    waiter.fail(ResponseCode::ServFail);
                }
            }
        }
    }

    async fn ask(
        &self,
        upstream: &Upstream,
        group: &Group,
        key: &Key,
    ) -> Result<(Rc<Answer>, SocketAddr), Failure> {
        let mut reply = upstream.resolve(group, &key.question).await?;
        let lifetime = lifetime(&mut reply.message, reply.is_negative);
        let answer = Rc::new(Answer::new(&key.question, reply.message)?);
        if let Some(lifetime) = lifetime {
            let mut cache = self.cache.borrow_mut();
            cache.insert(key.clone(), Rc::clone(&answer), lifetime, Instant::now());
        }
        Ok((answer, reply.server))
    }
}

fn upstream(sources: &Rc<Sources>, limits: Limits) -> Upstream {
    Upstream {
        sources: Rc::clone(sources),
        timeout: limits.timeout(),
    }
}

/// What the log says of an answer.
struct Told<'a> {
    group: &'a Group,
    /// None where it was in the cache.
    server: Option<SocketAddr>,
    took_ms: u128,
}

impl<'a> Told<'a> {
    fn cached(group: &'a Group) -> Self {
        Self {
            group,
            server: None,
            took_ms: 0,
        }
    }
}

impl Waiter {
    fn give(&self, answer: &Answer, age: u32, told: &Told<'_>) {
        let room = self.client.room(&self.request);
        self.client.send(answer.write(&self.request, age, room));
        let server = told.server.map(|server| server.to_string());
        self.log(
            answer.rcode(),
            &told.group.name,
            server.as_deref(),
            told.took_ms,
        );
    }

    fn fail(&self, rcode: ResponseCode) {
        self.client.send(self.request.fail(rcode));
        self.log(rcode, "none", None, 0);
    }

    fn log(&self, rcode: ResponseCode, group: &str, server: Option<&str>, took_ms: u128) {
        let question = &self.request.question;
        tracing::debug!(
            event = "query",
            client = %self.client.peer(),
            transport = self.client.transport(),
            name = %question.name,
            r#type = %question.record_type,
            group,
            server = server.unwrap_or("none"),
            rcode = u16::from(rcode),
            cached = server.is_none() && group != "none",
            took_ms = u64::try_from(took_ms).unwrap_or(u64::MAX),
        );
    }
}
