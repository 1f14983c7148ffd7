//! What a program ends with.

use std::process::ExitCode;

/// The exit codes of all three programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, or stopped by SIGINT or SIGTERM.
    Ok,
    /// 1: something failed while running: a bind, the TUN device, the fwmark.
    Runtime,
    /// 2: the command line or the configuration is wrong.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::Runtime => 1,
            Exit::Usage => 2,
        })
    }
}
