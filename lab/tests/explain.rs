//! `fps-lab explain`: each scenario in sentences.

use std::path::{Path, PathBuf};
use std::process::Command;

use fps_lab::run::collect;
use fps_lab::scenario::load;
use fps_lab::tell::{page, story};
use regex::Regex;

/// As a golden text is wrapped.
const WIDTH: usize = 80;

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

fn explain(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_fps-lab"))
        .arg("explain")
        .args(arguments)
        .current_dir(scenarios())
        .output()
        .expect("fps-lab runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn every_scenario_is_told_in_sentences() {
    let paths = collect(&[scenarios()]).expect("there are scenarios");
    assert!(paths.len() > 60, "only {} scenarios", paths.len());
    let (mut verbs, mut wrong) = (std::collections::BTreeSet::new(), Vec::new());
    for path in &paths {
        let file = load(path).unwrap_or_else(|error| panic!("{error}"));
        let expectations = file.scenario.steps.iter().flat_map(|step| &step.expect);
        verbs.extend(expectations.map(|it| it.check.kind()));
        for text in [
            page::text(&story(&file), WIDTH),
            page::markdown(&story(&file)),
        ] {
            // The title is the file's.
            let (_, told) = text.split_once("\n\n").expect("more than a title");
            wrong.extend(leftovers(path, told));
            for step in &file.scenario.steps {
                assert!(
                    flat(&text).contains(&flat(&step.name)),
                    "{}: {}",
                    path.display(),
                    step.name
                );
            }
            for sabotage in &file.sabotages {
                assert!(
                    flat(&text).contains(&flat(&sabotage.name)),
                    "{}",
                    sabotage.name
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Which the library has all of, so that each has been told.
    assert_eq!(verbs.len(), 17, "{verbs:?}");
}

/// In one line, and in small letters.
fn flat(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

/// What is left over from how the lab holds a scenario. What is quoted as code is the file's.
fn leftovers(path: &Path, text: &str) -> Vec<String> {
    const SIGNS: [&str; 13] = [
        "{", "}", "[", "]", "Some(", "None", "()", "\"", "..", " , ", " . ", ": .", "`",
    ];
    let code = Regex::new("(?s)`[^`]*`").expect("an expression");
    let prose = code.replace_all(text, "CODE");
    let lines = prose.lines().flat_map(|line| {
        let signs = SIGNS.iter().filter(|sign| line.contains(*sign));
        signs.map(move |sign| format!("{}: {sign:?} in {line:?}", path.display()))
    });
    let long = text
        .lines()
        .filter(|line| line.starts_with("  ") && line.chars().count() > WIDTH);
    // A word that is longer than a line stands alone on it.
    let long = long.filter(|line| line.trim().trim_start_matches("- ").contains(' '));
    let long = long.map(|line| format!("{}: over {WIDTH}: {line:?}", path.display()));
    lines.chain(long).collect()
}

#[test]
fn the_words_are_those_that_were_read() {
    for name in ["split-tunnel", "lan/roam-full-tunnel", "dns/one-server"] {
        let (code, said, errors) = explain(&[&format!("{name}.toml")]);
        assert_eq!((code, errors.as_str()), (Some(0), ""));
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sentences");
        let golden = golden.join(name).with_extension("txt");
        if std::env::var_os("FPS_LAB_BLESS").is_some() {
            std::fs::create_dir_all(golden.parent().expect("a folder")).expect("make the folder");
            std::fs::write(&golden, &said).expect("write the sentences");
        }
        let known = std::fs::read_to_string(&golden).expect("the sentences");
        assert_eq!(
            said, known,
            "if it is better as it is now, write it there with FPS_LAB_BLESS=1, and read it"
        );
    }
}

#[test]
fn markdown_has_headings_and_lists() {
    let (code, said, _) = explain(&["split-tunnel.toml", "--as", "markdown"]);
    assert_eq!(code, Some(0));
    assert!(said.starts_with("# Split tunnel: "), "{said}");
    assert!(
        said.contains("\n\n## Step 2: the laptop's end\n\n- On laptop"),
        "{said}"
    );
    assert!(
        said.contains("\n\nThen must hold:\n\n- Within 400 ms laptop reaches"),
        "{said}"
    );
}

#[test]
fn a_wrong_file_is_shown_and_not_told() {
    let (code, said, errors) = explain(&["invalid/host-unknown.toml"]);
    assert_eq!((code, said.as_str()), (Some(2), ""));
    assert!(errors.contains("there is no host"), "{errors}");
}

#[test]
fn leftovers_would_be_seen() {
    for text in [
        "for Some(1)",
        "a list [\"x\"]",
        "Link { name }",
        "records in ..",
        "a `b",
    ] {
        assert!(!leftovers(Path::new("x"), text).is_empty(), "{text}");
    }
    assert_eq!(
        leftovers(Path::new("x"), "runs `sh -c '{ [ x ]; }'`."),
        Vec::<String>::new()
    );
}
