//! `status`: a field of what an FPS program tells on its status socket.

use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, sleep_until, timeout};

use super::CheckError;
use crate::play::Verdict;
use crate::play::programs::environment;
use crate::play::stage::Stage;
use crate::play::{CLIENT_STATUS, SERVER_STATUS};
use crate::sandbox::{SandboxError, Signal};
use crate::scenario::{Status, StatusValue, TunnelRole};

/// How often the program is asked.
const LOOK: Duration = Duration::from_millis(50);
/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn check(stage: &Stage<'_>, wanted: &Status) -> Result<Verdict, CheckError> {
    let deadline = Instant::now() + wanted.within;
    loop {
        let told = ask(stage, wanted.who).await?;
        let field = told
            .as_ref()
            .ok()
            .and_then(|status| status.pointer(&wanted.pointer));
        if let Some(value) = field.filter(|value| is_right(&wanted.wanted, value)) {
            return Ok(Verdict::Held(value.to_string()));
        }
        if Instant::now() >= deadline {
            return Ok(failed(wanted, field, &told));
        }
        sleep_until((Instant::now() + LOOK).min(deadline)).await;
    }
}

fn is_right(wanted: &StatusValue, value: &Value) -> bool {
    match wanted {
        StatusValue::Is(wanted) => wanted == value,
        StatusValue::Counts(count) => value.as_u64().is_some_and(|number| count.holds(number)),
        StatusValue::Matches(expression) => match value.as_str() {
            Some(text) => expression.0.is_match(text),
            None => expression.0.is_match(&value.to_string()),
        },
    }
}

/// The whole status, or what was said in its place.
async fn ask(stage: &Stage<'_>, who: TunnelRole) -> Result<Result<Value, String>, SandboxError> {
    let tunnel = stage.scenario.tunnel.as_ref();
    let tunnel = tunnel.expect("validation has seen a tunnel");
    let (host, program, socket) = match who {
        TunnelRole::Server => (&tunnel.server, "fps_server", SERVER_STATUS),
        _ => (&tunnel.client, "fps_client", CLIENT_STATUS),
    };
    let sandbox = stage.lab.sandbox();
    let command = [program, "--status", "--status-socket", socket].map(str::to_owned);
    let mut running = sandbox.spawn(stage.lab.host(host).id(), &command, &environment())?;
    let mut text = String::new();
    let Some(mut output) = running.output.take() else {
        return Ok(Err("the program that asks has no output".to_owned()));
    };
    match timeout(PATIENCE, output.read_to_string(&mut text)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => return Ok(Err(error.to_string())),
        Err(_) => {
            sandbox.signal(&running, Signal::Kill)?;
            return Ok(Err(format!("no answer within {PATIENCE:?}")));
        }
    }
    let status = serde_json::from_str(&text);
    Ok(status.map_err(|_| text.trim().to_owned()))
}

fn failed(wanted: &Status, field: Option<&Value>, told: &Result<Value, String>) -> Verdict {
    let Status {
        who,
        pointer,
        wanted: value,
        within,
    } = wanted;
    let is = match (field, told) {
        (Some(value), _) => format!("it is {value}"),
        (None, Ok(_)) => "there is no such field".to_owned(),
        (None, Err(_)) => format!("{who} does not tell its status"),
    };
    let why = format!("expected {pointer} of {who} to be {value} within {within:?}; {is}");
    let evidence = match told {
        Ok(status) => fields("", status),
        Err(text) => text.lines().map(str::to_owned).collect(),
    };
    Verdict::failed(why, evidence)
}

/// A status, a line for each of its objects, since all of it indented fills three screens.
fn fields(pointer: &str, value: &Value) -> Vec<String> {
    let Value::Object(object) = value else {
        return Vec::new();
    };
    let (nested, plain): (Vec<_>, Vec<_>) = object.iter().partition(|(_, it)| it.is_object());
    let plain: Vec<String> = plain
        .iter()
        .map(|(name, it)| format!("{name} {it}"))
        .collect();
    let mut lines = Vec::new();
    if !plain.is_empty() {
        lines.push(format!("{pointer}/: {}", plain.join(", ")));
    }
    lines.extend(
        nested
            .iter()
            .flat_map(|(name, it)| fields(&format!("{pointer}/{name}"), it)),
    );
    lines
}
