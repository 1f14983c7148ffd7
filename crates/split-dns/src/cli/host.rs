//! The verbs for the resolver of a host.

use std::io::{self, Write};

use fps_log::chain;
use nix::sys::prctl::set_name;
use nix::unistd::setsid;

use super::options::{Log, Verb};
use super::{Exit, complain};
use crate::forward::RunError;
use crate::host::caller::{CallError, Caller};
use crate::host::{HostError, Serve, serve};

/// Does what a verb says.
pub(super) fn run(verb: &Verb) -> Exit {
    let place = verb.place();
    if let Verb::Serve {
        log, background, ..
    } = verb
    {
        let how = Serve {
            listen: place.listen,
            resolv_conf: place.resolv_conf.clone(),
            state: place.state_dir.clone(),
            ends_with_links: *background,
        };
        return run_server(&how, log);
    }
    let caller = Caller::new(&place.state_dir, &place.resolv_conf, place.listen);
    match caller.and_then(|caller| call(&caller, verb)) {
        Ok(text) => print(&text),
        Err(error) => {
            complain(&chain(&error));
            Exit::Failed
        }
    }
}

fn run_server(how: &Serve, log: &Log) -> Exit {
    fps_log::start("fps_dns", "fps-dns", log.log_level, log.log_format);
    if how.ends_with_links
        && let Err(error) = setsid()
    {
        // Then a signal to the group of whoever has started it ends it, too.
        tracing::warn!(event = "setsid_failed", error = %error);
    }
    // It was started by a link to the program, after which the kernel has called it.
    if let Err(error) = set_name(c"fps-dns") {
        tracing::warn!(event = "set_name_failed", error = %error);
    }
    match serve(how) {
        Ok(()) => Exit::Done,
        Err(error) => {
            tracing::error!(event = "failed", error = chain(&error));
            match error {
                HostError::Run(RunError::Config(_)) => Exit::Usage,
                _ => Exit::Failed,
            }
        }
    }
}

/// Gives what is to be printed.
fn call(caller: &Caller, verb: &Verb) -> Result<String, CallError> {
    if let Some((link, setting)) = verb.setting() {
        return caller.set(link, setting).map(|()| String::new());
    }
    match verb {
        Verb::FlushCaches { .. } => caller.flush().map(|()| String::new()),
        Verb::Status {
            link: Some(link), ..
        } => caller.settings(*link),
        _ => caller.status(),
    }
}

fn print(text: &str) -> Exit {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(&format!("cannot write to standard output: {error}"));
            Exit::Failed
        }
    }
}
