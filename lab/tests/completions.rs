//! What `fps-lab completions` and `fps-lab man` print is what shells and man(1) take.

use std::fs;
use std::process::{Command, Output};

use fps_lab::multicall::{PROGRAMS, commands};
use rstest::rstest;

fn fps_lab(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_fps-lab"))
        .args(arguments)
        .output();
    output.expect("fps-lab runs")
}

/// What bash proposes for a command line, with the completions of this program.
fn proposed(program: &str, line: &str) -> Vec<String> {
    let script = fps_lab(&["completions", "bash", "--of", program]);
    assert!(script.status.success(), "{script:?}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("completions");
    fs::write(&path, &script.stdout).expect("it can be written");
    // As readline does for a tab at the end of the line.
    let ask = r#"
        source "$1" || exit 1
        function=$(complete -p -- "$2" | sed -E 's/.*-F ([^ ]+).*/\1/') || exit 1
        read -ra COMP_WORDS <<< "$3"
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        "$function" "$2" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", ask, "bash"])
        .arg(&path)
        .args([program, line]);
    let output = bash.output().expect("bash runs");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace().map(str::to_owned).collect()
}

#[rstest]
#[case("fps-lab", "fps-lab ru", "run")]
#[case("fps-lab", "fps-lab run --sabo", "--sabotage")]
#[case("fps-lab", "fps-lab schema --of foot", "footprint")]
#[case("fps-route", "fps-route app", "apply")]
#[case("fps_client", "fps_client --conf", "--config")]
#[case("fps-dns", "fps-dns flush", "flush-caches")]
fn bash_completes_what_is_begun(#[case] program: &str, #[case] line: &str, #[case] wanted: &str) {
    assert_eq!(proposed(program, line), [wanted]);
}

#[test]
fn bash_proposes_nothing_for_what_is_no_command() {
    assert_eq!(proposed("fps-lab", "fps-lab xyzzy"), Vec::<String>::new());
}

#[test]
fn every_shell_gets_a_script_for_every_program() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        for program in PROGRAMS.into_iter().chain(["fps-lab"]) {
            let output = fps_lab(&["completions", shell, "--of", program]);
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success() && text.contains(program),
                "{shell}, {program}: {output:?}"
            );
        }
    }
}

#[test]
fn every_program_and_every_command_has_a_page_without_a_warning() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().to_str().expect("a path");
    let output = fps_lab(&["man", "--out", out]);
    assert!(output.status.success(), "{output:?}");
    for command in commands() {
        let name = command.get_name().to_owned();
        let inner = command
            .get_subcommands()
            .map(|it| format!("{name}-{}", it.get_name()));
        for page in inner.chain([name.clone()]) {
            let path = folder.path().join(format!("{page}.1"));
            let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{page}.1: {e}"));
            assert!(text.contains(".SH SYNOPSIS"), "{page}.1: {text}");
        }
    }
    let printed = fps_lab(&["man", "fps-lab-run"]);
    let page = fs::read(folder.path().join("fps-lab-run.1")).expect("a page");
    assert_eq!(
        printed.stdout, page,
        "a page that is printed is the one that is written"
    );
    for entry in fs::read_dir(folder.path()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let groff = Command::new("groff")
            .args(["-man", "-Tutf8", "-wall", "-z"])
            .arg(&path)
            .output();
        let Ok(groff) = groff else {
            // ci/setup installs it where it can; the pages themselves were looked at above.
            eprintln!("NOT CHECKED: the pages' markup, since this machine has no groff");
            return;
        };
        let said = String::from_utf8_lossy(&groff.stderr);
        assert!(
            groff.status.success() && said.is_empty(),
            "{}: {said}",
            path.display()
        );
    }
}
