//! What a program in a host must not get at, and what must not keep a run from ending.

mod common {
    pub(crate) mod ended;
    pub(crate) mod live;
    pub(crate) mod process;
}

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::live::{build, host, shell};
use common::process::{Ended, Process};
use fps_lab::sandbox::SocketKind;
use nix::sys::stat::{Mode, umask};
use tempfile::TempDir;

/// More than any command here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

const PAIR: &str = r#"
title    = "Two hosts on one net"
sabotage = []
why      = "a test of the lab itself"

[net.home]
v4 = "192.168.188.0/24"

[host.laptop]
link.eth0 = { net = "home", ip = "192.168.188.112" }
routes = [ { to = "10.0.0.0/8", via = "192.168.188.20" } ]

[host.printer]
link.eth0 = { net = "home", ip = "192.168.188.20" }
"#;

/// A test's folder, with the run's folder in it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn out(&self) -> PathBuf {
        self.0.path().join("out")
    }

    /// `fps-lab run` of two hosts on a net and these steps, with this place's run folder.
    fn run(&self, steps: &str) -> Command {
        let file = self.0.path().join("pair.toml");
        fs::write(&file, format!("{PAIR}{steps}")).expect("write a scenario");
        let mut command = Command::new(env!("CARGO_BIN_EXE_fps-lab"));
        command.arg("run").arg(file).arg("--out").arg(self.out());
        command
    }
}

fn finish(command: Command) -> Ended {
    Process::start(command).finish(PATIENCE)
}

/// A step in which sh(1) runs this script on the laptop; it must succeed.
fn script(text: &str) -> String {
    format!(
        "[[step]]\ndo = {{ run = {{ on = \"laptop\", command = [\"sh\", \"-euc\", '''{text}'''] }} }}\n"
    )
}

/// Fails where a program in a host ends in another way than with success.
#[track_caller]
fn succeeds_in_a_host(text: &str) {
    finish(Place::new().run(&script(text))).expect_exit(0);
}

#[test]
fn a_program_has_its_own_three_descriptors_and_no_other() {
    // The fourth is that of the folder that ls(1) lists.
    succeeds_in_a_host("ls -l /proc/self/fd\ntest \"$(ls /proc/self/fd | wc -l)\" = 4");
}

#[test]
fn the_umask_of_who_calls_does_not_reach_the_hosts() {
    let modes = "umask\nstat -c '%a %n' /etc/hosts /run /run/fps-lab/bin\n\
                 test \"$(umask) $(stat -c %a /etc/hosts /run/fps-lab/bin | xargs)\" = '0022 644 755'";
    let place = Place::new();
    let mut command = place.run(&script(modes));
    let strict = || {
        umask(Mode::from_bits_truncate(0o077));
        Ok(())
    };
    // SAFETY: the closure makes one system call.
    unsafe { command.pre_exec(strict) };
    finish(command).expect_exit(0);
}

#[tokio::test]
async fn the_sandbox_keeps_a_copy_of_each_packet_socket() {
    let text = format!(
        "{PAIR}[[step]]\nexpect = [ {{ reach = {{ from = \"laptop\", to = \"printer\" }} }} ]"
    );
    let lab = build(Path::new(env!("CARGO_BIN_EXE_fps-lab")), &text).await;
    // A title, and a line for each socket that somebody has open.
    let count = "tail -n +2 /proc/net/packet | wc -l";
    assert_eq!(shell(&lab, "laptop", count).await, "0\n");
    let laptop = host(&lab, "laptop").id();
    let ours = lab.sandbox().socket(laptop, SocketKind::Packet);
    drop(ours.expect("a packet socket"));
    assert_eq!(shell(&lab, "laptop", count).await, "1\n");
}
