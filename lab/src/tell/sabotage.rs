//! What a sabotage changes, and who must notice.

use super::act;
use super::words::{command, list};
use crate::scenario::{Act, Sabotage, Scenario, Step, Vpn};

pub(super) fn sentence(original: &Scenario, sabotage: &Sabotage) -> String {
    let Sabotage {
        name,
        scenario: changed,
        must_fail,
        may_fail,
    } = sabotage;
    let mut changes = seeds(original, changed);
    changes.extend(programs(original, changed));
    changes.extend(steps(original, changed));
    let notice = must_fail.iter().map(|it| format!("`{it}`"));
    let may = match may_fail.is_empty() {
        true => String::new(),
        false => format!(
            " So may {}.",
            list(may_fail.iter().map(|it| format!("`{it}`")))
        ),
    };
    let changes = changes.join(" ");
    format!("{name}: {changes} Then {} must fail.{may}", list(notice))
}

/// What stands before any program starts.
fn seeds(original: &Scenario, changed: &Scenario) -> Vec<String> {
    let new = changed.seed.iter().skip(original.seed.len());
    new.map(|it| format!("Before anything runs: {}", act::sentence(it)))
        .collect()
}

/// Other commands.
fn programs(original: &Scenario, changed: &Scenario) -> Vec<String> {
    let ours = |scenario: &Scenario| match scenario.tunnel.as_ref().map(|it| &it.vpn) {
        Some(Vpn::Fps(fps)) => {
            let commands = fps.commands.iter();
            commands
                .map(|(role, it)| (role.to_string(), it.clone()))
                .collect()
        }
        Some(Vpn::Foreign(foreign)) => vec![
            ("server".to_owned(), foreign.server.command.clone()),
            ("client".to_owned(), foreign.client.command.clone()),
        ],
        None => Vec::new(),
    };
    let all = |scenario: &Scenario| {
        let named = scenario.programs.iter();
        let named = named.map(|(name, it)| (name.to_string(), it.command.clone()));
        named.chain(ours(scenario)).collect::<Vec<_>>()
    };
    let before = all(original);
    let new = all(changed).into_iter().filter(|it| !before.contains(it));
    new.map(|(name, line)| format!("In place of {name} there runs {}.", command(&line)))
        .collect()
}

fn steps(original: &Scenario, changed: &Scenario) -> Vec<String> {
    let find = |steps: &[Step], name: &str| steps.iter().position(|it| it.name == name);
    let mut said = Vec::new();
    for step in &original.steps {
        match find(&changed.steps, &step.name) {
            None => said.push(format!("The step `{}` is left out.", step.name)),
            Some(place) => said.extend(altered(step, &changed.steps[place])),
        }
    }
    for (place, step) in changed.steps.iter().enumerate() {
        if find(&original.steps, &step.name).is_some() {
            continue;
        }
        let next = changed.steps[place + 1..].iter();
        let mut next = next.filter(|it| find(&original.steps, &it.name).is_some());
        let when = match next.next() {
            Some(next) => format!("Before the step `{}`", next.name),
            None => "At the end".to_owned(),
        };
        let acts = step.acts.iter().map(act::sentence).collect::<Vec<_>>();
        said.push(format!("{when}: {}", acts.join(" ")));
    }
    said
}

/// Acts that are others.
fn altered(before: &Step, after: &Step) -> Vec<String> {
    let kept = |act: &&Act| !before.acts.contains(act);
    let new = after.acts.iter().filter(kept).map(act::sentence);
    let new: Vec<String> = new.collect();
    let gone = before
        .acts
        .iter()
        .filter(|act| !after.acts.contains(act))
        .count();
    match (new.is_empty(), gone) {
        (true, 0) => Vec::new(),
        (true, _) => vec![format!("The step `{}` does less.", before.name)],
        (false, _) => vec![format!("In the step `{}`: {}", before.name, new.join(" "))],
    }
}
