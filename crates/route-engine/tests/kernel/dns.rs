//! DNS, by a program in the place of resolvectl.

use std::process::{Command, Output};

use fps_netns::testing::with_namespaces;

use crate::host::Host;
use crate::resolver::Resolver;

const DNS: &str = "--tun fpsc0 --tun-address 10.66.0.2/30 --dns 10.66.0.1 --dns-domain ~fps.test";

/// Runs `fps-route` with this PATH.
fn with_path(host: &Host, path: &str, line: &str) -> Output {
    let mut fps_route = Command::new(env!("CARGO_BIN_EXE_fps-route"));
    host.spawn(fps_route.args(line.split(' ')).env("PATH", path))
}

impl Resolver {
    /// Runs `fps-route` with this resolver.
    fn run(&self, host: &Host, line: &str) -> Output {
        with_path(host, &self.path(), line)
    }
}

fn complaint(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn without_resolvectl_says_so_and_changes_nothing() {
    with_namespaces(
        "dns::without_resolvectl_says_so_and_changes_nothing",
        async || {
            let host = Host::new().await;
            let before = host.state().await;
            let output = with_path(&host, "/nowhere", &format!("apply {DNS}"));
            for part in ["resolvectl", "nothing has changed", "--no-dns"] {
                assert!(complaint(&output).contains(part), "{output:?}");
            }
            assert_eq!(output.status.code(), Some(1));
            assert_eq!(host.state().await, before);
            let output = with_path(&host, "/nowhere", &format!("apply {DNS} --no-dns"));
            assert!(output.status.success(), "{output:?}");
        },
    );
}

#[test]
fn sets_domains_before_servers_and_nothing_twice() {
    with_namespaces(
        "dns::sets_domains_before_servers_and_nothing_twice",
        async || {
            let (host, resolver) = (Host::new().await, Resolver::new());
            let before = host.state().await;
            let apply = format!("apply {DNS}");
            assert!(resolver.run(&host, &apply).status.success());
            let set = "domain fpsc0 ~fps.test\ndns fpsc0 10.66.0.1\n";
            assert_eq!(resolver.said(), set);
            assert!(resolver.run(&host, &apply).status.success());
            assert_eq!(resolver.said(), "");
            let cleanup = format!("cleanup {DNS} --down");
            assert!(resolver.run(&host, &cleanup).status.success());
            assert_eq!(resolver.said(), "revert fpsc0\n");
            assert_eq!(host.state().await, before);
        },
    );
}

#[test]
fn servers_of_a_searched_domain_are_asked_for_nothing_else() {
    with_namespaces(
        "dns::servers_of_a_searched_domain_are_asked_for_nothing_else",
        async || {
            let (host, resolver) = (Host::new().await, Resolver::new());
            let run = |line: &str| {
                let output = resolver.run(&host, line);
                assert!(output.status.success(), "{output:?}");
                resolver.said()
            };
            let search = DNS.replace('~', "");
            let said = run(&format!("apply {search}"));
            let set = "domain fpsc0 fps.test\ndefault-route fpsc0 no\ndns fpsc0 10.66.0.1\n";
            assert_eq!(said, set);
            assert_eq!(run(&format!("apply {search}")), "");
            std::fs::write(resolver.file("default-route"), "yes").unwrap();
            let verified = resolver.run(&host, &format!("verify {search}"));
            let found = String::from_utf8(verified.stdout).unwrap();
            assert!(
                found.contains("resolvectl default-route fpsc0 no"),
                "{found}"
            );
            let said = run(&format!("apply {search}"));
            assert_eq!(said, "default-route fpsc0 no\n");
            // Servers without a domain are asked for everything.
            let said = run("apply --tun fpsc0 --tun-address 10.66.0.2/30 --dns 10.66.0.1");
            assert_eq!(said, "domain fpsc0 \ndefault-route fpsc0 yes\n");
        },
    );
}

#[test]
fn sets_back_what_was_there_before_a_failure() {
    with_namespaces(
        "dns::sets_back_what_was_there_before_a_failure",
        async || {
            let (host, resolver) = (Host::new().await, Resolver::new());
            let before = host.state().await;
            std::fs::write(resolver.file("fail-dns"), "").unwrap();
            let output = resolver.run(&host, &format!("apply {DNS}"));
            let said = complaint(&output);
            assert!(said.contains("no bus; rolled back"), "{said}");
            assert_eq!(output.status.code(), Some(3));
            assert_eq!(host.state().await, before);
            let tried = "domain fpsc0 ~fps.test\ndns fpsc0 10.66.0.1\n";
            assert_eq!(resolver.said(), format!("{tried}revert fpsc0\n"));
            // With something there, that comes back.
            std::fs::remove_file(resolver.file("fail-dns")).unwrap();
            std::fs::write(resolver.file("domain"), "lan").unwrap();
            std::fs::write(resolver.file("dns"), "192.0.2.53").unwrap();
            let output = resolver.run(&host, &format!("apply {DNS} --tun-address ::1/128"));
            assert_eq!(output.status.code(), Some(3), "{output:?}");
            assert_eq!(resolver.said(), "", "not yet its turn");
            std::fs::write(resolver.file("fail-dns"), "").unwrap();
            let output = resolver.run(&host, &format!("apply {DNS}"));
            // Nor can the servers be set back; that is told.
            assert_eq!(output.status.code(), Some(1), "{output:?}");
            assert!(complaint(&output).contains("cannot set back"), "{output:?}");
            let back = "domain fpsc0 lan\ndns fpsc0 192.0.2.53\n";
            assert_eq!(resolver.said(), format!("{tried}{back}"));
        },
    );
}

#[test]
fn takes_back_what_is_not_wanted_any_more() {
    with_namespaces("dns::takes_back_what_is_not_wanted_any_more", async || {
        let (host, resolver) = (Host::new().await, Resolver::new());
        let apply = |options: &str| {
            let output = resolver.run(&host, &format!("apply --tun fpsc0{options}"));
            assert!(output.status.success(), "{output:?}");
            resolver.said()
        };
        let (server, domain) = (" --dns 10.66.0.1", " --dns-domain ~fps.test");
        let set = "domain fpsc0 ~fps.test\ndns fpsc0 10.66.0.1\n";
        assert_eq!(apply(&format!("{server}{domain}")), set);
        assert_eq!(apply(server), "domain fpsc0 \n");
        assert_eq!(apply(""), "revert fpsc0\n");
        assert_eq!(apply(""), "");
        // What somebody else has told it is not ours to take back.
        std::fs::write(resolver.file("dns"), "192.0.2.53").unwrap();
        assert_eq!(apply(" --route 10.66.1.0/24"), "");
        // Nor is it touched where it is to be left alone.
        assert_eq!(apply(&format!("{server}{domain}")), set);
        assert_eq!(apply(" --no-dns"), "");
    });
}
