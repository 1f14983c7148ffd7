//! What a scenario does, in sentences.
//!
//! - [`story`]: a scenario file as [`Part`]s: a heading, and sentences below it
//! - `topology`: nets and hosts; `tunnel`: what carries packets between two of them
//! - `act`, `check`: a sentence for each kind of act and expectation; `sabotage`: what it changes, found
//!   by comparison
//! - `words`: lists, times, commands; [`page`]: the whole wrapped, as text or Markdown

mod act;
mod check;
pub mod page;
mod sabotage;
mod topology;
mod tunnel;
mod words;

use crate::scenario::{Program, ReadyWhen, ScenarioFile, Step, TunState};
use words::{command, list, time};

/// A heading, and what is said below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is about; none at the beginning.
    pub heading: Option<String>,
    /// Sentences that are read one after the other.
    pub text: Vec<String>,
    /// Sentences that stand on lines of their own.
    pub items: Vec<String>,
    /// The same, behind what introduces them.
    pub then: Option<(String, Vec<String>)>,
}

/// A scenario as its title and what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// The scenario's title.
    pub title: String,
    /// What is said.
    pub parts: Vec<Part>,
}

/// Tells a scenario with its sabotages.
pub fn story(file: &ScenarioFile) -> Story {
    let scenario = &file.scenario;
    let mut begin = Part::new(None);
    if let Some(origin) = &scenario.origin {
        begin.text.push(format!("It comes from {origin}."));
    }
    if !scenario.needs.is_empty() {
        let needs = list(&scenario.needs);
        begin.text.push(format!("The machine must have {needs}."));
    }
    let mut lab = Part::new(Some("The lab"));
    lab.text = topology::nets(scenario);
    lab.items = topology::hosts(scenario);
    let mut parts = vec![begin, lab];
    if let Some(tunnel) = &scenario.tunnel {
        let mut part = Part::new(Some("The tunnel"));
        part.text = tunnel::sentences(tunnel);
        parts.push(part);
    }
    if !scenario.programs.is_empty() {
        let mut part = Part::new(Some("Programs"));
        let programs = scenario.programs.iter();
        part.items = programs
            .map(|(name, it)| program(name.as_str(), it))
            .collect();
        parts.push(part);
    }
    parts.extend(
        scenario
            .steps
            .iter()
            .enumerate()
            .map(|(at, it)| step(at, it)),
    );
    if !file.sabotages.is_empty() {
        let mut part = Part::new(Some("What it would notice"));
        let sabotages = file.sabotages.iter();
        part.items = sabotages
            .map(|it| sabotage::sentence(scenario, it))
            .collect();
        parts.push(part);
    }
    parts.retain(|part| !part.is_empty());
    Story {
        title: scenario.title.clone(),
        parts,
    }
}

impl Part {
    fn new(heading: Option<&str>) -> Self {
        Self {
            heading: heading.map(str::to_owned),
            text: Vec::new(),
            items: Vec::new(),
            then: None,
        }
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.items.is_empty() && self.then.is_none()
    }
}

fn step(at: usize, step: &Step) -> Part {
    let Step { name, acts, expect } = step;
    let number = at + 1;
    let mut part = Part::new(Some(&match name == &format!("step {number}") {
        true => format!("Step {number}"),
        false => format!("Step {number}: {name}"),
    }));
    part.items = acts.iter().map(act::sentence).collect();
    let then = match acts.is_empty() {
        true => "Must hold:",
        false => "Then must hold:",
    };
    if !expect.is_empty() {
        let expect = expect.iter().map(check::sentence).collect();
        part.then = Some((then.to_owned(), expect));
    }
    part
}

fn program(name: &str, program: &Program) -> String {
    let Program {
        on,
        command: line,
        ready,
        may_end,
    } = program;
    let ready = match &ready.when {
        ReadyWhen::Started => String::new(),
        ReadyWhen::Output(text) => {
            let within = time(ready.within);
            format!(" It is ready once it says `{text}`, which may take {within}.")
        }
        ReadyWhen::Tun(link, state) => {
            let state = match state {
                TunState::Exists => "there",
                TunState::Up => "up",
            };
            let within = time(ready.within);
            format!(" It is ready once its device {link} is {state}, which may take {within}.")
        }
    };
    let end = match may_end {
        true => " It may end by itself.",
        false => "",
    };
    format!("{name} is {} on {on}.{ready}{end}", command(line))
}
