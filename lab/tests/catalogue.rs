//! The lists of the library say what is there: `scenarios/README.md` has each scenario with the
//! reports that its `origin` names, and `docs/catalogue.md` each report with scenarios of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use fps_lab::scenario::load;
use regex::Regex;

/// Below `scenarios/`: no scenarios, or wrong ones.
const LEFT_OUT: [&str; 2] = ["invalid", "footprints"];

/// A link to a scenario in a list, by its path below `scenarios/`.
static LINK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\]\((?:\.\./scenarios/)?([^()#]+\.toml)\)").expect("a pattern"));

/// A report: the project, where it is said anew, and the number; or one that has no number.
static REPORT: LazyLock<Regex> = LazyLock::new(|| {
    let numbered = r"(?:([A-Za-z][\w-]*)(?: PR)?)?#(\d+)";
    let other = r"(CVE-\d+-\d+|mullvad 2020\.2-beta1|wireguard-tools 5150cd6)";
    Regex::new(&format!("{numbered}|{other}")).expect("a pattern")
});

#[test]
fn the_readme_lists_each_scenario_with_its_reports() {
    let mut listed = BTreeMap::new();
    for (files, line) in rows("scenarios/README.md") {
        let [file] = files.as_slice() else {
            panic!("not one scenario in the row {line}");
        };
        let cell = line.trim_end_matches(['|', ' ']).rsplit('|').next();
        let twice = listed.insert(file.clone(), reports(cell.unwrap_or_default()));
        assert!(twice.is_none(), "{file} is listed twice");
    }
    let on_disk = on_disk();
    let unlisted: Vec<_> = on_disk
        .keys()
        .filter(|file| !listed.contains_key(*file))
        .collect();
    assert!(
        unlisted.is_empty(),
        "scenarios/README.md has no row for {unlisted:?}"
    );
    for (file, told) in listed {
        let replayed = on_disk.get(&file);
        let replayed = replayed.unwrap_or_else(|| panic!("there is no scenario {file}"));
        assert_eq!(
            told, *replayed,
            "{file}: its row (left), and its `origin` (right)"
        );
    }
}

#[test]
fn the_catalogue_leads_from_each_report_to_scenarios_of_it() {
    let on_disk = on_disk();
    let mut told = BTreeSet::new();
    for (files, line) in rows("docs/catalogue.md") {
        let wanted = reports(&line);
        for file in files {
            let replayed = on_disk.get(&file);
            let replayed = replayed.unwrap_or_else(|| panic!("there is no scenario {file}"));
            assert!(
                !replayed.is_disjoint(&wanted),
                "{file} names no report of {line}"
            );
        }
        told.extend(wanted);
    }
    let replayed: BTreeSet<String> = on_disk.into_values().flatten().collect();
    let only_told: Vec<_> = told.difference(&replayed).collect();
    let untold: Vec<_> = replayed.difference(&told).collect();
    assert!(only_told.is_empty(), "no `origin` names {only_told:?}");
    assert!(
        untold.is_empty(),
        "docs/catalogue.md does not tell of {untold:?}"
    );
}

#[test]
fn reports_are_read_as_they_are_written() {
    let text = "CVE-2024-3661 (algo#14720); lightway PR#495, #492, PR#7: a loop; openwrt#1";
    let read: Vec<String> = reports(text).into_iter().collect();
    let wanted = [
        "CVE-2024-3661",
        "algo#14720",
        "lightway#492",
        "lightway#495",
        "lightway#7",
        "openwrt#1",
    ];
    assert_eq!(read, wanted);
}

/// The rows of a list's tables that have links to scenarios, with the files.
fn rows(list: &str) -> Vec<(Vec<String>, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(list);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let rows: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with('|') && LINK.is_match(line))
        .map(|line| {
            let files = LINK.captures_iter(line).map(|link| link[1].to_owned());
            (files.collect(), line.to_owned())
        })
        .collect();
    assert!(!rows.is_empty(), "no row with a scenario in {list}");
    rows
}

/// The reports that a text names. "#" after a comma is of the project before it; an issue and a
/// pull request share their numbers.
fn reports(text: &str) -> BTreeSet<String> {
    let mut project = None;
    let mut found = BTreeSet::new();
    for report in REPORT.captures_iter(text) {
        if let Some(whole) = report.get(3) {
            found.insert(whole.as_str().to_owned());
            continue;
        }
        // Where "PR" stands alone, the pattern takes it for a name.
        if let Some(name) = report.get(1).filter(|name| name.as_str() != "PR") {
            project = Some(name.as_str());
        }
        let project = project.unwrap_or_else(|| panic!("no project of #{}: {text}", &report[2]));
        found.insert(format!("{project}#{}", &report[2]));
    }
    found
}

/// Each scenario, by its path below `scenarios/`, with the reports of its `origin`.
fn on_disk() -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut paths = Vec::new();
    descend(&root, &mut paths);
    let scenarios = paths.iter().map(|path| {
        let below = path.strip_prefix(&root).expect("found below it");
        let file = load(path).unwrap_or_else(|error| panic!("{error}"));
        let origin = file.scenario.origin.as_deref().unwrap_or_default();
        (below.display().to_string(), reports(origin))
    });
    scenarios.collect()
}

fn descend(folder: &Path, files: &mut Vec<PathBuf>) {
    let listing = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in listing {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            if !LEFT_OUT.iter().any(|name| path.ends_with(name)) {
                descend(&path, files);
            }
        } else if path.extension().is_some_and(|found| found == "toml") {
            files.push(path);
        }
    }
}
