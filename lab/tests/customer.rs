//! What a customer runs, and what comes of an archive that is none.

mod common {
    pub(crate) mod ended;
    pub(crate) mod live;
    pub(crate) mod process;
}

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::ended::assert_says;
use common::live::{build, shell};
use common::process::{Ended, Process};
use rstest::rstest;

const LAB: &str = r#"
title    = "A customer's host"
sabotage = []
why      = "a test of collect"

[net.home]
v4 = "192.168.188.0/24"

[host.laptop]
link.wlan0 = { net = "home", ip = "192.168.188.112" }

[[step]]
do = { run = { on = "laptop", command = ["true"] } }
"#;

fn lab(arguments: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fps-lab"));
    command.args(arguments);
    Process::start(command).finish(Duration::from_secs(20))
}

/// Runs commands in a host, with a folder of its own; gives the names in the archive, and its texts.
async fn collected(script: &str) -> (Vec<String>, String) {
    let lab = build(env!("CARGO_BIN_EXE_fps-lab").as_ref(), LAB).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().display();
    let script =
        format!("cd {path}; {script}; ls; mkdir out; tar -xf *.tar* -C out; ls out/*; cat out/*/*");
    let text = shell(&lab, "laptop", &script).await;
    let names = text.lines().take_while(|line| !line.starts_with('['));
    (names.map(str::to_owned).collect(), text)
}

#[rstest]
#[case::script(&[], "cat > collect.sh <<'END'\nTEXT\nEND\ndash collect.sh; rm collect.sh")]
#[case::one_line(&["--one-line"], "TEXT")]
#[tokio::test]
async fn runs_on_a_host_and_leaves_one_archive(#[case] options: &[&str], #[case] how: &str) {
    let printed = lab(&[&["collect"], options].concat());
    let (names, text) = collected(&how.replace("TEXT", printed.text.trim_end())).await;
    let archives = names.iter().filter(|name| name.ends_with(".tar.gz"));
    // The one that it names, and the one that is there.
    assert_eq!(archives.count(), 2, "{names:?}");
    for file in [
        "addr.json",
        "route4.json",
        "rule6.json",
        "sysctl.txt",
        "resolv.conf",
    ] {
        assert!(names.iter().any(|name| name == file), "{file}: {names:?}");
    }
    assert!(text.contains("\"ifname\":\"wlan0\""), "{text}");
    assert!(text.contains("net.ipv4.ip_forward = 0"), "{text}");
}

#[tokio::test]
async fn has_no_secret_and_no_name_of_the_host() {
    let printed = lab(&["collect"]);
    let script = format!(
        "cat > collect.sh <<'END'\n{}\nEND\nsh collect.sh; rm collect.sh",
        printed.text
    );
    let (_, text) = collected(&script).await;
    for secret in ["tcp_fastopen_key", "stable_secret", "laptop"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    // The positive control: these are there to be told.
    let lab = build(env!("CARGO_BIN_EXE_fps-lab").as_ref(), LAB).await;
    let there = shell(
        &lab,
        "laptop",
        "PATH=$PATH:/sbin sysctl net 2>/dev/null; hostname",
    )
    .await;
    assert!(there.contains("tcp_fastopen_key") && there.contains("laptop"));
}

#[tokio::test]
async fn a_missing_program_is_noted_and_ends_nothing() {
    let printed = lab(&["collect"]);
    // Of all programs only these: no nft(8), no sysctl(8), no gzip(1).
    let programs = "sh ip tar date mkdir cat head grep uname id readlink rm dash";
    let script = format!(
        "cat > collect.sh <<'END'\n{}\nEND\nmkdir bin; for p in {programs}; do ln -s $(command -v $p) bin/$p; done\n\
         sed -i /^PATH=/d collect.sh; PATH=$PWD/bin dash collect.sh; rm -r bin collect.sh",
        printed.text
    );
    let (names, text) = collected(&script).await;
    assert!(names.iter().any(|name| name == "missing.txt"), "{names:?}");
    for missing in ["nft.txt: nft -s list ruleset: ", "sysctl.txt: settings: "] {
        assert!(text.contains(missing), "{text}");
    }
    assert!(names.iter().any(|name| name.ends_with(".tar")), "{names:?}");
}

fn tar(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_cksum();
        tar.append_data(&mut header, name, text.as_bytes())
            .expect("a Vec grows");
    }
    tar.into_inner().expect("a Vec grows")
}

#[test]
fn why_tells_what_of_an_archive_it_does_not_know() {
    let archive = tar(&[
        ("a/about.txt", "fps-lab-collect 1\n"),
        (
            "a/addr.json",
            r#"[{"ifindex":2,"ifname":"eth0","flags":["UP"],"addr_info":[{"family":"inet","local":"192.0.2.2","prefixlen":24,"scope":"global"}]}]"#,
        ),
        (
            "a/route4.json",
            r#"[{"type":"unicast","dst":"default","gateway":"192.0.2.1","dev":"eth0","table":"main"}]"#,
        ),
        (
            "a/rule4.json",
            r#"[{"priority":32766,"src":"all","table":"main"}]"#,
        ),
        ("a/missing.txt", "rule6.json: ip: it was not there\n"),
    ]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.tar");
    std::fs::write(&path, archive).expect("write a file");
    let path = path.display().to_string();
    let text = lab(&["why", "customer", "203.0.113.1", "--in", &path]).expect_exit(0);
    for told in [
        "default via 192.0.2.1 dev eth0",
        "fps-lab: not in this answer: was not collected: rule6.json: ip: it was not there",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
}

#[test]
fn says_what_is_wrong_with_an_archive() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("write a file");
        path
    };
    let about = ("a/about.txt", "fps-lab-collect 1\n");
    let cases = [
        (b"not an archive".to_vec(), "it is no tar file"),
        (
            tar(&[("x/y.txt", "text")]),
            "this is no collection of `fps-lab collect`",
        ),
        (tar(&[about]), "the archive has no addr.json"),
        (
            tar(&[about, ("a/addr.json", "[{\"ifname\":")]),
            "addr.json of the archive is no whole JSON",
        ),
        (
            tar(&[about, ("a/addr.json", "{}")]),
            "addr.json of the archive is no list of objects",
        ),
        (
            tar(&[
                about,
                ("a/missing.txt", "addr.json: ip: Option \"-j\" is unknown"),
            ]),
            "the archive has no addr.json (addr.json: ip: Option \"-j\" is unknown): collect once more",
        ),
    ];
    for (number, (bytes, told)) in cases.iter().enumerate() {
        let path = file(&format!("{number}.tar"), bytes);
        refuses(&path, told);
    }
    refuses(&folder.path().join("none"), "open it: No such file");
}

fn refuses(path: &Path, told: &str) {
    let text = lab(&["import", &path.display().to_string()]).expect_exit(2);
    assert_says(&text, &[told]);
}

#[tokio::test]
async fn an_ip_that_prints_no_json_is_told_at_once() {
    let printed = lab(&["collect"]);
    let lab = build(env!("CARGO_BIN_EXE_fps-lab").as_ref(), LAB).await;
    for (case, says) in [
        ("busybox", "echo 'BusyBox v1.30.1'; exit 1"),
        ("plain text", "echo '1: lo: <LOOPBACK>'"),
    ] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let script = format!(
            "cd {}; cat > collect.sh <<'END'\n{}\nEND\nmkdir bin; printf '#!/bin/sh\\n%s\\n' \"{says}\" >bin/ip; \
             chmod +x bin/ip; PATH=$PWD/bin:$PATH dash collect.sh 2>&1 || echo \"exit $?\"; ls",
            folder.path().display(),
            printed.text
        );
        let text = shell(&lab, "laptop", &script).await;
        let lines: Vec<&str> = text.lines().collect();
        let [told, "exit 1", "bin", "collect.sh"] = lines[..] else {
            panic!("{case}: {text}");
        };
        assert!(told.contains("prints no JSON"), "{case}: {text}");
    }
}
