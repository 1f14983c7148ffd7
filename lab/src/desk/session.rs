//! One connection to a held lab: questions, and at most one program.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;

use nix::libc::{SIGCONT, SIGHUP};

use super::DeskError;
use super::board::{Board, choice, refused};
use super::line::Line;
use super::protocol::{Order, Phase, Reply, Request, Tap};
use super::server::Orders;
use crate::sandbox::{Exit, PATH, PROGRAMS, Running, SandboxError, Signal, SocketKind, Start};

/// Variables that name folders and sockets of the machine's /run, which a host does not have.
const ELSEWHERE: [&str; 2] = ["XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"];

type Answer = (Reply, Vec<OwnedFd>);

pub(super) struct Session {
    line: Line,
    board: Arc<Board>,
    orders: Orders,
    running: Option<Running>,
}

impl Session {
    pub(super) fn new(line: Line, board: Arc<Board>, orders: Orders) -> Self {
        Self {
            line,
            board,
            orders,
            running: None,
        }
    }

    /// Serves it until the other end closes it.
    pub(super) async fn serve(mut self) {
        // An error is the end of the connection, which is nobody else's affair.
        drop(self.talk().await);
        self.hang_up();
    }

    async fn talk(&mut self) -> io::Result<()> {
        loop {
            tokio::select! {
                biased;
                received = self.line.receive() => {
                    let (request, with) = received?;
                    let answer = self.answer(request, with).await;
                    let (reply, with) = answer.unwrap_or_else(|error| (refusal(&error), Vec::new()));
                    self.line.send(&reply, &with.iter().collect::<Vec<_>>())?;
                }
                ended = end_of(self.running.as_ref().map(Running::wait)) => {
                    self.running = None;
                    self.line.send(&ended?, &[])?;
                }
            }
        }
    }

    async fn answer(&mut self, request: Request, with: Vec<OwnedFd>) -> Result<Answer, DeskError> {
        let plain = |reply| Ok((reply, Vec::new()));
        match request {
            Request::Look => plain(Reply::Look(Box::new(self.board.look().await?))),
            Request::Start(order) => {
                self.start(order, with)?;
                plain(Reply::Started)
            }
            Request::Signal(number) => {
                self.signal(number)?;
                plain(Reply::Done)
            }
            Request::Tap { host, link } => self.tap(&host, &link).await,
            Request::Resume if self.board.phase() == Phase::Paused => {
                self.orders.resume();
                plain(Reply::Done)
            }
            Request::Resume => Err(refused(format!(
                "the lab {} has not stopped at a failure, so it cannot go on",
                self.board.name()
            ))),
            Request::Down => {
                self.orders.end();
                let process = self.orders.process_ends;
                plain(Reply::Ending { process })
            }
        }
    }

    fn start(&mut self, order: Order, with: Vec<OwnedFd>) -> Result<(), DeskError> {
        let malformed = || refused("a malformed request".to_owned());
        let stdio: [OwnedFd; 3] = with.try_into().map_err(|_: Vec<_>| malformed())?;
        if self.running.is_some() {
            return Err(malformed());
        }
        let host = self.board.host(&order.host)?;
        let start = Start {
            environment: self.environment(&order),
            command: order.command,
            folder: order.folder,
            terminal: order.terminal,
        };
        let sandbox = self.board.sandbox()?;
        let [stdin, stdout, stderr] = &stdio;
        let running = sandbox.start_program(host.id, start, [stdin, stdout, stderr]);
        self.running = Some(running.map_err(|error| DeskError::Refused {
            errno: error.errno(),
            message: format!("{}: {}", order.host, crate::chain(&error)),
        })?);
        Ok(())
    }

    /// The caller's environment, with the lab's programs first in the PATH.
    fn environment(&self, order: &Order) -> Vec<(OsString, OsString)> {
        let given = order.environment.iter();
        let path = given.clone().find(|(name, _)| name == "PATH");
        let path = path.map_or_else(|| PATH.into(), |(_, path)| path.clone());
        let mut first = OsString::from(format!("{PROGRAMS}:"));
        first.push(path);
        let ours = [
            ("PATH".into(), first),
            ("FPS_LAB".into(), self.board.name().as_str().into()),
            ("FPS_LAB_HOST".into(), order.host.clone().into()),
        ];
        given
            .filter(|(name, _)| name != "PATH" && !ELSEWHERE.iter().any(|it| name == it))
            .cloned()
            .chain(ours)
            .collect()
    }

    fn signal(&self, number: i32) -> Result<(), DeskError> {
        let Some(running) = &self.running else {
            return Ok(());
        };
        let sandbox = self.board.sandbox()?;
        let sent = sandbox.signal(running, Signal::Number(number));
        sent.map_err(|error| refused(crate::chain(&error)))
    }

    async fn tap(&self, host: &str, link: &str) -> Result<Answer, DeskError> {
        let card = self.board.host(host)?;
        let failed = |error: fps_netlink::Error| refused(crate::chain(&error));
        let links = card.station.netlink().links().await.map_err(failed)?;
        let Some(found) = links.iter().find(|it| it.name.as_str() == link) else {
            let names: Vec<&str> = links.iter().map(|it| it.name.as_str()).collect();
            let choice = choice(link, &names);
            return Err(refused(format!("{host} has no link `{link}`{choice}")));
        };
        // Not one of `SocketKind::Packet`, of which the helper keeps a copy for as long as it lives.
        let socket = self.board.sandbox()?.socket(card.id, SocketKind::Frames);
        let socket = socket.map_err(|error| refused(crate::chain(&error)))?;
        let index = found.index.get();
        Ok((Reply::Tap(Tap { index }), vec![socket]))
    }

    /// Tells a program that nobody is there any more, as a lost terminal would.
    fn hang_up(&self) {
        for signal in [SIGHUP, SIGCONT] {
            // Where the lab is gone the program is, too.
            drop(self.signal(signal));
        }
    }
}

/// How a program has ended; never, where there is none.
async fn end_of(
    running: Option<impl Future<Output = Result<Exit, SandboxError>>>,
) -> io::Result<Reply> {
    match running {
        None => std::future::pending().await,
        Some(running) => match running.await {
            Ok(exit) => Ok(Reply::Ended(exit.0.into_raw())),
            Err(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        },
    }
}

fn refusal(error: &DeskError) -> Reply {
    Reply::Refused {
        message: crate::chain(error),
        errno: match error {
            DeskError::Refused { errno, .. } => *errno,
            _ => None,
        },
    }
}
