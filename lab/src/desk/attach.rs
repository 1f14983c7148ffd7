//! A program in a host that has our terminal, or our pipes.

use std::fs::OpenOptions;
use std::io::{self, stderr, stdin, stdout};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{dup2_stdin, dup2_stdout};

use super::relay::Relay;
use super::terminal::{self, Raw};
use super::{Client, DeskError, Order};

/// Signals that are the program's: what Ctrl-C, Ctrl-\ and kill(1) send, and Ctrl-Z with its end.
const PASSED_ON: [Signal; 8] = [
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGTSTP,
    Signal::SIGCONT,
];

/// Those of them that end a program which does nothing about them.
const ENDS: [Signal; 4] = [
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGHUP,
];

/// For how long a signal waits for the program that it is for, in ms.
const SIGNAL_WAITS: u16 = 1000;

/// How long a lab may take to start a program, in ms.
const LAB_ANSWERS: u16 = 30_000;

/// Runs a program in a host to its end; gives its exit code, as a shell would tell it: 128 and the
/// signal's number for one that a signal has killed.
///
/// With a terminal of its own, which is to be like ours, or with our stdin, stdout and stderr as
/// they are.
pub fn attach(client: &mut Client, order: Order) -> Result<u8, DeskError> {
    // Before it is started, so that no signal goes astray.
    let mut signals: SigSet = PASSED_ON.into_iter().collect();
    if order.terminal {
        signals.add(Signal::SIGWINCH);
    }
    signals
        .thread_block()
        .map_err(|e| DeskError::Lost(e.into()))?;
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    let signals = SignalFd::with_flags(&signals, flags).map_err(|e| DeskError::Lost(e.into()))?;
    let status = match order.terminal {
        true => with_terminal(client, order, &signals),
        false => with_pipes(client, order, &signals),
    }?;
    let status = ExitStatus::from_raw(status);
    let killed = status.signal().map(|signal| 128 + signal);
    let code = status.code().or(killed).unwrap_or(255);
    Ok(u8::try_from(code).unwrap_or(u8::MAX))
}

fn with_pipes(client: &mut Client, order: Order, signals: &SignalFd) -> Result<i32, DeskError> {
    let copy = |ours: &dyn AsFd| ours.as_fd().try_clone_to_owned();
    let ours = || Ok([copy(&stdin())?, copy(&stdout())?, copy(&stderr())?]);
    let [stdin, stdout, stderr]: [OwnedFd; 3] = ours().map_err(DeskError::Lost)?;
    client.start(order, [&stdin, &stdout, &stderr])?;
    if let Some(signal) = await_start(client, signals)? {
        return Ok(signal);
    }
    drop([stdin, stdout, stderr]);
    // Else who reads what it writes would see its end only when we end.
    let_go().map_err(DeskError::Lost)?;
    loop {
        let mut wait = [
            PollFd::new(signals.as_fd(), PollFlags::POLLIN),
            PollFd::new(client.descriptor(), PollFlags::POLLIN),
        ];
        // An interruption finds nothing ready, and waits again.
        let ready = poll(&mut wait, PollTimeout::NONE).unwrap_or(0) > 0;
        let is = |at: usize| ready && wait[at].any() == Some(true);
        let (signal, connection) = (is(0), is(1));
        if signal && let Some(status) = pass_on(client, signals)? {
            return Ok(status);
        }
        if connection {
            return client.ended();
        }
    }
}

/// Waits until the program is started. Gives the signal that ends us meanwhile, where the lab does not
/// answer: there is no program to pass it on to.
fn await_start(client: &mut Client, signals: &SignalFd) -> Result<Option<i32>, DeskError> {
    while !is_readable(client.descriptor(), Some(signals))? {
        // It is the program's if that is about to start.
        if is_readable(client.descriptor(), None)? {
            break;
        }
        let signal = signals.read_signal();
        let number = signal.ok().flatten().map(|it| it.ssi_signo.cast_signed());
        if let Some(number) = number.filter(|it| ENDS.iter().any(|end| *end as i32 == *it)) {
            return Ok(Some(number));
        }
    }
    client.started().map(|()| None)
}

/// Waits until the lab has answered, or a signal has come: then for [`SIGNAL_WAITS`] alone. Says whether it
/// has.
fn is_readable(lab: BorrowedFd<'_>, signals: Option<&SignalFd>) -> Result<bool, DeskError> {
    let mut wait = vec![PollFd::new(lab, PollFlags::POLLIN)];
    wait.extend(signals.map(|it| PollFd::new(it.as_fd(), PollFlags::POLLIN)));
    let at_most = match signals {
        Some(_) => LAB_ANSWERS,
        None => SIGNAL_WAITS,
    };
    match poll(&mut wait, at_most) {
        Err(Errno::EINTR) => Ok(false),
        Err(errno) => Err(DeskError::Lost(errno.into())),
        Ok(0) if signals.is_some() => Err(DeskError::Silent),
        Ok(_) => Ok(wait[0].any() == Some(true)),
    }
}

/// Closes our stdin and stdout: they are the program's now.
fn let_go() -> io::Result<()> {
    let nothing = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    dup2_stdin(&nothing)?;
    dup2_stdout(&nothing)?;
    Ok(())
}

fn with_terminal(client: &mut Client, order: Order, signals: &SignalFd) -> Result<i32, DeskError> {
    let (master, slave) = terminal::open().map_err(DeskError::Lost)?;
    client.start(order, [&slave, &slave, &slave])?;
    if let Some(signal) = await_start(client, signals)? {
        return Ok(signal);
    }
    drop(slave);
    let mut relay = Relay::new(master).map_err(DeskError::Lost)?;
    let raw = Raw::enter().map_err(DeskError::Lost)?;
    let status = loop {
        let turned = relay.turn(signals.as_fd(), client.descriptor());
        let ready = turned.map_err(DeskError::Lost)?;
        if ready.signal {
            // Its size may have changed; where that cannot be told, the next change will.
            drop(terminal::resize(relay.master()));
            if let Some(status) = pass_on(client, signals)? {
                break status;
            }
        }
        if ready.connection {
            break client.ended()?;
        }
    };
    // What it has written last.
    relay.show().map_err(DeskError::Lost)?;
    drop(raw);
    Ok(status)
}

/// Passes on all signals that have come; gives how the program has ended, if it has meanwhile.
fn pass_on(client: &mut Client, signals: &SignalFd) -> Result<Option<i32>, DeskError> {
    while let Ok(Some(signal)) = signals.read_signal() {
        let number = signal.ssi_signo.cast_signed();
        if number == Signal::SIGWINCH as i32 {
            continue;
        }
        if let Some(status) = client.signal(number)? {
            return Ok(Some(status));
        }
        if number == Signal::SIGTSTP as i32 {
            // As if it were our own program: the shell that has started us gets its terminal back.
            raise(Signal::SIGSTOP).map_err(|errno| DeskError::Lost(errno.into()))?;
        }
    }
    Ok(None)
}
