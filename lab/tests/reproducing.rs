//! docs/reproducing-a-bug.md: its commands print what it says.

use std::fs;
use std::path::Path;
use std::process::Command;

use regex::Regex;

/// A command of the document, and what it prints there.
struct Shown {
    command: String,
    output: Vec<String>,
}

#[test]
fn the_commands_print_what_the_document_says() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let text = fs::read_to_string(docs.join("reproducing-a-bug.md")).expect("the document");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let archive = docs.join("examples/report.tar.gz");
    fs::copy(archive, folder.path().join("report.tar.gz")).expect("copy the archive");
    let mut played = 0;
    for block in blocks(&text) {
        match block {
            (language, lines) if language == "toml" => {
                let name = lines[0].strip_prefix("# ").expect("a file's name");
                fs::write(folder.path().join(name), lines.join("\n") + "\n").expect("write a file");
            }
            (language, lines) if language == "console" => {
                for shown in commands(&lines) {
                    play(folder.path(), &shown);
                    played += 1;
                }
            }
            _ => {}
        }
    }
    assert!(played >= 6, "{played} commands were played");
}

/// The blocks of code, with their languages.
fn blocks(text: &str) -> Vec<(String, Vec<String>)> {
    let mut blocks: Vec<(String, Vec<String>)> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match line.strip_prefix("```") {
            Some(_) if inside => inside = false,
            Some(language) => {
                inside = true;
                blocks.push((language.to_owned(), Vec::new()));
            }
            None if inside => blocks.last_mut().expect("it began").1.push(line.to_owned()),
            None => {}
        }
    }
    blocks
}

fn commands(lines: &[String]) -> Vec<Shown> {
    let mut commands: Vec<Shown> = Vec::new();
    for line in lines {
        match line.strip_prefix("$ ") {
            Some(command) => commands.push(Shown {
                command: command.to_owned(),
                output: Vec::new(),
            }),
            None => commands
                .last_mut()
                .expect("a command first")
                .output
                .push(line.clone()),
        }
    }
    commands
}

fn play(folder: &Path, shown: &Shown) {
    let program = Path::new(env!("CARGO_BIN_EXE_fps-lab"));
    let path = format!(
        "{}:{}",
        program.parent().expect("a folder").display(),
        std::env::var("PATH").expect("PATH")
    );
    let ran = Command::new("sh")
        .args(["-c", &format!("{} 2>&1", shown.command)])
        .current_dir(folder)
        .env("PATH", path)
        .output()
        .expect("sh(1) starts");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let said: Vec<String> = said.lines().map(even).collect();
    let wanted: Vec<String> = shown.output.iter().map(|line| even(line)).collect();
    assert_eq!(
        said,
        wanted,
        "{}\n{}",
        shown.command,
        String::from_utf8_lossy(&ran.stdout)
    );
}

/// A line without what is other each time.
fn even(line: &str) -> String {
    let times = Regex::new(r"[0-9.]+ ?(ms|µs|s)\b").expect("an expression");
    let counts = Regex::new(r"[0-9]+ probes").expect("an expression");
    let line = times.replace_all(line.trim_end(), "TIME");
    counts.replace_all(&line, "N probes").into_owned()
}
