//! From a host to an archive, from that to a scenario, and to the host of that.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fps_lab::customer;
use fps_lab::snapshot::{Entry, Snapshot};

/// The expectation that never holds, so that a run keeps the state of its hosts.
const KEEP: &str = r#"

[[step]]
name   = "keep the state"
expect = { kernel = { name = "kept", on = "customer", sysctls = "net.ipv4.ip_default_ttl = 3", within = "1ms" } }
"#;

/// A host that was collected, and the scenario that came of it.
pub(crate) struct Trip {
    folder: tempfile::TempDir,
    /// The host that was collected.
    pub(crate) before: Snapshot,
    /// The scenario.
    pub(crate) scenario: String,
}

impl Trip {
    /// Plays a scenario with a host `customer`, collects that and imports it.
    pub(crate) fn make(lab: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path();
        let collect = path.join("collect.sh");
        fs::write(&collect, customer::SCRIPT).expect("write the script");
        let run = format!("cd {} && dash collect.sh", path.display());
        let collecting = format!(
            "\n[[step]]\ndo = {{ run = {{ on = \"customer\", command = [\"sh\", \"-c\", \"{run}\"] }} }}\n"
        );
        let before = state(path, "source", &format!("{lab}{collecting}{KEEP}"));
        let archive = archive(path);
        let imported = path.join("imported.toml");
        let mut import = Command::new(env!("CARGO_BIN_EXE_fps-lab"));
        import.arg("import").arg(&archive).arg("-o").arg(&imported);
        let ended = import.output().expect("fps-lab starts");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{said}");
        let scenario = fs::read_to_string(&imported).expect("the scenario");
        Self {
            folder,
            before,
            scenario,
        }
    }

    /// Takes the acts with a text out of the scenario.
    pub(crate) fn drop_acts(&mut self, sign: &str) {
        let is_act = |line: &&str| line.contains("on = \"customer\"") && !line.contains("kernel =");
        let kept: Vec<&str> = self
            .scenario
            .lines()
            .filter(|line| !(is_act(line) && line.contains(sign) && line.ends_with(',')))
            .collect();
        let scenario = kept.join("\n");
        assert!(
            scenario.len() + 2 < self.scenario.len(),
            "no act has {sign}: {scenario}"
        );
        // What it checks of itself is not what is tested here.
        let end = scenario.find("[[step]]\nname = \"it is as it was\"");
        self.scenario = scenario[..end.expect("the last step")].to_owned();
    }

    /// The host of the scenario, when all is done.
    pub(crate) fn after(&self) -> Snapshot {
        state(
            self.folder.path(),
            "again",
            &format!("{}{KEEP}", self.scenario),
        )
    }
}

/// The archive in a folder.
pub(crate) fn archive(folder: &Path) -> PathBuf {
    let listing = fs::read_dir(folder).expect("the folder");
    let mut paths = listing.map(|entry| entry.expect("an entry").path());
    let is = |path: &PathBuf| path.extension().is_some_and(|it| it == "gz");
    paths.find(is).expect("an archive")
}

/// Plays a scenario, of which the last step alone fails; gives what its host was like then.
fn state(folder: &Path, name: &str, text: &str) -> Snapshot {
    let file = folder.join(format!("{name}.toml"));
    fs::write(&file, text).expect("write the scenario");
    let out = folder.join("out");
    let mut run = Command::new(env!("CARGO_BIN_EXE_fps-lab"));
    run.arg("run").arg(&file).arg("--out").arg(&out);
    let ended = run.output().expect("fps-lab starts");
    let said = String::from_utf8_lossy(&ended.stdout);
    let errors = String::from_utf8_lossy(&ended.stderr);
    let kept = said
        .lines()
        .find_map(|line| line.split_once("state of each host: "));
    let kept = kept.unwrap_or_else(|| panic!("nothing was kept\n{said}{errors}{text}"));
    let others = ["FAILED   ", "FAILED kept"];
    let mut failed = said.lines().filter(|line| line.contains("FAILED "));
    let alone = failed.all(|line| others.iter().any(|it| line.contains(it)));
    assert!(alone && !said.contains("UNSURE"), "{said}{errors}{text}");
    let prefix = kept.1.split("HOST").next().expect("a path");
    let json = fs::read_to_string(format!("{prefix}customer.json")).expect("a snapshot");
    serde_json::from_str(&json).expect("the snapshot is JSON")
}

/// What is other in a host that was imported. These are not compared:
///
/// - of links all but whether they are up, and the MTU: the lab's are all veth pairs, with hardware
///   addresses of their own
/// - the kernel's own routes to ff00::/8, and to the anycast addresses of a router: a link has them by
///   its kind, and not by what somebody does
/// - which part of the kernel made an address (`proto` of `ip -d addr`): link-local ones are set by hand
/// - sysctls that the import does not look at, see `import/sysctls.rs`
pub(crate) fn changes(before: &Snapshot, after: &Snapshot) -> Vec<String> {
    let changes = Snapshot::diff(&compared(before), &compared(after));
    changes.iter().map(ToString::to_string).collect()
}

fn compared(snapshot: &Snapshot) -> Snapshot {
    let mut rest = snapshot.clone();
    rest.links = rest
        .links
        .iter()
        .map(|link| only(link, &["dev", "state", "mtu"]))
        .collect();
    rest.addresses = rest
        .addresses
        .iter()
        .map(|it| without(it, "proto"))
        .collect();
    let kernels = |route: &Entry| {
        let kind = route.get("type");
        kind == Some("anycast") || kind == Some("multicast") && route.get("to") == Some("ff00::/8")
    };
    rest.routes.retain(|route| !kernels(route));
    rest.sysctls
        .retain(|key, _| fps_lab::import::is_imported(key));
    rest
}

fn only(entry: &Entry, words: &[&str]) -> Entry {
    let mut rest = Entry::default();
    for (word, value) in entry.iter().filter(|(word, _)| words.contains(word)) {
        rest.set(word, value);
    }
    rest
}

fn without(entry: &Entry, left_out: &str) -> Entry {
    let mut rest = Entry::default();
    for (word, value) in entry.iter().filter(|(word, _)| *word != left_out) {
        rest.set(word, value);
    }
    rest
}
