//! DNS, by a program in the place of resolvectl.

use std::process::{Command, Output};

use fps_netns::testing::with_namespaces;

use crate::host::Host;

/// Runs `fps-route` with nothing but this folder in PATH.
fn with_path(host: &Host, folder: &str, line: &str) -> Output {
    let mut fps_route = Command::new(env!("CARGO_BIN_EXE_fps-route"));
    host.spawn(fps_route.args(line.split(' ')).env("PATH", folder))
}

const DNS: &str = "--tun fpsc0 --tun-address 10.66.0.2/30 --dns 10.66.0.1 --dns-domain ~fps.test";

#[test]
fn without_resolvectl_says_so_and_changes_nothing() {
    with_namespaces(
        "dns::without_resolvectl_says_so_and_changes_nothing",
        async || {
            let host = Host::new().await;
            let before = host.state().await;
            let output = with_path(&host, "/nowhere", &format!("apply {DNS}"));
            let complaint = String::from_utf8(output.stderr).unwrap();
            for part in ["resolvectl", "nothing has changed", "--no-dns"] {
                assert!(complaint.contains(part), "{complaint}");
            }
            assert_eq!(output.status.code(), Some(1));
            assert_eq!(host.state().await, before);
            let output = with_path(&host, "/nowhere", &format!("apply {DNS} --no-dns"));
            assert!(output.status.success(), "{output:?}");
        },
    );
}

#[test]
fn sets_domains_before_servers_and_reverts_after_a_failure() {
    with_namespaces(
        "dns::sets_domains_before_servers_and_reverts_after_a_failure",
        async || {
            let host = Host::new().await;
            let before = host.state().await;
            let folder = tempfile::tempdir().unwrap();
            let (program, log) = (folder.path().join("resolvectl"), folder.path().join("log"));
            let script = |verdict: &str| {
                let text = format!("#!/bin/sh\necho \"$@\" >> {}\n{verdict}\n", log.display());
                std::fs::write(&program, text).unwrap();
                let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
                std::fs::set_permissions(&program, mode).unwrap();
            };
            let path = folder.path().to_str().unwrap();
            script("[ $1 != dns ] || { echo no bus >&2; exit 1; }");
            let output = with_path(&host, path, &format!("apply {DNS}"));
            let complaint = String::from_utf8(output.stderr).unwrap();
            assert!(complaint.contains("no bus; rolled back"), "{complaint}");
            assert_eq!(output.status.code(), Some(3));
            assert_eq!(host.state().await, before);
            script("");
            let output = with_path(&host, path, &format!("apply {DNS}"));
            assert!(output.status.success(), "{output:?}");
            let output = with_path(&host, path, &format!("cleanup {DNS} --down"));
            assert!(output.status.success(), "{output:?}");
            assert_eq!(host.state().await, before);
            let said = std::fs::read_to_string(&log).unwrap();
            let set = "domain fpsc0 ~fps.test\ndns fpsc0 10.66.0.1\n";
            let revert = "revert fpsc0\n";
            assert_eq!(said, [set, revert, set, revert].concat());
        },
    );
}
