//! Each file of scenarios/invalid prints exactly the text beside it.
//!
//! `FPS_LAB_BLESS=1 cargo test -p fps-lab --test invalid_scenarios` writes the texts anew; read
//! them before they are committed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fps_lab::scenario::parse;

/// The folder, from the root of the repository; messages name files so.
const FOLDER: &str = "scenarios/invalid";

/// Fewer files than this mean that some were lost.
const AT_LEAST: usize = 35;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn stems(extension: &str) -> BTreeSet<String> {
    let folder = fs::read_dir(root().join(FOLDER)).expect("scenarios/invalid is there");
    folder
        .map(|entry| entry.expect("scenarios/invalid can be listed").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| {
            path.file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}

/// What the file of this name prints, with a newline at the end.
fn printed(stem: &str) -> Result<String, String> {
    let name = format!("{FOLDER}/{stem}.toml");
    let source = fs::read_to_string(root().join(&name)).expect("the file can be read");
    match parse(Path::new(&name), &source) {
        Ok(_) => Err(format!("{name} is a valid scenario")),
        Err(error) => Ok(format!("{error}\n")),
    }
}

/// The lines that differ, `-` as wanted and `+` as printed.
fn difference(wanted: &str, printed: &str) -> String {
    let (wanted, printed): (Vec<_>, Vec<_>) = (wanted.lines().collect(), printed.lines().collect());
    let same_start = wanted
        .iter()
        .zip(&printed)
        .take_while(|(a, b)| a == b)
        .count();
    let rest = wanted[same_start..]
        .iter()
        .rev()
        .zip(printed[same_start..].iter().rev());
    let same_end = rest.take_while(|(a, b)| a == b).count();
    let mut text: Vec<String> = wanted[..same_start]
        .iter()
        .map(|l| format!("  {l}"))
        .collect();
    text.extend(
        wanted[same_start..wanted.len() - same_end]
            .iter()
            .map(|l| format!("- {l}")),
    );
    text.extend(
        printed[same_start..printed.len() - same_end]
            .iter()
            .map(|l| format!("+ {l}")),
    );
    text.extend(
        printed[printed.len() - same_end..]
            .iter()
            .map(|l| format!("  {l}")),
    );
    text.join("\n")
}

#[test]
fn every_mistake_prints_its_text() {
    // Footprints of a scenario's own are looked up from its folder, which messages name from here.
    std::env::set_current_dir(root()).expect("the root can be entered");
    let bless = std::env::var_os("FPS_LAB_BLESS").is_some();
    let mut failures = Vec::new();
    for stem in stems("toml") {
        let text = match printed(&stem) {
            Ok(text) => text,
            Err(failure) => {
                failures.push(failure);
                continue;
            }
        };
        let golden = root().join(format!("{FOLDER}/{stem}.stderr"));
        if bless {
            fs::write(&golden, &text).expect("the text can be written");
        }
        match fs::read_to_string(&golden) {
            Err(_) => failures.push(format!(
                "{stem}.toml has no {stem}.stderr; it prints\n{text}"
            )),
            Ok(wanted) if wanted != text => {
                failures.push(format!("{stem}.toml\n{}", difference(&wanted, &text)));
            }
            Ok(_) => {}
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn every_text_has_its_mistake() {
    let (mistakes, texts) = (stems("toml"), stems("stderr"));
    let alone: Vec<_> = texts.difference(&mistakes).collect();
    assert!(alone.is_empty(), "no .toml beside the .stderr of {alone:?}");
    assert!(
        mistakes.len() >= AT_LEAST,
        "only {} files in {FOLDER}",
        mistakes.len()
    );
}
