//! The resolver of a host, with a file of the test's own in the place of /etc/resolv.conf.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long anything may take before a test fails.
const DEADLINE: Duration = Duration::from_secs(10);
const LAN: &str = "search lan\nnameserver 192.0.2.1\n";

struct Host(TempDir);

impl Host {
    fn new(text: &str) -> Self {
        let host = Self(tempfile::tempdir().unwrap());
        fs::write(host.file(), text).unwrap();
        host
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("resolv.conf")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fps-dns"));
        command
            .args(words)
            .arg("--listen=127.0.0.1:0")
            .env("FPS_DNS_STATE_DIR", self.0.path().join("state"))
            .env("FPS_DNS_RESOLV_CONF", self.file());
        command
    }

    fn call(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    fn tell(&self, words: &[&str]) {
        let Output { status, stderr, .. } = self.call(words);
        let said = String::from_utf8(stderr).unwrap();
        assert!(status.success(), "{words:?}: {said}");
    }

    fn status(&self) -> Value {
        serde_json::from_slice(&self.call(&["status"]).stdout).unwrap()
    }

    fn pid(&self) -> Pid {
        let pid = self.status()["pid"].as_i64().expect("it runs");
        Pid::from_raw(pid.try_into().unwrap())
    }

    /// Kills it, and waits until it is gone.
    fn kill(&self) {
        kill(self.pid(), Signal::SIGKILL).unwrap();
        self.until(|| self.status().is_null());
    }

    fn until(&self, holds: impl Fn() -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !holds() {
            assert!(
                Instant::now() < deadline,
                "{}\n{}",
                self.text(),
                self.status()
            );
        }
    }

    fn asks(&self, servers: &[&str]) -> bool {
        self.status()["default"] == json!(servers)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(pid) = self.status()["pid"].as_i64() {
            let _ = kill(Pid::from_raw(pid.try_into().unwrap()), Signal::SIGKILL);
        }
    }
}

#[test]
fn the_first_setting_takes_the_file_over_and_the_last_one_that_goes_gives_it_back() {
    let host = Host::new(LAN);
    host.tell(&["domain", "lo", "~fps.test", "corp.test"]);
    host.tell(&["dns", "lo", "127.0.0.9:5353"]);
    host.tell(&["dns", "tun9", "127.0.0.8:5353"]);
    assert!(host.asks(&["192.0.2.1:53"]));
    let text = host.text();
    assert!(
        text.contains("\nnameserver 127.0.0.1\nsearch lan corp.test\n"),
        "{text}"
    );
    assert_eq!(
        host.status()["links"]["lo"],
        json!({"servers": ["127.0.0.9:5353"], "domains": ["~fps.test", "corp.test"]})
    );
    host.tell(&["revert", "tun9"]);
    assert_ne!(host.text(), LAN);
    host.tell(&["revert", "lo"]);
    assert_eq!(host.text(), LAN);
    assert!(host.status().is_null());
    // What is gone is no error.
    host.tell(&["revert", "lo"]);
    host.tell(&["flush-caches"]);
}

#[test]
fn a_file_that_was_not_there_goes_again() {
    let host = Host::new("");
    fs::remove_file(host.file()).unwrap();
    host.tell(&["dns", "lo", "127.0.0.9:5353"]);
    assert!(host.file().exists());
    host.tell(&["revert", "lo"]);
    assert!(!host.file().exists());
}

#[test]
fn sigterm_gives_the_file_back_and_the_settings_are_there_next_time() {
    let host = Host::new(LAN);
    host.tell(&["dns", "lo", "127.0.0.9:5353"]);
    kill(host.pid(), Signal::SIGTERM).unwrap();
    host.until(|| host.status().is_null());
    host.until(|| host.text() == LAN);
    host.tell(&["domain", "lo", "~fps.test"]);
    let expected = json!({"servers": ["127.0.0.9:5353"], "domains": ["~fps.test"]});
    assert_eq!(host.status()["links"]["lo"], expected);
    host.tell(&["revert", "lo"]);
}

#[test]
fn whoever_writes_the_file_names_whom_to_ask_and_it_stays_ours() {
    let host = Host::new(LAN);
    host.tell(&["dns", "lo", "127.0.0.9:5353"]);
    let is_ours = || host.text().contains("nameserver 127.0.0.1\n");
    let other = host.file().with_extension("new");
    fs::write(&other, "nameserver 192.0.2.2\n").unwrap();
    fs::rename(&other, host.file()).unwrap();
    host.until(|| host.asks(&["192.0.2.2:53"]) && is_ours());
    fs::write(host.file(), "nameserver 192.0.2.3\nnameserver 192.0.2.4\n").unwrap();
    host.until(|| host.asks(&["192.0.2.3:53", "192.0.2.4:53"]) && is_ours());
    fs::remove_file(host.file()).unwrap();
    host.until(|| host.file().exists() && is_ours());
    assert!(host.asks(&["192.0.2.3:53", "192.0.2.4:53"]));
    // Who has read ours hands out what it names.
    fs::write(host.file(), "nameserver 127.0.0.1\n").unwrap();
    host.until(|| host.text().starts_with('#') && is_ours());
    assert!(host.asks(&["192.0.2.3:53", "192.0.2.4:53"]));
    host.tell(&["revert", "lo"]);
    assert_eq!(host.text(), "nameserver 192.0.2.3\nnameserver 192.0.2.4\n");
}

#[test]
fn one_that_was_killed_is_followed_by_one_that_knows_what_it_knew() {
    let host = Host::new(LAN);
    host.tell(&["dns", "lo", "127.0.0.9:5353"]);
    host.tell(&["dns", "tun9", "127.0.0.8:5353"]);
    host.kill();
    assert_ne!(host.text(), LAN, "nobody has given it back");
    host.tell(&["domain", "lo", "~fps.test"]);
    assert!(host.asks(&["192.0.2.1:53"]));
    assert_eq!(
        host.status()["links"]["tun9"]["servers"],
        json!(["127.0.0.8:5353"])
    );
    host.tell(&["revert", "tun9"]);
    host.kill();
    host.tell(&["revert", "lo"]);
    assert_eq!(host.text(), LAN);
}

#[test]
fn without_its_backup_the_file_itself_says_what_was_there() {
    let host = Host::new(LAN);
    host.tell(&["dns", "lo", "127.0.0.9:5353"]);
    host.kill();
    fs::remove_dir_all(host.0.path().join("state")).unwrap();
    host.tell(&["dns", "lo", "127.0.0.9:5353"]);
    assert!(host.asks(&["192.0.2.1:53"]));
    host.kill();
    fs::remove_dir_all(host.0.path().join("state")).unwrap();
    host.tell(&["revert", "lo"]);
    assert_eq!(host.text(), LAN);
}

#[test]
fn what_somebody_wrote_after_it_was_killed_stays() {
    let host = Host::new(LAN);
    host.tell(&["dns", "lo", "127.0.0.9:5353"]);
    host.kill();
    fs::write(host.file(), "nameserver 192.0.2.2\n").unwrap();
    host.tell(&["revert", "lo"]);
    assert_eq!(host.text(), "nameserver 192.0.2.2\n");
}

#[test]
fn of_many_that_start_at_once_one_runs() {
    let host = Host::new(LAN);
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..8)
            .map(|n| {
                let (host, link) = (&host, format!("tun{n}"));
                scope.spawn(move || host.tell(&["dns", &link, "127.0.0.9:5353"]))
            })
            .collect();
        calls.into_iter().for_each(|call| call.join().unwrap());
    });
    assert_eq!(host.status()["links"].as_object().unwrap().len(), 8);
}

#[test]
fn what_cannot_be_is_told_and_changes_nothing() {
    let host = Host::new(LAN);
    for (words, code, expected) in [
        (&["dns", "a/b", "127.0.0.9"][..], 2, "`a/b`"),
        (&["dns", "lo", "dns.test"], 2, "\"dns.test\" is no server"),
        (&["domain", "lo", "a..b"], 2, "\"a..b\" is no domain"),
        (&["default-route", "lo", "maybe"], 2, "maybe"),
    ] {
        let Output { status, stderr, .. } = host.call(words);
        let said = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(code), "{words:?}: {said}");
        assert!(said.contains(expected), "{words:?}: {said}");
    }
    assert!(host.status().is_null());
    assert_eq!(host.text(), LAN);
    // A folder cannot be taken over.
    fs::remove_file(host.file()).unwrap();
    fs::create_dir(host.file()).unwrap();
    let Output { status, stderr, .. } = host.call(&["dns", "lo", "127.0.0.9"]);
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("cannot take over"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn what_somebody_has_written_is_learned_also_where_a_setting_changes_at_once() {
    let host = Host::new(LAN);
    host.tell(&["dns", "lo", "127.0.0.9:5353"]);
    for round in 2..12 {
        let server = format!("192.0.2.{round}");
        fs::write(host.file(), format!("nameserver {server}\n")).unwrap();
        host.tell(&["domain", "lo", &format!("~d{round}.test")]);
        host.until(|| host.asks(&[&format!("{server}:53")]));
        host.until(|| host.text().contains("nameserver 127.0.0.1\n"));
    }
}

#[test]
fn the_unit_calls_it_as_it_is_and_hears_that_it_is_ready() {
    let unit = include_str!("../../systemd/fps-dns.service");
    let line = unit
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="));
    let (path, words) = line.unwrap().split_once(' ').unwrap();
    assert!(path.ends_with("/fps-dns"), "{path}");
    let host = Host::new(LAN);
    let socket = host.0.path().join("notify");
    let listener = UnixDatagram::bind(&socket).unwrap();
    listener.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut child = host
        .command(&words.split(' ').collect::<Vec<_>>())
        .env("NOTIFY_SOCKET", &socket)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = [0; 64];
    let length = listener.recv(&mut said).expect("it says that it is ready");
    assert_eq!(&said[..length], b"READY=1\n");
    // It stays when the last setting goes.
    host.tell(&["dns", "lo", "127.0.0.9:5353"]);
    host.tell(&["revert", "lo"]);
    assert_ne!(host.text(), LAN);
    kill(host.pid(), Signal::SIGTERM).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(host.text(), LAN);
}

/// Whoever has started it from another network namespace must not lose the file.
#[test]
fn a_file_that_is_another_networks_too_is_not_taken_over() {
    for (call, is_left) in [("dns lo 127.0.0.9:5353", false), ("revert lo", true)] {
        let host = Host::new(LAN);
        if is_left {
            // As one leaves it that is killed.
            host.tell(&["dns", "lo", "127.0.0.9:5353"]);
            host.kill();
        }
        let before = host.text();
        // The outer shell is in one network, what it starts in another.
        let inside = format!("ip link set lo up && \"$0\" {call} --listen=127.0.0.1:0");
        let outside = format!("unshare --net sh -c '{inside}' \"$0\"; exit $?");
        let mut outer = match nix::unistd::geteuid().is_root() {
            true => Command::new("sh"),
            false => Command::new("unshare"),
        };
        if !nix::unistd::geteuid().is_root() {
            outer.args(["--map-root-user", "sh"]);
        }
        outer.args(["-c", &outside, env!("CARGO_BIN_EXE_fps-dns")]);
        outer.env("FPS_DNS_STATE_DIR", host.0.path().join("inside"));
        outer.env("FPS_DNS_RESOLV_CONF", host.file());
        let said = String::from_utf8(outer.output().unwrap().stderr).unwrap();
        let sign = "is also that of another network namespace";
        assert!(said.contains(sign), "{call}: {said}");
        assert_eq!(host.text(), before, "{call}");
    }
}

#[test]
fn its_own_address_is_never_given_back() {
    let host = Host::new(LAN);
    host.tell(&["dns", "lo", "127.0.0.9:5353"]);
    let mixed = "nameserver 127.0.0.1\nnameserver 192.0.2.2\n";
    fs::write(host.file(), mixed).unwrap();
    host.until(|| host.asks(&["192.0.2.2:53"]));
    // Somebody puts a line before ours, which is not all of it.
    let before = format!("nameserver 192.0.2.3\n{}", host.text());
    fs::write(host.file(), before).unwrap();
    host.until(|| host.asks(&["192.0.2.2:53", "192.0.2.3:53"]));
    host.tell(&["revert", "lo"]);
    assert_eq!(host.text(), "nameserver 192.0.2.2\nnameserver 192.0.2.3\n");
}

#[test]
fn what_was_added_after_it_was_killed_counts() {
    for starts_again in [false, true] {
        let host = Host::new(LAN);
        host.tell(&["dns", "lo", "127.0.0.9:5353"]);
        host.kill();
        let added = format!("{}nameserver 192.0.2.2\n", host.text());
        fs::write(host.file(), added).unwrap();
        if starts_again {
            host.tell(&["dns", "lo", "127.0.0.9:5353"]);
            assert!(host.asks(&["192.0.2.1:53", "192.0.2.2:53"]));
        }
        host.tell(&["revert", "lo"]);
        assert_eq!(host.text(), format!("{LAN}nameserver 192.0.2.2\n"));
    }
}

#[test]
fn a_link_is_one_again_also_without_the_backup() {
    for keeps_state in [true, false] {
        let host = Host::new("");
        let target = host.0.path().join("lan.conf");
        fs::write(&target, "nameserver 192.0.2.2\n").unwrap();
        fs::remove_file(host.file()).unwrap();
        symlink("lan.conf", host.file()).unwrap();
        host.tell(&["dns", "lo", "127.0.0.9:5353"]);
        assert!(host.asks(&["192.0.2.2:53"]));
        fs::write(&target, "nameserver 192.0.2.3\n").unwrap();
        host.until(|| host.asks(&["192.0.2.3:53"]));
        host.kill();
        if !keeps_state {
            fs::remove_dir_all(host.0.path().join("state")).unwrap();
        }
        host.tell(&["dns", "lo", "127.0.0.9:5353"]);
        assert!(host.asks(&["192.0.2.3:53"]));
        host.tell(&["revert", "lo"]);
        assert_eq!(
            fs::read_link(host.file()).unwrap().to_str(),
            Some("lan.conf")
        );
    }
}

#[test]
fn a_file_that_names_nobody_is_no_reason_to_forget_who_was_named() {
    for text in ["", "nameserver 127.0.0.1\n"] {
        let host = Host::new(LAN);
        host.tell(&["dns", "lo", "127.0.0.9:5353"]);
        host.kill();
        fs::write(host.file(), text).unwrap();
        host.tell(&["dns", "lo", "127.0.0.9:5353"]);
        assert!(host.asks(&["192.0.2.1:53"]), "{text:?}: {}", host.status());
        host.tell(&["revert", "lo"]);
        assert_eq!(host.text(), LAN);
    }
}

#[test]
fn everybody_may_read_the_file_and_root_alone_may_tell_it() {
    let host = Host::new("");
    fs::remove_file(host.file()).unwrap();
    let script = "umask 077; \"$0\" dns lo 127.0.0.9:5353 --listen=127.0.0.1:0";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_fps-dns")]);
    shell.env("FPS_DNS_STATE_DIR", host.0.path().join("state"));
    shell.env("FPS_DNS_RESOLV_CONF", host.file());
    assert!(shell.status().unwrap().success());
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(host.file()), 0o644);
    let mut state = fs::read_dir(host.0.path().join("state")).unwrap();
    assert_eq!(mode(state.next().unwrap().unwrap().path()), 0o700);
}
