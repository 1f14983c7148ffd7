//! Who tells the resolver of a host what to do, and starts it where it does not run.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use fps_netlink::LinkName;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Serialize;

use super::control::{Reply, Request, Status};
use super::link::Setting;
use super::program::{HostError, give_back_leftover};
use super::state::State;

/// How long it may take to start or to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often to ask again where there is no event.
const AGAIN: Duration = Duration::from_millis(5);
/// How much its log may have before it begins anew.
const LONGEST_LOG: u64 = 1 << 20;

/// Asks the one of this network namespace.
#[derive(Clone, Debug)]
pub struct Caller {
    state: State,
    folder: PathBuf,
    resolv_conf: PathBuf,
    listen: SocketAddr,
}

/// Why something is not done.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The folder.
    #[error("cannot use the folder {}: may it be written?", .0.display())]
    State(PathBuf, #[source] io::Error),
    /// The socket.
    #[error("cannot ask the fps-dns that serves this host: does it hang?")]
    Socket(#[source] io::Error),
    /// It refuses.
    #[error("{0}")]
    Refused(String),
    /// It does not start.
    #[error("cannot start fps-dns for this host: {0}")]
    Start(String),
    /// The kernel gives no epoll.
    #[error("cannot start the runtime: raise the limit on open files")]
    Runtime(#[source] io::Error),
    /// What an earlier run has left.
    #[error(transparent)]
    Leftover(#[from] HostError),
}

impl Caller {
    /// With its folder; and, for one that has to be started, the file that it takes over and where it
    /// answers.
    ///
    /// # Errors
    ///
    /// A folder that cannot be made.
    pub fn new(folder: &Path, resolv_conf: &Path, listen: SocketAddr) -> Result<Self, CallError> {
        let state = State::open(folder);
        Ok(Self {
            state: state.map_err(|error| CallError::State(folder.to_owned(), error))?,
            folder: folder.to_owned(),
            resolv_conf: resolv_conf.to_owned(),
            listen,
        })
    }

    /// Changes a setting of a link. The first one starts it, the last one that goes ends it.
    ///
    /// # Errors
    ///
    /// What stands in the way.
    pub fn set(&self, link: LinkName, setting: Setting) -> Result<(), CallError> {
        let reverts = setting == Setting::Revert;
        let request = Request::Set { link, setting };
        let Some(reply) = self.ask(&request)? else {
            if reverts {
                return self.revert_dead(link);
            }
            self.start()?;
            let reply = self.ask(&request)?;
            let gone = || CallError::Start("it has ended again".to_owned());
            return done(reply.ok_or_else(gone)?);
        };
        done(reply)
    }

    /// Has it forget all answers; where none runs there are none.
    ///
    /// # Errors
    ///
    /// What stands in the way.
    pub fn flush(&self) -> Result<(), CallError> {
        self.ask(&Request::FlushCaches)?.map_or(Ok(()), done)
    }

    /// How it stands, as JSON; `null` where none runs.
    ///
    /// # Errors
    ///
    /// What stands in the way.
    pub fn status(&self) -> Result<String, CallError> {
        json(&self.stands()?)
    }

    /// The settings of a link that are in force, as JSON: none where none runs.
    ///
    /// # Errors
    ///
    /// What stands in the way.
    pub fn settings(&self, link: LinkName) -> Result<String, CallError> {
        let stands = self.stands()?;
        json(&stands.map(|it| it.links.of(link)).unwrap_or_default())
    }

    fn stands(&self) -> Result<Option<Status>, CallError> {
        match self.ask(&Request::Status)? {
            None => Ok(None),
            Some(Reply::Status(status)) => Ok(Some(status)),
            Some(other) => Err(unexpected(&other)),
        }
    }

    /// None where nobody listens.
    fn ask(&self, request: &Request) -> Result<Option<Reply>, CallError> {
        match self.exchange(request) {
            Err(error) if is_nobody(&error) => Ok(None),
            reply => reply.map(Some).map_err(CallError::Socket),
        }
    }

    fn exchange(&self, request: &Request) -> io::Result<Reply> {
        let mut stream = UnixStream::connect(self.state.control())?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut text = serde_json::to_vec(request)?;
        text.push(b'\n');
        stream.write_all(&text)?;
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(ErrorKind::ConnectionReset.into());
        }
        let reply: Reply = serde_json::from_str(&line)?;
        if reply == Reply::Ended {
            // When the connection ends, so has the program.
            stream.read_line(&mut line)?;
        }
        Ok(reply)
    }

    /// Starts one that ends with the last link, and waits until it answers.
    fn start(&self) -> Result<(), CallError> {
        let log = self.log().map_err(CallError::Socket)?;
        let begin = log.metadata().map_err(CallError::Socket)?.len();
        let child = Command::new("/proc/self/exe")
            .arg0("fps-dns")
            .args(["serve", "--background", "--listen"])
            .arg(self.listen.to_string())
            .arg("--state-dir")
            .arg(&self.folder)
            .arg("--resolv-conf")
            .arg(&self.resolv_conf)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn();
        let mut child = child.map_err(CallError::Socket)?;
        if said_ready(&mut child) {
            return Ok(());
        }
        // Whoever has come before it is as good: then it has ended by itself.
        if self.stands()?.is_some() {
            return Ok(());
        }
        end(&mut child);
        Err(CallError::Start(self.said_since(begin)))
    }

    fn log(&self) -> io::Result<File> {
        let path = self.state.log();
        let log = File::options().create(true).append(true).open(path)?;
        if log.metadata()?.len() > LONGEST_LOG {
            log.set_len(0)?;
        }
        Ok(log)
    }

    /// The last line that it has logged, or where the log is.
    fn said_since(&self, begin: u64) -> String {
        let path = self.state.log();
        let read = || -> io::Result<String> {
            let mut text = String::new();
            let mut log = File::open(&path)?;
            log.seek(SeekFrom::Start(begin))?;
            log.read_to_string(&mut text)?;
            Ok(text)
        };
        let said = read().unwrap_or_default();
        let last = said
            .lines()
            .rfind(|line| line.contains("error"))
            .map(str::to_owned);
        last.unwrap_or_else(|| {
            format!(
                "it says nothing within {PATIENCE:?}; see {}",
                path.display()
            )
        })
    }

    /// Of one that was killed: its settings go, and with the last link's what it has left in the file.
    fn revert_dead(&self, link: LinkName) -> Result<(), CallError> {
        let failed = |error| CallError::State(self.folder.clone(), error);
        let deadline = Instant::now() + PATIENCE;
        let lock = loop {
            if let Some(lock) = self.state.lock().map_err(failed)? {
                break lock;
            }
            // One that has just started, or is about to end.
            let setting = Setting::Revert;
            if let Some(reply) = self.ask(&Request::Set { link, setting })? {
                return done(reply);
            }
            if Instant::now() > deadline {
                let why = "another has its lock, and does not answer";
                return Err(CallError::Start(why.to_owned()));
            }
            thread::park_timeout(AGAIN);
        };
        let mut links = self.state.links();
        links.set(link, Setting::Revert);
        if !links.is_empty() {
            self.state.save_links(&links).map_err(failed)?;
            drop(lock);
            return self.start();
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(CallError::Runtime)?;
        runtime.block_on(give_back_leftover(&self.resolv_conf, &self.state, &links))?;
        self.state.save_links(&links).map_err(failed)
    }
}

/// Ends one that is late: so that it gives the file back, if it has taken it over, and at last in any
/// case. It may have ended by itself.
fn end(child: &mut Child) {
    if let Ok(pid) = i32::try_from(child.id()) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
    }
    let deadline = Instant::now() + PATIENCE;
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
        thread::park_timeout(AGAIN);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Whether it has said that it answers, in time.
fn said_ready(child: &mut Child) -> bool {
    let Some(out) = child.stdout.take() else {
        return false;
    };
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        // What cannot be read is as if it had not been said.
        let _ = BufReader::new(out).read_line(&mut line);
        let _ = tell.send(line);
    });
    told.recv_timeout(PATIENCE)
        .is_ok_and(|line| line.starts_with("READY"))
}

fn done(reply: Reply) -> Result<(), CallError> {
    match reply {
        Reply::Done | Reply::Ended => Ok(()),
        Reply::Error(error) => Err(CallError::Refused(error)),
        other @ Reply::Status(_) => Err(unexpected(&other)),
    }
}

fn json(value: &impl Serialize) -> Result<String, CallError> {
    let text = serde_json::to_string_pretty(value).map_err(io::Error::other);
    text.map(|text| text + "\n").map_err(CallError::Socket)
}

fn unexpected(reply: &Reply) -> CallError {
    CallError::Refused(format!("it answers what was not asked: {reply:?}"))
}

/// Whether an error says that none runs, or ends just now.
fn is_nobody(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound
            | ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::BrokenPipe
    )
}
