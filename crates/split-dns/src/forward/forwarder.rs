//! What becomes of a question.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use fps_log::{Throttle, chain};
use hickory_proto::op::ResponseCode;
use tokio::sync::Notify;

use super::answer::{Answer, UnusableAnswer};
use super::cache::{Cache, Key};
use super::client::{Client, Waiter};
use super::config::{Config, Limits};
use super::lifetime::lifetime;
use super::outstanding::{Joined, Outstanding};
use super::request::{Request, Unusable};
use super::routes::{Group, GroupId, Routes};
use super::server::Server;
use super::sources::Sources;
use super::upstream::{NoReply, Upstream};

/// All that questions share.
#[derive(Debug)]
pub(super) struct Forwarder {
    routes: RefCell<Routes>,
    upstream: RefCell<Upstream>,
    cache: RefCell<Cache>,
    outstanding: RefCell<Outstanding<Waiter>>,
    sources: Rc<Sources>,
    /// How often there was another configuration, and who waits for the next one.
    generation: Cell<u64>,
    configured: Notify,
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
            generation: Cell::default(),
            configured: Notify::new(),
            loops: Throttle::default(),
            overloads: Throttle::default(),
            failures: Throttle::default(),
        })
    }

    /// Takes another configuration, and forgets the answers of the old one. Questions that are
    /// outstanding are asked anew: the servers of before may be those of a network that is gone.
    pub(super) fn configure(&self, config: &Config) {
        let limits = config.limits;
        let last = self.routes.borrow().last();
        self.routes.replace(Routes::new(config, last));
        self.upstream.replace(upstream(&self.sources, limits));
        self.cache
            .replace(Cache::new(limits.cache_entries, limits.cache_bytes));
        self.outstanding.borrow_mut().set_most(limits.outstanding);
        self.generation.set(self.generation.get() + 1);
        self.configured.notify_waiters();
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
        if self.sources.has(waiter.client.way()) {
            if let Some((count, _)) = self.loops.hit(now) {
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
                let generation = self.generation.get();
                tokio::task::spawn_local(Rc::clone(self).forward(group, key, generation));
            }
            Joined::Later | Joined::Again => {}
            Joined::Full(waiter) => {
                if let Some((count, _)) = self.overloads.hit(now) {
                    tracing::warn!(event = "overload", count);
                }
                waiter.fail(ResponseCode::ServFail);
            }
        }
    }

    async fn forward(self: Rc<Self>, group: Rc<Group>, key: Key, generation: u64) {
        let begin = Instant::now();
        let upstream = self.upstream.borrow().clone();
        let mut outcome = None;
        // There may have been another configuration before this task had its turn.
        if self.generation.get() == generation {
            tokio::select! {
                answered = self.ask(&upstream, &group, &key) => outcome = Some(answered),
                () = self.configured.notified() => {}
            }
        }
        let waiters = self.outstanding.borrow_mut().finish(&key);
        let Some(outcome) = outcome else {
            let now = Instant::now();
            return waiters
                .into_iter()
                .for_each(|waiter| self.answer(waiter, now));
        };
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
                if let Some((count, _)) = self.failures.hit(Instant::now()) {
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
    ) -> Result<(Rc<Answer>, Server), Failure> {
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
    server: Option<Server>,
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

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};
    use std::time::Duration;

    use hickory_proto::op::Message;
    use hickory_proto::rr::RecordType;
    use tokio::net::UdpSocket;
    use tokio::sync::mpsc;
    use tokio::task::LocalSet;
    use tokio::time::timeout;

    use super::super::listener::Listener;
    use super::super::question::tests::question;
    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        LocalSet::new().block_on(&runtime, test);
    }

    fn listener() -> Listener {
        Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap()
    }

    /// Serves there with one server, as no configuration would allow.
    fn serve(listener: Listener, server: SocketAddr, timeout_ms: u64) -> Rc<Forwarder> {
        let config = Config {
            default: vec![server.to_string().parse().unwrap()],
            limits: Limits {
                timeout_ms,
                ..Limits::default()
            },
            ..Config::default()
        };
        let forwarder = Forwarder::new(&config);
        let serving = listener.serve(Rc::clone(&forwarder), config.limits);
        tokio::task::spawn_local(serving);
        forwarder
    }

    async fn rcode_from(address: SocketAddr) -> ResponseCode {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let asked = question("one.test.", RecordType::A).to_message();
        socket.send_to(&asked, address).await.unwrap();
        let mut bytes = [0; 512];
        let received = timeout(DEADLINE, socket.recv(&mut bytes)).await;
        let length = received.expect("no answer came").unwrap();
        let message = Message::from_vec(&bytes[..length]).unwrap();
        message.metadata.response_code
    }

    #[test]
    fn a_question_that_comes_back_fails_at_once() {
        run(async {
            let listener = listener();
            let address = listener.address();
            let forwarder = serve(listener, address, 60_000);
            assert_eq!(rcode_from(address).await, ResponseCode::ServFail);
            assert_eq!(forwarder.loops.count(), 1);
        });
    }

    #[test]
    fn a_question_that_waits_is_asked_of_the_servers_of_another_configuration() {
        run(async {
            let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            let (silent_at, alive) = (silent.local_addr().unwrap(), listener());
            // One that answers SERVFAIL at once, since it asks itself.
            let address = alive.address();
            serve(alive, address, 60_000);
            for waits in [false, true] {
                let forwarder = serve(listener(), silent_at, 60_000);
                let (replies, mut replied) = mpsc::unbounded_channel();
                let (peer, local) = (address, address);
                let client = Client::Tcp {
                    replies,
                    peer,
                    local,
                };
                forwarder.take(&question("one.test.", RecordType::A).to_message(), client);
                if waits {
                    // Now it is asked; before that it had only been about to be.
                    tokio::task::yield_now().await;
                }
                forwarder.configure(&Config {
                    default: vec![address.to_string().parse().unwrap()],
                    limits: Limits {
                        timeout_ms: 60_000,
                        ..Limits::default()
                    },
                    ..Config::default()
                });
                let reply = timeout(DEADLINE, replied.recv()).await;
                assert!(reply.expect("no answer came").is_some());
            }
        });
    }

    #[test]
    fn a_question_that_comes_back_by_another_forwarder_waits_for_itself_and_fails() {
        run(async {
            let (one, other) = (listener(), listener());
            let (address, far) = (one.address(), other.address());
            let near = serve(one, far, 100);
            serve(other, address, 100);
            assert_eq!(rcode_from(address).await, ResponseCode::ServFail);
            assert_eq!(near.loops.count(), 0);
        });
    }
}
