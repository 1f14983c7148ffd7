//! Which step and which sabotage a command line means.

use crate::scenario::diagnostic::suggest::{nearest, quoted};
use crate::scenario::{Scenario, ScenarioFile};

/// How many steps are played, up to and with the one that is named.
pub(super) fn steps(scenario: &Scenario, text: &str) -> Result<usize, String> {
    let names: Vec<&str> = scenario.steps.iter().map(|it| it.name.as_str()).collect();
    Ok(place("step", text, &names)? + 1)
}

/// The sabotage that is named, from 0.
pub(super) fn sabotage(file: &ScenarioFile, text: &str) -> Result<usize, String> {
    let names: Vec<&str> = file.sabotages.iter().map(|it| it.name.as_str()).collect();
    place("sabotage", text, &names)
}

/// The place of a name; of a number from 1 where nothing has that name.
fn place(what: &str, text: &str, names: &[&str]) -> Result<usize, String> {
    if let Some(place) = names.iter().position(|name| *name == text) {
        return Ok(place);
    }
    let number = text.parse::<usize>().ok();
    if let Some(place) = number.and_then(|it| it.checked_sub(1))
        && place < names.len()
    {
        return Ok(place);
    }
    let hint = match nearest(text, names) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None if names.is_empty() => "there is none".to_owned(),
        None => format!(
            "there are {}, or their numbers from 1",
            quoted(names.iter().copied())
        ),
    };
    Err(format!("there is no {what} `{text}`; {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_goes_before_a_number() {
        let names = ["roam", "1", "unplug"];
        assert_eq!(place("step", "unplug", &names), Ok(2));
        assert_eq!(place("step", "1", &names), Ok(1));
        assert_eq!(place("step", "3", &names), Ok(2));
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is() {
        let names = ["roam", "unplug"];
        let told = |text| place("step", text, &names).expect_err("it is not there");
        assert_eq!(
            told("raom"),
            "there is no step `raom`; did you mean `roam`?"
        );
        assert!(told("3").contains("there are `roam`, `unplug`"));
        assert!(told("0").contains("there are `roam`, `unplug`"));
        let none = place("step", "1", &[]).expect_err("there is none");
        assert_eq!(none, "there is no step `1`; there is none");
    }
}
