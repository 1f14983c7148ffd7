//! Configurations and command lines of the C++ project: the vectors' set 6c. The same are accepted and
//! refused, with the same exit codes, and what is printed is the same; the words of an error are our
//! own.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

const SET: &str = include_str!("data/6c-config-cases.json");

/// What is meant to be otherwise, and why.
fn intended(name: &str) -> Option<&'static str> {
    let strict = "a typing error is told, and not passed over";
    Some(match name {
        "unknown fields are ignored" | "duplicate key: the last one counts" => strict,
        "direction server_to_client" => "not implemented, so not accepted",
        "IPv6 in brackets" => "printed with its brackets, so that it can be read again",
        "shaper: disabled, the rest is not read" => return None,
        name if name.starts_with("shaper: ") => {
            "accepted and told to be without effect, so nothing in it is looked at"
        }
        _ => return None,
    })
}

/// What a program prints, as far as it can be compared: JSON as data, since the order of its keys is
/// nobody's business.
fn comparable(text: &str) -> Value {
    let text = text.trim_end();
    if let Ok(value) = serde_json::from_str(text) {
        return value;
    }
    match fps_wire::profile::from_uri(text) {
        Ok(profile) => profile,
        Err(_) => Value::String(text.replace(" shaper_profile=sh", "")),
    }
}

#[test]
fn every_case_ends_as_with_the_peer() {
    let set: Value = serde_json::from_str(SET).unwrap();
    let mut differing = BTreeMap::new();
    for case in set["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        };
        if let Some(text) = case["config_text"].as_str() {
            write("config.json", text);
        }
        for (file, text) in case["files"].as_object().into_iter().flatten() {
            write(file, text.as_str().unwrap());
        }
        let program = match case["role"].as_str().unwrap() {
            "client" => env!("CARGO_BIN_EXE_fps_client"),
            _ => env!("CARGO_BIN_EXE_fps_server"),
        };
        let args = case["args"].as_array().unwrap();
        let args = args.iter().map(|arg| arg.as_str().unwrap());
        let output = Command::new(program)
            .args(args)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let code = output.status.code().map(i64::from);
        let mut same = code == case["exit_code"].as_i64();
        if same && code == Some(0) {
            let expected = comparable(case["stdout"].as_str().unwrap_or_default());
            same = comparable(&stdout) == expected;
        }
        assert_eq!(stderr.is_empty(), code == Some(0), "{name}: {stderr}");
        if !same {
            differing.insert(name.to_owned(), format!("{code:?} {stdout}{stderr}"));
        }
    }
    let all = set["cases"].as_array().unwrap().iter();
    let names = all.map(|case| case["name"].as_str().unwrap());
    let meant: Vec<_> = names.filter(|name| intended(name).is_some()).collect();
    for name in &meant {
        assert!(differing.remove(*name).is_some(), "{name} does not differ");
    }
    assert!(differing.is_empty(), "{differing:#?}");
}
