//! Asking servers.

mod tcp;
mod udp;

use std::io;
use std::rc::Rc;
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::serialize::binary::DecodeError;
use tokio::time::timeout;

use super::chain::{self, End};
use super::question::Question;
use super::routes::Group;
use super::server::Server;
use super::sources::Sources;

/// How often a server that says nothing is asked: a datagram may be lost.
const ROUNDS: usize = 2;
/// How many times as long as a server a whole group may take, with all CNAMEs.
const PATIENCE: u32 = 4;

/// What asks.
#[derive(Clone, Debug)]
pub(super) struct Upstream {
    pub(super) sources: Rc<Sources>,
    /// How long one server has.
    pub(super) timeout: Duration,
}

/// An answer, with all its CNAMEs followed.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) message: Message,
    /// The name or the type is missing.
    pub(super) is_negative: bool,
    /// Who gave it.
    pub(super) server: Server,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoReply {
    #[error("no server has answered in time")]
    Silence,
    #[error("cannot reach the server")]
    Unreachable(#[from] io::Error),
    #[error("the server's answer cannot be read")]
    Malformed(#[from] DecodeError),
    #[error("the CNAMEs do not end")]
    Chain,
}

/// What came from one server.
enum Received {
    Whole(Vec<u8>),
    Truncated,
}

impl Upstream {
    /// Asks a group, and the same group for where its CNAMEs lead: another would not know the names
    /// of this one, or know others.
    pub(super) async fn resolve(
        &self,
        group: &Group,
        question: &Question,
    ) -> Result<Reply, NoReply> {
        let whole = self.timeout * PATIENCE;
        timeout(whole, self.follow(group, question))
            .await
            .unwrap_or(Err(NoReply::Silence))
    }

    async fn follow(&self, group: &Group, question: &Question) -> Result<Reply, NoReply> {
        let (mut message, mut server) = self.ask_each(group, question).await?;
        let mut last = None;
        for _ in 0..=chain::MOST_QUESTIONS {
            let name = match chain::end(question, &message) {
                End::Open(name) if last.as_ref() != Some(&name) => name,
                end => {
                    return Ok(Reply {
                        message,
                        is_negative: end != End::Records,
                        server,
                    });
                }
            };
            let (part, from) = self.ask_each(group, &question.about(name.clone())).await?;
            chain::append(&mut message, part);
            (last, server) = (Some(name), from);
        }
        Err(NoReply::Chain)
    }

    /// Asks one server after the other until one knows. Where all fail at once, so does this.
    async fn ask_each(
        &self,
        group: &Group,
        question: &Question,
    ) -> Result<(Message, Server), NoReply> {
        let mut servers: Vec<_> = group.servers().collect();
        let mut refusal = None;
        let mut failure = NoReply::Silence;
        for _ in 0..ROUNDS {
            let mut silent = Vec::new();
            for server in servers {
                match self.ask(server, question).await {
                    Ok(message) if is_final(&message) => {
                        group.prefer(server);
                        return Ok((message, server));
                    }
                    Ok(message) => refusal = refusal.or(Some((message, server))),
                    Err(error) => {
                        group.pass_over(server);
                        match error {
                            NoReply::Silence => silent.push(server),
                            error => failure = error,
                        }
                    }
                }
            }
            servers = silent;
            if servers.is_empty() || refusal.is_some() {
                break;
            }
        }
        refusal.ok_or(failure)
    }

    /// Asks one server; without EDNS where it does not know that (RFC 6891, 6.2.2).
    async fn ask(&self, server: Server, question: &Question) -> Result<Message, NoReply> {
        let message = self.ask_once(server, question).await?;
        let rcode = message.metadata.response_code;
        let is_puzzled = matches!(rcode, ResponseCode::FormErr | ResponseCode::NotImp);
        match is_puzzled && question.wishes.edns {
            true => self.ask_once(server, &question.without_edns()).await,
            false => Ok(message),
        }
    }

    async fn ask_once(&self, server: Server, question: &Question) -> Result<Message, NoReply> {
        let by_udp = timeout(self.timeout, udp::ask(server, question, &self.sources));
        let bytes = match by_udp.await.map_err(|_| NoReply::Silence)?? {
            Received::Whole(bytes) => bytes,
            Received::Truncated => {
                let by_tcp = timeout(self.timeout, tcp::ask(server, question, &self.sources));
                by_tcp.await.map_err(|_| NoReply::Silence)??
            }
        };
        Ok(Message::from_vec(&bytes)?)
    }
}

/// Whether no other server would know better.
fn is_final(message: &Message) -> bool {
    matches!(
        message.metadata.response_code,
        ResponseCode::NoError | ResponseCode::NXDomain
    )
}
