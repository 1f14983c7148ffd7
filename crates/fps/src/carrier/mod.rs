//! `fps_carrier`: an application whose one long connection carries the tunnel, and the origin that
//! it talks to. Neither knows FPS; between them they behave like a small chat over WebSocket. The
//! origin also has a page for a browser, and an answer without end for curl(1). And what may be
//! between the two: a long way for their connections, and a gateway's DNS.

mod args;
mod client;
mod delay;
mod dns;
mod frame;
mod http;
mod origin;
mod tls;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use args::{Args, Program};

use crate::exit::Exit;
use crate::signal::StopSignals;
use fps_log::chain;
use fps_log::{self as log, Form, Level};

/// What ends the program with exit code 1.
#[derive(Debug, thiserror::Error)]
enum CarrierError {
    #[error("cannot start the runtime: raise the limit on open files")]
    Runtime(#[source] std::io::Error),
    #[error("cannot listen on {0}: free it or choose another --listen")]
    Listen(std::net::SocketAddr, #[source] std::io::Error),
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
}

/// The command line.
pub fn command() -> clap::Command {
    <args::Args as clap::CommandFactory>::command()
}

/// Runs the program on a command line whose first word is its name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let Args { program, log_level } = match crate::cli::parse(args) {
        Ok(args) => args,
        Err(exit) => return exit.into(),
    };
    log::start(
        "fps",
        "carrier",
        log_level.unwrap_or(Level::Info),
        Form::Text,
    );
    match run(program) {
        Ok(()) => Exit::Ok.into(),
        Err(error) => {
            let error = chain(&error);
            tracing::error!(event = "failed", error);
            Exit::Runtime.into()
        }
    }
}

fn run(program: Program) -> Result<(), CarrierError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CarrierError::Runtime)?;
    let result = runtime.block_on(async {
        let mut signals = StopSignals::catch().map_err(CarrierError::Runtime)?;
        let work = async {
            match program {
                Program::Origin(args) => origin::run(args).await,
                Program::Client(args) => client::run(args).await,
                Program::Delay(args) => delay::run(args).await,
                Program::Dns(args) => dns::run(args).await,
            }
        };
        tokio::select! {
            result = work => result,
            signal = signals.received() => {
                tracing::info!(event = "signal_stop", signal);
                Ok(())
            }
        }
    });
    // The system's resolver runs on a thread of its own and may hang on a dead DNS server: a stop
    // does not wait for it.
    runtime.shutdown_background();
    result
}

/// Tells whoever started us, on stdout, that we do what we are for.
fn announce(text: &str) {
    let mut stdout = std::io::stdout().lock();
    // A closed stdout means that nobody waits for the line.
    let _ = writeln!(stdout, "READY {text}").and_then(|()| stdout.flush());
}
