//! docs/scenario-format.md and the schema have the same keys.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use fps_lab::scenario::parse;
use fps_lab::scenario::schema::Form;
use regex::Regex;
use serde_json::Value;

/// The tables of the document whose first column is keys or verbs, in its order, by the definition of the
/// schema that has these.
const TABLES: [&str; 25] = [
    "the top",
    "Net",
    "Host",
    "Link",
    "Route",
    "DnsServer",
    "DhcpServer",
    "Advertisement",
    "Program",
    "Tunnel",
    "Tunnel",
    "Step",
    "Act",
    "Routes",
    "LinkChange",
    "RuleChange",
    "AddressChange",
    "Firewall",
    "Impair",
    "Expectation",
    "Reach",
    "Kernel",
    "Sabotage",
    "Change",
    "the top of a footprint",
];

/// Which have keys in several tables; each of the others has all of its own in one.
const IN_PARTS: [&str; 3] = ["Tunnel", "Reach", "Kernel"];

/// What the cells of acts and expectations have in backticks that is no key.
const NO_KEYS: [&str; 6] = ["true", "false", "kbit", "mbit", "gbit", "regex"];

/// What stands in backticks.
static CODE: LazyLock<Regex> = LazyLock::new(|| Regex::new("`([^`]+)`").expect("a pattern"));
/// A key with a value, anywhere: `{ before = STEP }`.
static GIVEN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"([a-z][a-z0-9-]*) = ").expect("a pattern"));
/// A key alone, or what it is the beginning of: `link.NAME`, `start = WHO`.
static KEY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^([a-z][a-z0-9-]*)(?:\.[A-Z]+|\.\x22.*| = .*)?$").expect("a pattern")
});

#[test]
fn every_table_of_the_document_has_the_keys_of_the_schema() {
    let (scenario, footprint) = (Form::Scenario.schema(), Form::Footprint.schema());
    let document = document();
    let found = tables(&document);
    assert_eq!(
        found.len(),
        TABLES.len(),
        "tables with keys in docs/scenario-format.md"
    );
    let known: BTreeSet<String> = every_key(&scenario)
        .union(&every_key(&footprint))
        .cloned()
        .collect();
    let mut wrong = Vec::new();
    for (definition, rows) in TABLES.iter().zip(&found) {
        let schema = match *definition {
            "the top" => &scenario,
            "the top of a footprint" => &footprint,
            name => &scenario["definitions"][name],
        };
        let mut told = BTreeSet::new();
        for row in rows {
            let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
            told.extend(keys(cells[0]));
            // Acts and expectations have their own keys in the last column.
            if ["Act", "Expectation"].contains(definition) {
                let last = cells.last().copied().unwrap_or_default();
                let others = keys(last).into_iter().filter(|key| !known.contains(key));
                wrong.extend(
                    others.map(|key| format!("{definition}: nothing has `{key}`: {}", cells[0])),
                );
            }
        }
        let has = keys_of(schema);
        wrong.extend(
            told.difference(&has)
                .map(|key| format!("{definition} has no `{key}`")),
        );
        if !IN_PARTS.contains(definition) {
            let untold = has.difference(&told);
            wrong.extend(untold.map(|key| format!("the table of {definition} lacks `{key}`")));
        }
    }
    assert!(
        wrong.is_empty(),
        "docs/scenario-format.md: {}",
        wrong.join("\n")
    );
}

#[test]
fn every_key_of_the_schema_is_in_the_document() {
    let text = document();
    // By lines: a code of two backticks would turn the others around.
    let codes = text.lines().flat_map(|line| CODE.find_iter(line));
    let given = codes.flat_map(|code| GIVEN.captures_iter(code.as_str()));
    let given = given.map(|key| key[1].to_owned());
    let told: BTreeSet<String> = keys(&text).into_iter().chain(given).collect();
    let mut untold = Vec::new();
    for form in [Form::Scenario, Form::Footprint] {
        untold.extend(every_key(&form.schema()).difference(&told).cloned());
    }
    assert!(
        untold.is_empty(),
        "docs/scenario-format.md does not tell of {untold:?}"
    );
}

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/scenario-format.md");
    fs::read_to_string(path).expect("the document")
}

/// The rows of each table whose head names what has keys.
fn tables(text: &str) -> Vec<Vec<&str>> {
    let heads = ["| Key |", "| Act |", "| Expectation |", "| Change |"];
    let mut found: Vec<Vec<&str>> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if !line.starts_with('|') {
            inside = false;
        } else if heads.iter().any(|head| line.starts_with(head)) {
            inside = true;
            found.push(Vec::new());
        } else if inside
            && !line.starts_with("|---")
            && let Some(rows) = found.last_mut()
        {
            rows.push(line);
        }
    }
    found
}

/// The keys among what stands in backticks.
fn keys(text: &str) -> Vec<String> {
    let codes = text.lines().flat_map(|line| CODE.captures_iter(line));
    let keys = codes.filter_map(|code| Some(KEY.captures(code.get(1)?.as_str())?[1].to_owned()));
    keys.filter(|key| !NO_KEYS.contains(&key.as_str()))
        .collect()
}

/// The keys of all tables of a schema.
fn every_key(schema: &Value) -> BTreeSet<String> {
    let definitions = schema["definitions"].as_object().expect("definitions");
    definitions
        .values()
        .chain([schema])
        .flat_map(keys_of)
        .collect()
}

/// The keys of one table of a schema.
fn keys_of(schema: &Value) -> BTreeSet<String> {
    let keys = schema["properties"].as_object().into_iter().flatten();
    keys.map(|(key, _)| key.clone()).collect()
}

/// The last block of the document is a scenario, and has one of each verb.
#[test]
fn one_of_each_is_valid_and_whole() {
    let document = document();
    let (_, rest) = document.rsplit_once("```toml\n").expect("a block");
    let (text, _) = rest.split_once("```").expect("its end");
    let file = parse(Path::new("one-of-each.toml"), text).unwrap_or_else(|error| panic!("{error}"));
    assert!(!file.scenario.steps.is_empty());
    let schema = Form::Scenario.schema();
    for of in ["Act", "Expectation"] {
        let verbs = schema["definitions"][of]["properties"]
            .as_object()
            .expect("verbs");
        let missing: Vec<&String> = verbs
            .keys()
            .filter(|verb| !text.contains(&format!("{{ {verb} = ")))
            .collect();
        assert!(missing.is_empty(), "{of}: {missing:?}");
    }
}
