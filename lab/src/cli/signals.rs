//! Ctrl-C, SIGTERM, and the loss of the terminal.

use std::io;
use std::thread;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::Exit;

/// Turns Ctrl-C, SIGTERM and SIGHUP into a request to stop, and a second one into the end: the kernel
/// kills the sandboxes when we die.
pub(super) fn listen(interrupt: watch::Sender<bool>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let _inside = runtime.enter();
    let mut keys = signal(SignalKind::interrupt())?;
    let mut term = signal(SignalKind::terminate())?;
    let mut lost = signal(SignalKind::hangup())?;
    drop(_inside);
    thread::Builder::new()
        .name("fps-lab signals".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                let mut either = async || {
                    tokio::select! {
                        _ = keys.recv() => {}
                        _ = term.recv() => {}
                        _ = lost.recv() => {}
                    }
                };
                either().await;
                interrupt.send_replace(true);
                complain!("fps-lab: stopping; once more ends it at once");
                either().await;
            });
            std::process::exit(Exit::Interrupted as i32);
        })?;
    Ok(())
}
