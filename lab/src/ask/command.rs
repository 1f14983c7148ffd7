//! What a program says.

use tokio::io::AsyncReadExt;

use super::AskError;
use crate::sandbox::{Exit, HostId, PATH, Running, Sandbox, Signal};

/// Killed when nobody waits for it any more.
struct Kill<'a>(&'a Sandbox, Running);

impl Drop for Kill<'_> {
    fn drop(&mut self) {
        // It may have ended, and so may the sandbox.
        let _ = self.0.signal(&self.1, Signal::Kill);
    }
}

/// Runs it to its end: how it ended, and what it said.
pub(crate) async fn output(
    sandbox: &Sandbox,
    host: HostId,
    command: &[&str],
) -> Result<(Exit, String), AskError> {
    let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
    let path = [("PATH".to_owned(), PATH.to_owned())];
    let mut running = sandbox.spawn(host, &command, &path)?;
    let output = running.output.take();
    let program = Kill(sandbox, running);
    let mut said = Vec::new();
    if let Some(mut output) = output {
        output.read_to_end(&mut said).await?;
    }
    let exit = program.1.wait().await?;
    Ok((exit, String::from_utf8_lossy(&said).into_owned()))
}
