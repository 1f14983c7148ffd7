//! Who asks for something of a held lab.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{getsockopt, setsockopt, sockopt};
use nix::sys::time::TimeVal;

use super::protocol::{Look, Order, Reply, Request, Tap};
use super::{DeskError, LabName, RuntimeFolder};
use crate::channel::Channel;
use crate::scenario::diagnostic::suggest::nearest;

/// How long a lab may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to a held lab.
#[derive(Debug)]
pub struct Client {
    name: LabName,
    channel: Channel,
}

impl Client {
    /// All labs that are up, by name.
    pub fn all(folder: &RuntimeFolder) -> Result<Vec<Self>, DeskError> {
        let labs = folder.labs()?;
        labs.into_iter()
            .map(|(name, socket)| Self::new(name, socket))
            .collect()
    }

    /// The lab of this name; where none is given, the one that there is. `option` says how one is
    /// named, for the error.
    pub fn find(
        folder: &RuntimeFolder,
        name: Option<&str>,
        option: &'static str,
    ) -> Result<Self, DeskError> {
        let mut labs = folder.labs()?;
        let up: Vec<String> = labs.iter().map(|(name, _)| name.to_string()).collect();
        let place = match name {
            _ if labs.is_empty() => return Err(DeskError::None),
            None if labs.len() == 1 => 0,
            None => return Err(DeskError::Which { up, option }),
            Some(name) => match up.iter().position(|it| it == name) {
                Some(place) => place,
                None => return Err(unknown(name, up)),
            },
        };
        let (name, socket) = labs.swap_remove(place);
        Self::new(name, socket)
    }

    fn new(name: LabName, socket: OwnedFd) -> Result<Self, DeskError> {
        let client = Self {
            name,
            channel: Channel::adopt(socket),
        };
        client.wait_at_most(PATIENCE)?;
        Ok(client)
    }

    /// How long it may take to answer from here on; 0 is without an end.
    fn wait_at_most(&self, patience: Duration) -> Result<(), DeskError> {
        let patience = TimeVal::new(patience.as_secs().cast_signed(), 0);
        setsockopt(
            self.channel.descriptor(),
            sockopt::ReceiveTimeout,
            &patience,
        )
        .map_err(|errno| DeskError::Lost(errno.into()))
    }

    /// The lab's name.
    pub fn name(&self) -> &LabName {
        &self.name
    }

    /// What there is to see of the lab.
    pub fn look(&mut self) -> Result<Look, DeskError> {
        match self.ask(&Request::Look, &[])? {
            (Reply::Look(look), _) => Ok(*look),
            _ => Err(self.confused()),
        }
    }

    /// The same, where it is said in this time.
    pub fn look_within(&mut self, patience: Duration) -> Result<Look, DeskError> {
        self.wait_at_most(patience)?;
        let look = self.look();
        self.wait_at_most(PATIENCE)?;
        look
    }

    /// Has a program started with these as its stdin, stdout and stderr; [`Self::started`] says whether it
    /// was.
    pub(super) fn start(&mut self, order: Order, stdio: [&OwnedFd; 3]) -> Result<(), DeskError> {
        let sent = self.channel.send(&Request::Start(order), &stdio);
        sent.map_err(DeskError::lost)
    }

    /// Waits until it is started.
    pub(super) fn started(&mut self) -> Result<(), DeskError> {
        match self.receive()? {
            Reply::Started => Ok(()),
            _ => Err(self.confused()),
        }
    }

    /// Sends a signal to the program; gives how that has ended, if it has meanwhile.
    pub(super) fn signal(&mut self, number: i32) -> Result<Option<i32>, DeskError> {
        let sent = self.channel.send(&Request::Signal(number), &[]);
        sent.map_err(DeskError::lost)?;
        let mut ended = None;
        loop {
            match self.receive()? {
                Reply::Done => return Ok(ended),
                Reply::Ended(status) => ended = Some(status),
                _ => return Err(self.confused()),
            }
        }
    }

    /// How the program has ended, when the connection can be read.
    pub(super) fn ended(&mut self) -> Result<i32, DeskError> {
        match self.receive()? {
            Reply::Ended(status) => Ok(status),
            _ => Err(self.confused()),
        }
    }

    /// A packet socket in a host, and the link that is to be listened to.
    pub fn tap(&mut self, host: &str, link: &str) -> Result<(Tap, OwnedFd), DeskError> {
        let (host, link) = (host.to_owned(), link.to_owned());
        match self.ask(&Request::Tap { host, link }, &[])? {
            (Reply::Tap(tap), mut sockets) if sockets.len() == 1 => Ok((tap, sockets.remove(0))),
            _ => Err(self.confused()),
        }
    }

    /// Has a play go on that has stopped at a failure.
    pub fn resume(&mut self) -> Result<(), DeskError> {
        match self.ask(&Request::Resume, &[])? {
            (Reply::Done, _) => Ok(()),
            _ => Err(self.confused()),
        }
    }

    /// Ends the lab, and waits until nothing of it is left.
    pub fn down(mut self) -> Result<(), DeskError> {
        let holder = self.holder();
        let (Reply::Ending { process }, _) = self.ask(&Request::Down, &[])? else {
            return Err(self.confused());
        };
        // Its end may take longer than an answer.
        self.wait_at_most(Duration::ZERO)?;
        match self.receive() {
            Err(DeskError::Gone) => {}
            Err(error) => return Err(error),
            Ok(_) => return Err(self.confused()),
        }
        match holder {
            Some(holder) if process => await_end(&holder),
            _ => Ok(()),
        }
    }

    /// Readable when the lab says something, or has ended.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.channel.descriptor().as_fd()
    }

    /// The process that listens at the other end (SO_PEERCRED in unix(7)), which lives as long as
    /// the connection; none where it is in a PID namespace that we do not see.
    fn holder(&self) -> Option<OwnedFd> {
        let peer = getsockopt(self.channel.descriptor(), sockopt::PeerCredentials).ok()?;
        if peer.pid() <= 0 {
            return None;
        }
        // SAFETY: both arguments are plain numbers.
        let opened = unsafe { libc::syscall(libc::SYS_pidfd_open, peer.pid(), 0) };
        let opened = i32::try_from(Errno::result(opened).ok()?).ok()?;
        // SAFETY: the kernel has just given us this descriptor.
        Some(unsafe { OwnedFd::from_raw_fd(opened) })
    }

    fn ask(
        &mut self,
        request: &Request,
        with: &[&OwnedFd],
    ) -> Result<(Reply, Vec<OwnedFd>), DeskError> {
        self.channel.send(request, with).map_err(DeskError::lost)?;
        let (reply, with) = self.channel.receive().map_err(DeskError::lost)?;
        Ok((granted(reply)?, with))
    }

    fn receive(&mut self) -> Result<Reply, DeskError> {
        let (reply, _) = self.channel.receive().map_err(DeskError::lost)?;
        granted(reply)
    }

    fn confused(&self) -> DeskError {
        let why = format!(
            "the answer of {} makes no sense; is it of this version?",
            self.name
        );
        DeskError::Lost(io::Error::other(why))
    }
}

impl AsRawFd for Client {
    fn as_raw_fd(&self) -> i32 {
        self.descriptor().as_raw_fd()
    }
}

fn granted(reply: Reply) -> Result<Reply, DeskError> {
    match reply {
        Reply::Refused { message, errno } => Err(DeskError::Refused { message, errno }),
        reply => Ok(reply),
    }
}

/// Waits until a process has ended: its descriptor is readable then (pidfd_open(2)).
fn await_end(process: &OwnedFd) -> Result<(), DeskError> {
    let mut ended = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
    loop {
        match poll(&mut ended, PollTimeout::NONE) {
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(DeskError::Lost(errno.into())),
            Ok(_) => return Ok(()),
        }
    }
}

fn unknown(name: &str, up: Vec<String>) -> DeskError {
    let names: Vec<&str> = up.iter().map(String::as_str).collect();
    let hint = nearest(name, &names).map(|nearest| format!("; did you mean `{nearest}`?"));
    DeskError::Unknown {
        name: name.to_owned(),
        hint: hint.unwrap_or_default(),
        up,
    }
}
