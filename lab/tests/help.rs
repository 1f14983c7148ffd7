//! The help of each command of each program fits a screen, and gives one example that works.

use std::path::Path;

use clap::Command;
use clap::error::ErrorKind;
use fps_lab::multicall::commands;
use fps_lab::scenario::load;

/// A screen.
const COLUMNS: usize = 100;
const LINES: usize = 24;
/// Programs of so many options that only `-h` fits a screen: their `--help` has a paragraph for each.
const MANY_OPTIONS: [(&str, usize); 5] = [
    ("fps_client", 80),
    ("fps_server", 110),
    ("fps_carrier", 65),
    ("fps-route", 105),
    ("fps-dns", 70),
];

#[test]
fn the_help_of_every_command_fits_a_screen() {
    let mut wrong = Vec::new();
    each(|path, root| {
        let many = MANY_OPTIONS.iter().find(|(name, _)| *name == path[0]);
        let long = many.map_or(LINES, |(_, lines)| *lines);
        for (flag, most) in [("-h", LINES), ("--help", long)] {
            let text = help(root, path, flag);
            let (lines, width) = (text.trim_end().lines().count(), width(&text));
            if lines > most || width > COLUMNS {
                let name = path.join(" ");
                wrong.push(format!(
                    "{name} {flag}: {lines} lines of at most {width} columns\n{text}"
                ));
            }
        }
    });
    assert!(
        wrong.is_empty(),
        "more than a screen:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_help_has_one_example_which_is_a_command_line() {
    let mut wrong = Vec::new();
    let mut count = 0;
    each(|path, root| {
        count += 1;
        for flag in ["-h", "--help"] {
            let text = help(root, path, flag);
            let examples: Vec<&str> = text
                .lines()
                .filter_map(|it| it.strip_prefix("Example: "))
                .collect();
            let [example] = examples.as_slice() else {
                wrong.push(format!(
                    "{} {flag}: {} examples",
                    path.join(" "),
                    examples.len()
                ));
                continue;
            };
            if let Err(why) = try_example(root, path, example) {
                wrong.push(format!("{} {flag}: `{example}`: {why}", path.join(" ")));
            }
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 20, "only {count} commands");
}

/// Every command and every command below one, with the words that lead to it.
fn each(mut with: impl FnMut(&[String], &Command)) {
    for root in commands() {
        let root = root.term_width(COLUMNS);
        let mut path = vec![root.get_name().to_owned()];
        descend(&root, &root, &mut path, &mut with);
    }
}

fn descend(
    command: &Command,
    root: &Command,
    path: &mut Vec<String>,
    with: &mut impl FnMut(&[String], &Command),
) {
    with(path, root);
    for inner in command.get_subcommands() {
        path.push(inner.get_name().to_owned());
        descend(inner, root, path, with);
        path.pop();
    }
}

/// What the command prints when it is asked for its help.
fn help(root: &Command, path: &[String], flag: &str) -> String {
    let words = path.iter().map(String::as_str).chain([flag]);
    let error = root.clone().try_get_matches_from(words);
    let error = error.expect_err("the help is no command to carry out");
    assert_eq!(error.kind(), ErrorKind::DisplayHelp, "{path:?}: {error}");
    error.to_string()
}

fn width(text: &str) -> usize {
    text.lines()
        .map(|line| line.chars().count())
        .max()
        .unwrap_or_default()
}

/// Whether the scenario of an example is there, and has the step that it names. `new` makes one.
fn try_scenario(words: &[&str]) -> Result<(), String> {
    if words.contains(&"new") {
        return Ok(());
    }
    let Some(file) = words.iter().find(|it| it.starts_with("scenarios/")) else {
        return Ok(());
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    if path.is_dir() {
        return Ok(());
    }
    let steps = load(&path)
        .map_err(|error| error.to_string())?
        .scenario
        .steps;
    let step = words.iter().skip_while(|it| **it != "--to").nth(1);
    let is_there = |step: &&str| match step.parse::<usize>() {
        Ok(number) => (1..=steps.len()).contains(&number),
        Err(_) => steps.iter().any(|it| it.name == *step),
    };
    match step {
        Some(step) if !is_there(step) => Err(format!("{file} has no step `{step}`")),
        _ => Ok(()),
    }
}

/// Reads an example as the program would, as far as the shell gives it that.
fn try_example(root: &Command, path: &[String], example: &str) -> Result<(), String> {
    let line = example.split(['>', '|']).next().unwrap_or_default();
    let words: Vec<&str> = line.split_whitespace().collect();
    try_scenario(&words)?;
    let matches = root
        .clone()
        .try_get_matches_from(&words)
        .map_err(|error| error.to_string())?;
    if words.first() != path.first().map(String::as_str).as_ref() {
        return Err("it is another program".to_owned());
    }
    let mut below = Some(&matches);
    for name in &path[1..] {
        let inner = below.and_then(|it| it.subcommand());
        below = inner.filter(|(found, _)| found == name).map(|(_, it)| it);
    }
    below
        .map(|_| ())
        .ok_or_else(|| "it is another command".to_owned())
}
