//! What a run does to the folder that it writes to, and what it leaves alone.

mod common {
    pub(crate) mod ended;
    pub(crate) mod process;
}

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::ended::assert_says;
use common::process::Process;
use nix::unistd::geteuid;
use pcap_file::pcapng::blocks::interface_description::InterfaceDescriptionOption;
use pcap_file::pcapng::{Block, PcapNgReader};
use tempfile::TempDir;

/// More than any command here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

const PAIR: &str = r#"
title    = "Two hosts on one net"
sabotage = []
why      = "a test of the lab itself"

[net.home]
v4 = "192.168.188.0/24"

[host.laptop]
link.eth0 = { net = "home", ip = "192.168.188.112" }

[host.printer]
link.eth0 = { net = "home", ip = "192.168.188.20" }

[[step]]
expect = [ { reach = { from = "laptop", to = "printer" } } ]
"#;

/// A folder with a scenario in it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a temporary folder"));
        fs::write(place.path("pair.toml"), PAIR).expect("write a scenario");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A folder that is there before the run.
    fn folder(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(&path).expect("a folder");
        path
    }

    /// `fps-lab run`, as if by sudo; to end with this code. Gives what it wrote.
    #[track_caller]
    fn run(&self, out: &Path, code: i32) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fps-lab"));
        command.arg("run").arg(self.path("pair.toml"));
        command.arg("--out").arg(out);
        command.env("SUDO_UID", "4242").env("SUDO_GID", "4243");
        Process::start(command).finish(PATIENCE).expect_exit(code)
    }
}

#[test]
fn a_second_run_takes_the_place_of_the_first() {
    let place = Place::new();
    let out = place.path("out");
    place.run(&out, 0);
    let stale = out.join("pair/play/stale.log");
    fs::write(&stale, "of the first run").expect("write to the run's folder");
    place.run(&out, 0);
    assert!(!stale.exists(), "the first run's file is left");
    assert!(out.join("pair/play/report.json").is_file(), "no report");
}

#[test]
fn what_is_not_ours_is_not_removed() {
    let place = Place::new();
    let precious = place.folder("home/pair/play").join("thesis.tex");
    fs::write(&precious, "years of work").expect("write a file");
    let said = place.run(&place.path("home"), 3);
    assert_says(
        &said,
        &["not ours to empty", "name another folder with --out"],
    );
    let text = fs::read_to_string(&precious).expect("it is still there");
    assert_eq!(text, "years of work");
}

#[test]
fn no_link_is_followed_below_the_folder() {
    let place = Place::new();
    let (out, elsewhere) = (place.folder("out"), place.folder("elsewhere"));
    symlink(&elsewhere, out.join("pair")).expect("a link");
    let said = place.run(&out, 3);
    assert_says(&said, &["out/pair"]);
    let written = fs::read_dir(&elsewhere).expect("it is there").count();
    assert_eq!(written, 0, "it was followed\n{said}");
}

#[test]
fn a_file_behind_a_link_is_neither_written_nor_given_away() {
    let place = Place::new();
    let (out, secret) = (place.folder("out"), place.path("secret"));
    fs::write(&secret, "root's").expect("write a file");
    symlink(&secret, out.join(".lock")).expect("a link");
    let said = place.run(&out, 3);
    assert_says(&said, &["out/.lock", "symbolic link"]);
    let about = fs::metadata(&secret).expect("it is still there");
    assert_eq!(about.uid(), geteuid().as_raw(), "it was given away\n{said}");
}

#[test]
fn a_strangers_folder_is_refused() {
    let place = Place::new();
    let out = place.folder("out");
    if !geteuid().is_root() {
        // An ordinary user has no way to a stranger's folder, and cannot give any away.
        return assert_says(&place.run(&out, 0), &["1 passed"]);
    }
    chown(&out, Some(4711), None).expect("give it to a stranger");
    let said = place.run(&out, 3);
    assert_says(&said, &["belongs to user 4711", "--out"]);
    let written = fs::read_dir(&out).expect("it is there").count();
    assert_eq!(written, 0, "something was written to it\n{said}");
    chown(&out, Some(4242), None).expect("give it to the caller");
    place.run(&out, 0);
}

#[test]
fn packets_and_state_are_kept_of_a_step_that_failed_and_of_no_other() {
    let place = Place::new();
    let steps = r#"
[[step]]
expect = [ { reach = { from = "laptop", to = "printer" } } ]
[[step]]
expect = [ { unreachable = { from = "laptop", to = "printer", for = "50ms" } } ]
"#;
    let text = [&PAIR[..PAIR.find("[[step]]").expect("it has one")], steps].concat();
    fs::write(place.path("pair.toml"), text).expect("write a scenario");
    let out = place.path("out");
    let said = place.run(&out, 1);
    assert_says(&said, &["pair/play/step-2-HOST.pcapng and .json"]);
    let play = out.join("pair/play");
    assert!(
        !play.join("step-1-laptop.pcapng").exists(),
        "the first step held"
    );
    let (links, icmp) = read_capture(&play.join("step-2-laptop.pcapng"));
    assert_eq!(links, ["eth0"]);
    // The question and its answer at least, behind the cooked header and the IP header.
    assert!(icmp.contains(&8) && icmp.contains(&0), "types {icmp:?}");
    let state = fs::read_to_string(play.join("step-2-printer.json")).expect("the printer's state");
    assert!(state.contains("192.168.188.20/24"), "{state}");
}

/// The names of a capture's interfaces, and the types of its ICMP messages.
fn read_capture(path: &Path) -> (Vec<String>, Vec<u8>) {
    let file = fs::File::open(path).expect("a capture");
    let mut reader = PcapNgReader::new(file).expect("it is pcapng");
    let (mut links, mut types) = (Vec::new(), Vec::new());
    while let Some(block) = reader.next_block() {
        match block.expect("a whole block") {
            Block::InterfaceDescription(interface) => {
                links.extend(interface.options.iter().filter_map(|option| match option {
                    InterfaceDescriptionOption::IfName(name) => Some(name.to_string()),
                    _ => None,
                }));
            }
            Block::EnhancedPacket(packet) => {
                const COOKED: usize = 16;
                const IPV4: usize = 20;
                let of_icmp = packet.data.get(14..16) == Some(&[8, 0])
                    && packet.data.get(COOKED + 9) == Some(&1);
                types.extend(packet.data.get(COOKED + IPV4).filter(|_| of_icmp));
            }
            _ => {}
        }
    }
    (links, types)
}
