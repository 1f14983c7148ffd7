//! `says`: a program has printed a line.

use crate::play::Verdict;
use crate::play::programs::Unsaid;
use crate::play::stage::Stage;
use crate::scenario::Says;

pub(super) async fn check(stage: &Stage<'_>, says: &Says) -> Verdict {
    let Says { who, text, within } = says;
    match stage.programs.line(who, text, *within).await {
        Ok(line) => Verdict::Held(line),
        Err(Unsaid::NeverStarted) => Verdict::Inconclusive(format!(
            "no step has started {who}, so it could say nothing"
        )),
        Err(Unsaid::Other(evidence)) => Verdict::failed(
            format!("expected a line of {who} with `{text}` within {within:?}"),
            evidence,
        ),
    }
}
