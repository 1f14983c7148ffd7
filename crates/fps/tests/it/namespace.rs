//! Runs a test in a network namespace of its own.

use std::process::Command;

/// Set in the process that already is in the namespace.
const INSIDE: &str = "FPS_TEST_INSIDE_NAMESPACE";

/// Runs `body` in a fresh network namespace with loopback up, as root of at least that namespace.
/// `test` is the full name of the calling test: the test program starts itself once more, under
/// unshare(1), for this one test. What this needs and does not get fails the test.
pub(crate) fn isolated(test: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        run("ip", &["link", "set", "lo", "up"]);
        return body();
    }
    let mut command = Command::new("unshare");
    if !nix::unistd::Uid::effective().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command
        .arg("--net")
        .arg(std::env::current_exe().expect("our own path"));
    command
        .args([test, "--exact", "--nocapture"])
        .env(INSIDE, "1");
    let output = command
        .output()
        .expect("unshare(1) of util-linux is installed");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{test} failed in its namespace. If that could not be made: run as root, or allow user \
         namespaces (sysctl kernel.apparmor_restrict_unprivileged_userns=0)\n{text}"
    );
}

/// Runs a command to its end and returns what it printed.
pub(crate) fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    let output = output.unwrap_or_else(|error| panic!("{program} must be installed: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} {}: {stderr}",
        args.join(" ")
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
