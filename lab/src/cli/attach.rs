//! `fps-lab shell` and `fps-lab exec`.

use std::ffi::OsString;
use std::io::{IsTerminal, stdin, stdout};
use std::path::Path;
use std::process::ExitCode;

use nix::libc;

use crate::desk::{Client, DeskError, Order, RuntimeFolder, attach};

/// Our own failures, as env(1) and chroot(1) have them: other codes are the program's.
const OURS: u8 = 125;
/// The program is there and cannot be executed.
const NOT_EXECUTABLE: u8 = 126;
/// There is no such program.
const NOT_FOUND: u8 = 127;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The shell is $SHELL, in the host's network and with the host's /etc and /run. \
                  $FPS_LAB_HOST says where it is; `ip netns` shows the other hosts.\n\n\
                  Exit codes: the shell's; 125 where fps-lab itself failed.\n\n\
                  Example: fps-lab shell laptop"
)]
pub(super) struct Shell {
    /// A host of the lab
    host: String,
    /// Which lab, where several are up
    #[arg(long, value_name = "LAB")]
    lab: Option<String>,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: the command's; 128 and the signal's number where a signal killed it; \
                  127 where there is no such command, 126 where it cannot be executed; 125 where \
                  fps-lab itself failed.\n\n\
                  Example: fps-lab exec laptop -- ip route get 10.66.1.20"
)]
pub(super) struct Exec {
    /// A host of the lab
    host: String,
    /// Which lab, where several are up
    #[arg(long, value_name = "LAB")]
    lab: Option<String>,
    /// Give it a terminal of its own, for programs that draw on it
    #[arg(short, long)]
    tty: bool,
    /// The command, found in the host's PATH
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

pub(super) fn shell(arguments: Shell) -> ExitCode {
    let shell = std::env::var_os("SHELL").filter(|shell| Path::new(shell).is_file());
    let shell = shell.unwrap_or_else(|| "/bin/sh".into());
    let prompt = prompt(&shell, &arguments.host);
    let mut order = order(arguments.host, vec![shell.clone()], is_at_terminal());
    order
        .environment
        .retain(|(name, _)| name != "PS1" && name != "SHELL");
    order.environment.push(("PS1".into(), prompt.into()));
    order.environment.push(("SHELL".into(), shell));
    exit(run(arguments.lab.as_deref(), order))
}

pub(super) fn exec(arguments: Exec) -> ExitCode {
    if arguments.tty && !is_at_terminal() {
        let why = "--tty needs a terminal on stdin and stdout: leave it out".to_owned();
        return exit(Err(DeskError::Refused {
            message: why,
            errno: None,
        }));
    }
    let order = order(arguments.host, arguments.command, arguments.tty);
    exit(run(arguments.lab.as_deref(), order))
}

fn run(lab: Option<&str>, order: Order) -> Result<u8, DeskError> {
    let folder = RuntimeFolder::find()?;
    attach(&mut Client::find(&folder, lab, "--lab LAB")?, order)
}

fn exit(ended: Result<u8, DeskError>) -> ExitCode {
    let error = match ended {
        Ok(code) => return code.into(),
        Err(error) => error,
    };
    complain!("fps-lab: {}", crate::chain(&error));
    let code = match error {
        DeskError::Refused { errno, .. } => match errno {
            Some(libc::ENOENT) => NOT_FOUND,
            Some(_) => NOT_EXECUTABLE,
            None => OURS,
        },
        _ => OURS,
    };
    code.into()
}

/// A program in a host, with our environment and our folder.
fn order(host: String, command: Vec<OsString>, terminal: bool) -> Order {
    Order {
        host,
        command,
        environment: std::env::vars_os().collect(),
        folder: std::env::current_dir().ok().map(Into::into),
        terminal,
    }
}

fn is_at_terminal() -> bool {
    stdin().is_terminal() && stdout().is_terminal()
}

/// What a shell shows that no file of its own tells another prompt.
fn prompt(shell: &OsString, host: &str) -> String {
    match Path::new(shell).file_name().and_then(|name| name.to_str()) {
        Some("bash") => r"\h:\w\$ ".to_owned(),
        _ => format!("{host}# "),
    }
}
