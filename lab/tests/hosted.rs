//! What `.github/workflows` and `ci/action` tell a runner to do can be done: each script and each path
//! that they name is there.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A file of YAML with one document.
fn yaml(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn workflows() -> Vec<(PathBuf, Value)> {
    let folder = root().join(".github/workflows");
    let files = fs::read_dir(&folder).expect("there are workflows");
    let paths = files.map(|file| file.expect("an entry").path());
    let read: Vec<_> = paths.map(|path| (path.clone(), yaml(&path))).collect();
    assert!(!read.is_empty(), "nothing in {}", folder.display());
    read
}

/// The jobs of a workflow, by name.
fn jobs(workflow: &Value) -> Vec<(&str, &Value)> {
    let jobs = workflow["jobs"].as_object().expect("a workflow has jobs");
    jobs.iter()
        .map(|(name, job)| (name.as_str(), job))
        .collect()
}

fn steps(job: &Value) -> &[Value] {
    job["steps"].as_array().expect("a job has steps")
}

/// The scripts in `ci/` that a command calls.
fn scripts(command: &str) -> Vec<&str> {
    let words = command
        .split_whitespace()
        .map(|word| word.trim_matches('"'));
    words.filter(|word| word.starts_with("ci/")).collect()
}

#[test]
fn every_script_that_a_workflow_calls_is_a_program() {
    let mut called = 0;
    for (path, workflow) in workflows() {
        for (name, job) in jobs(&workflow) {
            for script in steps(job)
                .iter()
                .filter_map(|it| it["run"].as_str())
                .flat_map(scripts)
            {
                let about = root().join(script).metadata();
                let is_program = about.is_ok_and(|it| it.permissions().mode() & 0o111 == 0o111);
                assert!(is_program, "{}: {name}: {script}", path.display());
                called += 1;
            }
        }
    }
    assert!(called >= 10, "only {called} calls of scripts");
}

#[test]
fn actions_are_pinned_and_those_of_this_repository_are_there() {
    for (path, workflow) in workflows() {
        for (name, job) in jobs(&workflow) {
            for used in steps(job).iter().filter_map(|it| it["uses"].as_str()) {
                let is_there = match used.strip_prefix("./") {
                    Some(own) => root().join(own).join("action.yml").is_file(),
                    None => used.split_once('@').is_some_and(|(_, version)| {
                        version.starts_with('v') && version[1..].parse::<u32>().is_ok()
                    }),
                };
                assert!(is_there, "{}: {name}: {used}", path.display());
            }
        }
    }
}

#[test]
fn a_job_may_read_and_no_more_ends_in_time_and_leaves_what_it_saw() {
    for (path, workflow) in workflows() {
        let at = path.display();
        let permissions = workflow["permissions"]
            .as_object()
            .expect("permissions are said");
        let all: Vec<_> = permissions
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        assert_eq!(all, [("contents", Some("read"))], "{at}");
        assert!(!workflow["concurrency"].is_null(), "{at}");
        for (name, job) in jobs(&workflow) {
            assert!(job["timeout-minutes"].as_i64().is_some(), "{at}: {name}");
            let mut uploads = steps(job).iter().filter(|step| {
                step["uses"]
                    .as_str()
                    .is_some_and(|it| it.starts_with("actions/upload-artifact@"))
            });
            let kept = uploads.any(|step| step["if"].as_str() == Some("failure()"));
            assert!(kept || name == "lint", "{at}: {name} keeps nothing");
        }
    }
}

#[test]
fn the_jobs_are_those_that_the_documentation_tells_of() {
    let text = fs::read_to_string(root().join("docs/ci.md")).expect("docs/ci.md");
    for (path, workflow) in workflows() {
        for (name, _) in jobs(&workflow) {
            let row = format!("| `{name}` |");
            assert!(
                text.contains(&row),
                "docs/ci.md has no row of {name}, {}",
                path.display()
            );
        }
    }
}

#[test]
fn the_shards_are_all_parts_of_one_count() {
    let workflow = yaml(&root().join(".github/workflows/ci.yml"));
    let shards = &workflow["jobs"]["sharded"]["strategy"]["matrix"]["shard"];
    let shards = shards.as_array().expect("a list of parts");
    let wanted: Vec<_> = (1..=shards.len())
        .map(|n| format!("{n}/{}", shards.len()))
        .collect();
    let said: Vec<_> = shards.iter().filter_map(Value::as_str).collect();
    assert_eq!(said, wanted);
}

#[test]
fn the_action_hands_its_inputs_to_its_script() {
    let folder = root().join("ci/action");
    let action = yaml(&folder.join("action.yml"));
    let steps = action["runs"]["steps"].as_array().expect("it has steps");
    let script = fs::read_to_string(folder.join("play")).expect("its script");
    let mode = folder
        .join("play")
        .metadata()
        .expect("its script")
        .permissions();
    assert_eq!(mode.mode() & 0o111, 0o111);
    assert_eq!(
        steps[0]["run"].as_str(),
        Some("\"$GITHUB_ACTION_PATH/play\"")
    );
    for (name, _) in action["inputs"].as_object().expect("it has inputs") {
        let variable = format!("FPS_LAB_{}", name.to_uppercase());
        let value = steps[0]["env"][variable.as_str()].as_str();
        assert_eq!(value, Some(format!("${{{{ inputs.{name} }}}}").as_str()));
        assert!(script.contains(&variable), "the script knows no {variable}");
    }
}
