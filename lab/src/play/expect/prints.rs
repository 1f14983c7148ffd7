//! `prints`: a command prints what it should, and ends.

use std::io::Write;

use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout_at};

use super::CheckError;
use super::differ::differ;
use crate::play::Verdict;
use crate::play::programs::environment;
use crate::play::stage::Stage;
use crate::sandbox::Signal;
use crate::scenario::Prints;

pub(super) async fn check(stage: &Stage<'_>, wanted: &Prints) -> Result<Verdict, CheckError> {
    let deadline = Instant::now() + wanted.within;
    let (sandbox, host) = (stage.lab.sandbox(), stage.lab.host(&wanted.on).id());
    let mut running = sandbox.spawn(host, &wanted.command, &environment())?;
    let mut bytes = Vec::new();
    let ended = async {
        if let Some(mut output) = running.output.take() {
            // What cannot be read is not there, and is missing from the text.
            let _ = output.read_to_end(&mut bytes).await;
        }
        running.wait().await
    };
    let exit = timeout_at(deadline, ended).await;
    keep(stage, wanted, &bytes)?;
    let Ok(exit) = exit else {
        sandbox.signal(&running, Signal::Kill)?;
        let why = format!("it has not ended within {:?}", wanted.within);
        let text = String::from_utf8_lossy(&bytes);
        return Ok(Verdict::failed(
            why,
            text.lines().map(str::to_owned).collect(),
        ));
    };
    let exit = exit?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    if exit.0.code() != Some(wanted.exit) {
        let why = format!("{exit}, where exit code {} was expected", wanted.exit);
        return Ok(Verdict::failed(
            why,
            lines.into_iter().map(str::to_owned).collect(),
        ));
    }
    if text != wanted.text {
        let wanted: Vec<&str> = wanted.text.lines().collect();
        let why = "it prints another text (- is wanted, + is there)";
        let different = match wanted == lines {
            false => differ(&wanted, &lines),
            true => {
                vec!["each line is as wanted, and one of the two ends without a newline".to_owned()]
            }
        };
        return Ok(Verdict::failed(why, different));
    }
    Ok(Verdict::Held(format!("{} lines, and {exit}", lines.len())))
}

/// Leaves the whole text in the log of the program, as that of any other.
fn keep(stage: &Stage<'_>, wanted: &Prints, text: &[u8]) -> Result<(), CheckError> {
    let program = wanted.command.first().map_or("command", String::as_str);
    let program = program.rsplit('/').next().unwrap_or(program);
    let name = format!("{}.{program}.log", wanted.on);
    let log = stage.folder.append(&name);
    let kept = log.and_then(|mut log| log.write_all(text));
    kept.map_err(|cause| CheckError::Log(name, cause))
}
