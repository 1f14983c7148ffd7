//! The resolver of a host from its start to its end.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use fps_log::chain;
use fps_netlink::LinkName;
use sd_notify::NotifyState;
use tokio::task::LocalSet;
use tokio::time::sleep_until;

use super::changes::Changes;
use super::control::{Call, Control, Reply, Request, Status};
use super::link::{Links, Setting};
use super::networks::{self, Moves, Networks};
use super::pace::Pace;
use super::shared::is_of_another_network;
use super::state::State;
use super::takeover::{self, Seen, Takeover, UNFINISHED};
use crate::forward::{Config, RunError, Server, Service, say_ready};
use crate::signals::{Asked, Signals};

/// How the resolver of a host is to run.
#[derive(Clone, Debug)]
pub struct Serve {
    /// Where it answers. Who asks by the file asks at port 53.
    pub listen: SocketAddr,
    /// The file that it takes over.
    pub resolv_conf: PathBuf,
    /// Where it keeps what another run has to find.
    pub state: PathBuf,
    /// Whether it ends when no link has settings any more.
    pub ends_with_links: bool,
}

/// What ends it before a signal does.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The forwarder.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The folder.
    #[error("cannot use the folder {}: may it be written?", .0.display())]
    State(PathBuf, #[source] io::Error),
    /// Another is at work.
    #[error("another fps-dns serves this network namespace: `fps-dns status` asks it")]
    Runs,
    /// The file.
    #[error("cannot take over {}: may it be written?", .0.display())]
    ResolvConf(PathBuf, #[source] io::Error),
    /// The file is not this network's alone.
    #[error(
        "{} is also that of another network namespace, which could not ask here: give this one a file of \
         its own, such as /etc/netns/NAME/resolv.conf of ip-netns(8), or name one with --resolv-conf",
        .0.display()
    )]
    Shared(PathBuf),
    /// The kernel.
    #[error("cannot tell on which networks this host is")]
    Networks(#[source] fps_netlink::Error),
}

/// Serves until a signal ends it, or the last link's settings have gone; then gives the file back.
///
/// # Errors
///
/// What cannot be had.
pub fn serve(how: &Serve) -> Result<(), HostError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(RunError::Runtime)?;
    let tasks = LocalSet::new();
    let result = tasks.block_on(&runtime, run(how));
    tracing::info!(event = "stopped");
    result
}

async fn run(how: &Serve) -> Result<(), HostError> {
    let state_failed = |error| HostError::State(how.state.clone(), error);
    let state = State::open(&how.state).map_err(state_failed)?;
    let _lock = state.lock().map_err(state_failed)?.ok_or(HostError::Runs)?;
    let mut signals = Signals::catch().map_err(RunError::Runtime)?;
    let mut control = Control::listen(&state.control()).map_err(state_failed)?;
    let mut host = Host::begin(how, state).await?;
    // From here on the file may be ours, and whatever happens it is given back.
    let outcome = host.run(&mut signals, &mut control).await;
    let given_back = host.give_back().await;
    if let Some(call) = outcome? {
        call.reply(match &given_back {
            Ok(()) => Reply::Ended,
            Err(error) => Reply::Error(chain(error)),
        })
        .await;
    }
    given_back
}

/// All that belongs together.
struct Host<'a> {
    how: &'a Serve,
    state: State,
    service: Service,
    links: Links,
    takeover: Takeover,
    changes: Changes,
    moves: Moves,
    networks: Networks,
    pace: Pace,
    /// When to look at the file.
    look: Option<Instant>,
}

impl<'a> Host<'a> {
    async fn begin(how: &'a Serve, state: State) -> Result<Self, HostError> {
        let moves = Moves::follow().map_err(HostError::Networks)?;
        let links = state.links();
        let networks = current(&links.names(), &Networks::default()).await;
        if is_of_another_network(&how.resolv_conf) {
            return Err(HostError::Shared(how.resolv_conf.clone()));
        }
        let file = how.resolv_conf.clone();
        let failed = |error| HostError::ResolvConf(how.resolv_conf.clone(), error);
        // Before the listeners: of a program that is killed the kernel closes files from the last to the
        // first (task_work_run in kernel/task_work.c), and to close this one takes some 15 ms, for which
        // questions would come to listeners that nobody reads.
        let mut changes = Changes::open().map_err(failed)?;
        // Before the file names it, it has to answer.
        let service = Service::start(&Config {
            listen: vec![how.listen],
            default: Vec::new(),
            routes: links.routes(),
            ..Config::default()
        })?;
        let server = how.listen.ip();
        let takeover = Takeover::begin(file, state.clone(), server, &networks).map_err(failed)?;
        changes.watch(takeover.watched()).map_err(failed)?;
        let mut host = Self {
            how,
            state,
            service,
            links,
            takeover,
            changes,
            moves,
            networks,
            pace: Pace::default(),
            look: None,
        };
        host.configure();
        // Somebody may write it before it is watched.
        host.look = Some(Instant::now());
        Ok(host)
    }

    /// Takes the file over, says so, and serves.
    async fn run(
        &mut self,
        signals: &mut Signals,
        control: &mut Control,
    ) -> Result<Option<Call>, HostError> {
        self.write()?;
        if let Err(error) = say_ready(self.service.addresses()) {
            // Whoever has started it has gone, and what it was started for stands.
            tracing::warn!(event = "ready_unheard", error = %error);
        }
        // Where systemd does not listen there is nobody to tell.
        let _ = sd_notify::notify(&[NotifyState::Ready]);
        self.until_the_end(signals, control).await
    }

    /// The forwarder asks whom it should, and forgets what others have said.
    fn configure(&self) {
        self.service.configure(&Config {
            listen: vec![self.how.listen],
            default: self.takeover.servers(),
            routes: self.links.routes(),
            ..Config::default()
        });
    }

    fn write(&mut self) -> Result<(), HostError> {
        let written = self.takeover.write(&self.links.searched());
        written.map_err(|error| self.file_failed(error))
    }

    fn file_failed(&self, error: io::Error) -> HostError {
        HostError::ResolvConf(self.how.resolv_conf.clone(), error)
    }

    /// Until a signal; or a call that takes the last link's settings away, which is to be answered then.
    async fn until_the_end(
        &mut self,
        signals: &mut Signals,
        control: &mut Control,
    ) -> Result<Option<Call>, HostError> {
        loop {
            tokio::select! {
                asked = signals.next() => match asked {
                    Asked::Stop(signal) => {
                        tracing::info!(event = "signal_stop", signal);
                        return Ok(None);
                    }
                    Asked::Reload => self.look().await?,
                },
                Some(call) = control.next() => {
                    if let Some(last) = self.take(call).await {
                        return Ok(Some(last));
                    }
                }
                changed = self.changes.next() => {
                    changed.map_err(|error| self.file_failed(error))?;
                    self.expect_a_look();
                }
                moved = self.moves.next() => {
                    moved.map_err(HostError::Networks)?;
                    self.moved().await?;
                }
                () = due(self.look) => self.look().await?,
                error = self.service.failed() => return Err(error.into()),
            }
        }
    }

    fn expect_a_look(&mut self) {
        if self.look.is_none() || self.takeover.is_unfinished() {
            self.look = Some(self.pace.next(Instant::now()));
            if self.pace.is_slow() {
                tracing::warn!(
                    event = "resolv_conf_contended",
                    file = %self.how.resolv_conf.display(),
                    instead = "end the other program that keeps it, or this one"
                );
            }
        }
    }

    /// Looks at the file, learns what others have written, and writes ours again.
    async fn look(&mut self) -> Result<(), HostError> {
        self.look = None;
        let networks = self.networks().await;
        let seen = self.takeover.look(&networks);
        match seen.map_err(|error| self.file_failed(error))? {
            Seen::Theirs => {
                let watched = self.changes.watch(self.takeover.watched());
                watched.map_err(|error| self.file_failed(error))?;
                self.networks = networks;
                self.configure();
            }
            Seen::Unfinished => {
                self.look = Some(Instant::now() + UNFINISHED);
                return Ok(());
            }
            Seen::Ours => self.move_to(networks)?,
        }
        self.write()
    }

    /// Goes by what is known of the networks where the host is now.
    async fn moved(&mut self) -> Result<(), HostError> {
        let networks = self.networks().await;
        self.move_to(networks)
    }

    fn move_to(&mut self, networks: Networks) -> Result<(), HostError> {
        if networks == self.networks || networks.is_empty() {
            return Ok(());
        }
        tracing::info!(event = "networks", now = %networks);
        self.networks = networks;
        let moved = self.takeover.move_to(&self.networks);
        moved.map_err(|error| self.file_failed(error))?;
        self.configure();
        self.write()
    }

    /// The networks where the host is.
    async fn networks(&self) -> Networks {
        current(&self.links.names(), &self.networks).await
    }

    /// Does what it is told. A call with which it ends is given back.
    async fn take(&mut self, call: Call) -> Option<Call> {
        let reply = match call.request.clone() {
            Request::FlushCaches => {
                self.service.flush();
                Reply::Done
            }
            Request::Status => Reply::Status(Status {
                pid: std::process::id(),
                listen: self.service.addresses().to_vec(),
                default: self.takeover.servers(),
                links: self.links.clone(),
            }),
            Request::Set { link, setting } => match self.set(link, setting) {
                Ok(()) if self.links.is_empty() && self.how.ends_with_links => return Some(call),
                Ok(()) => Reply::Done,
                Err(error) => Reply::Error(error),
            },
        };
        call.reply(reply).await;
        None
    }

    fn set(&mut self, link: LinkName, setting: Setting) -> Result<(), String> {
        let mut links = self.links.clone();
        links.set(link, setting);
        let addresses = self.service.addresses();
        let is_itself = |server: &Server| addresses.iter().any(|at| server.is_at(*at));
        if let Some(server) = links.servers().find(is_itself) {
            return Err(format!(
                "the server {server} is this forwarder: name another"
            ));
        }
        let saved = self.state.save_links(&links);
        saved.map_err(|error| format!("cannot keep the settings of {link}: {error}"))?;
        self.links = links;
        self.configure();
        self.write().map_err(|error| chain(&error))
    }

    async fn give_back(&self) -> Result<(), HostError> {
        let networks = self.networks().await;
        let given_back = self.takeover.give_back(&networks);
        given_back.map_err(|error| self.file_failed(error))
    }
}

/// Gives the file back where a run that was killed has left its own; nothing where none has.
pub(super) async fn give_back_leftover(
    file: &Path,
    state: &State,
    links: &Links,
) -> Result<(), HostError> {
    if is_of_another_network(file) {
        return Err(HostError::Shared(file.to_owned()));
    }
    let networks = current(&links.names(), &Networks::default()).await;
    takeover::give_back(file, state, &state.backup(), &networks)
        .map_err(|error| HostError::ResolvConf(file.to_owned(), error))
}

/// Asks the kernel for the networks; where it has no answer, they are as before.
async fn current(tunnels: &[LinkName], before: &Networks) -> Networks {
    networks::current(tunnels).await.unwrap_or_else(|error| {
        tracing::warn!(event = "networks_unknown", error = chain(&error));
        before.clone()
    })
}

async fn due(look: Option<Instant>) {
    match look {
        Some(at) => sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
