//! What is kept of a step that failed: the packets and the state of each host.

use std::io::{self, BufWriter, Write};

use super::report::KeptFile;
use super::stage::Stage;
use crate::snapshot::Snapshot;
use crate::tape::Tape;

/// Writes, for each host, what passed its interfaces in this step, and what its network is like now:
/// `step-2-laptop.pcapng` and `step-2-laptop.json`. Gives the captures.
pub(super) async fn step(stage: &Stage<'_>, number: usize) -> io::Result<Vec<KeptFile>> {
    let prefix = format!("step-{number}-");
    let mut captures = Vec::new();
    for (name, host) in stage.lab.hosts() {
        // Where the play has ended because a host could not be watched, there is none.
        if let Some(tape) = stage.tape_of(name) {
            let file = format!("{prefix}{name}.pcapng");
            packets(stage, tape, &file).await?;
            captures.push(KeptFile {
                host: name.to_string(),
                file,
            });
        }
        let snapshot = Snapshot::take(stage.lab.sandbox(), host).await;
        let snapshot = snapshot.map_err(io::Error::other)?;
        let file = format!("{prefix}{name}.json");
        stage.folder.write_json(&file, &snapshot)?;
    }
    Ok(captures)
}

async fn packets(stage: &Stage<'_>, tape: &Tape, file: &str) -> io::Result<()> {
    // In a step that goes on it may be written once more, with all that it had.
    let capture = stage.folder.overwrite(file)?;
    // What a broken capture has is worth keeping, too.
    drop(tape.sync().await);
    let mut capture = BufWriter::new(capture);
    let written = tape.write_pcapng(&mut capture);
    written.map_err(io::Error::other)?;
    // A buffer that is dropped does not tell what it could not write.
    capture.flush()
}
