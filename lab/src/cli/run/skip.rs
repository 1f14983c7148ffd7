//! What is left out since this machine cannot play it.

use super::paint::paint;
use crate::doctor::Need;
use crate::report::Skipped;
use crate::scenario::ScenarioFile;

/// Leaves out what cannot be played for want of programs that the machine may lack, or of a second
/// uid, and says so aloud; gives the rest, and what was left out.
pub(super) fn skip(
    files: Vec<ScenarioFile>,
    may_lack: &[String],
    (width, aloud): (usize, bool),
) -> (Vec<ScenarioFile>, Vec<Skipped>) {
    let mut skipped = Vec::new();
    let played: Vec<_> = files
        .into_iter()
        .filter(|file| {
            let Some(why) = why_skipped(file, may_lack) else {
                return true;
            };
            let text = format!("SKIPPED  {why}");
            skipped.push(Skipped {
                name: file.name.clone(),
                title: file.scenario.title.clone(),
                file: file.path.display().to_string(),
                why,
            });
            if aloud {
                say!("{:width$}  {}", file.name, paint(&text));
            }
            false
        })
        .collect();
    (played, skipped)
}

fn why_skipped(file: &ScenarioFile, may_lack: &[String]) -> Option<String> {
    let sabotages = file.sabotages.iter().map(|sabotage| &sabotage.scenario);
    let mut needs = std::iter::once(&file.scenario)
        .chain(sabotages)
        .flat_map(Need::of);
    needs.find_map(|need| match need {
        // No more than one can be had without root, so nobody has to allow it.
        Need::SecondUid { .. } => need.look().err().map(|lack| lack.to_string()),
        need => {
            let program = need.program()?;
            let may = may_lack.iter().any(|may| may == program);
            (may && need.look().is_err())
                .then(|| format!("this machine has no `{program}`, which it may lack"))
        }
    })
}
