//! DNS, by somebody in the place of systemd-resolved.

use std::process::{Command, Output};

use fps_netns::testing::with_namespaces;

use crate::host::{BUS, Host, NO_BUS};
use crate::resolver::Resolver;

const DNS: &str = "--tun fpsc0 --tun-address 10.66.0.2/30 --dns 10.66.0.1 --dns-domain ~fps.test";

const FAILED: &str = "org.freedesktop.DBus.Error.Failed";
const UNKNOWN: &str = "org.freedesktop.DBus.Error.ServiceUnknown";

/// Runs `fps-route` with this bus.
fn with_bus(host: &Host, address: &str, line: &str) -> Output {
    let mut fps_route = Command::new(env!("CARGO_BIN_EXE_fps-route"));
    host.spawn(fps_route.args(line.split(' ')).env(BUS, address))
}

impl Resolver {
    /// Runs `fps-route` with this resolver.
    fn run(&self, host: &Host, line: &str) -> Output {
        with_bus(host, &self.address(), line)
    }
}

fn complaint(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn without_a_bus_says_so_and_changes_nothing() {
    with_namespaces(
        "dns::without_a_bus_says_so_and_changes_nothing",
        async || {
            let host = Host::new().await;
            let before = host.state().await;
            let output = with_bus(&host, NO_BUS, &format!("apply {DNS}"));
            for part in [
                "no system bus",
                "systemd-resolved",
                "nothing has changed",
                "--no-dns",
            ] {
                assert!(complaint(&output).contains(part), "{output:?}");
            }
            assert_eq!(output.status.code(), Some(1));
            assert_eq!(host.state().await, before);
            let output = with_bus(&host, NO_BUS, &format!("apply {DNS} --no-dns"));
            assert!(output.status.success(), "{output:?}");
        },
    );
}

#[test]
fn sets_domains_before_servers_and_nothing_twice() {
    with_namespaces(
        "dns::sets_domains_before_servers_and_nothing_twice",
        async || {
            let host = Host::new().await;
            let resolver = Resolver::of(&host);
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
            let host = Host::new().await;
            let resolver = Resolver::of(&host);
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
            resolver.has_default_route(true);
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
            let host = Host::new().await;
            let resolver = Resolver::of(&host);
            let before = host.state().await;
            resolver.refuse("SetLinkDNSEx", FAILED);
            let output = resolver.run(&host, &format!("apply {DNS}"));
            let said = complaint(&output);
            assert!(said.contains("says: it is told to"), "{said}");
            assert!(said.contains("; rolled back"), "{said}");
            assert_eq!(output.status.code(), Some(3));
            assert_eq!(host.state().await, before);
            let tried = "domain fpsc0 ~fps.test\ndns fpsc0 10.66.0.1\n";
            assert_eq!(resolver.said(), format!("{tried}revert fpsc0\n"));
            // With something there, that comes back.
            resolver.permit();
            resolver.has_domain("lan");
            resolver.has_server("192.0.2.53");
            let output = resolver.run(&host, &format!("apply {DNS} --tun-address ::1/128"));
            assert_eq!(output.status.code(), Some(3), "{output:?}");
            assert_eq!(resolver.said(), "", "not yet its turn");
            resolver.refuse("SetLinkDNSEx", FAILED);
            let output = resolver.run(&host, &format!("apply {DNS}"));
            // Nor can the servers be set back; that is told.
            assert_eq!(output.status.code(), Some(1), "{output:?}");
            assert!(complaint(&output).contains("cannot set back"), "{output:?}");
            // What comes behind them in the way back comes all the same.
            let back = "domain fpsc0 lan\ndns fpsc0 192.0.2.53\ndefault-route fpsc0 yes\n";
            assert_eq!(resolver.said(), format!("{tried}{back}"));
        },
    );
}

#[test]
fn takes_back_what_is_not_wanted_any_more() {
    with_namespaces("dns::takes_back_what_is_not_wanted_any_more", async || {
        let host = Host::new().await;
        let resolver = Resolver::of(&host);
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
        resolver.has_server("192.0.2.53");
        assert_eq!(apply(" --route 10.66.1.0/24"), "");
        // Nor is it touched where it is to be left alone.
        assert_eq!(apply(&format!("{server}{domain}")), set);
        assert_eq!(apply(" --no-dns"), "");
    });
}

#[test]
fn a_refusal_names_its_remedy() {
    with_namespaces("dns::a_refusal_names_its_remedy", async || {
        let host = Host::new().await;
        let resolver = Resolver::of(&host);
        let before = host.state().await;
        let interactive = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired";
        for (method, error, code, parts) in [
            ("GetLink", UNKNOWN, 1, ["is not running", "--no-dns"]),
            (
                "GetLink",
                "org.freedesktop.resolve1.NoSuchLink",
                1,
                ["namespace", "--no-dns"],
            ),
            ("SetLinkDomains", interactive, 3, ["as root", "rolled back"]),
            (
                "SetLinkDNSEx",
                "org.freedesktop.DBus.Error.AccessDenied",
                3,
                ["as root", "rolled back"],
            ),
        ] {
            resolver.refuse(method, error);
            let output = resolver.run(&host, &format!("apply {DNS}"));
            let said = complaint(&output);
            assert!(parts.iter().all(|part| said.contains(part)), "{said}");
            assert_eq!(output.status.code(), Some(code), "{output:?}");
            assert_eq!(host.state().await, before);
            resolver.permit();
        }
        // Who may change nothing cannot set back either, and need not.
        resolver.refuse("SetLinkDomains", interactive);
        resolver.refuse("RevertLink", interactive);
        let output = resolver.run(&host, &format!("apply {DNS}"));
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        resolver.permit();
        let dns = DNS.replace("10.66.0.1 ", "10.66.0.1%lo ");
        let said = complaint(&resolver.run(&host, &format!("apply {dns}")));
        assert!(
            said.contains("leave `%lo` out of `10.66.0.1%lo`; rolled back"),
            "{said}"
        );
        resolver.end();
        let output = resolver.run(&host, &format!("apply {DNS}"));
        let said = complaint(&output);
        assert!(
            said.contains("there is no system bus at unix:path="),
            "{said}"
        );
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert_eq!(host.state().await, before);
    });
}

#[test]
fn cleanup_that_names_no_dns_needs_no_resolver() {
    with_namespaces(
        "dns::cleanup_that_names_no_dns_needs_no_resolver",
        async || {
            let host = Host::new().await;
            let resolver = Resolver::of(&host);
            let clean_up = || {
                let output = resolver.run(&host, "cleanup --tun fpsc0");
                assert!(output.status.success(), "{output:?}");
                assert_eq!(complaint(&output), "");
            };
            clean_up();
            assert_eq!(resolver.said(), "revert fpsc0\n");
            resolver.refuse("RevertLink", UNKNOWN);
            clean_up();
            assert_eq!(resolver.said(), "revert fpsc0\n");
            resolver.end();
            clean_up();
            let output = resolver.run(&host, &format!("cleanup {DNS}"));
            assert_eq!(output.status.code(), Some(1), "{output:?}");
            assert!(
                complaint(&output).contains("there is no system bus"),
                "{output:?}"
            );
        },
    );
}

#[test]
fn what_the_resolver_says_in_other_words_is_not_set_again() {
    with_namespaces(
        "dns::what_the_resolver_says_in_other_words_is_not_set_again",
        async || {
            let host = Host::new().await;
            let resolver = Resolver::of(&host);
            let apply = "apply --tun fpsc0 --tun-address 10.66.0.2/30 --dns FD66:0::1%fpsc0 \
                         --dns 10.66.0.1:53 --dns 10.66.0.1:5353#dns.fps.test --dns-domain ~. \
                         --dns-domain FPS.test. --dns-domain ~fps.test";
            let output = resolver.run(&host, apply);
            assert!(output.status.success(), "{output:?}");
            let set = "domain fpsc0 ~. FPS.test\n\
                       dns fpsc0 fd66::1 10.66.0.1 10.66.0.1:5353#dns.fps.test\n";
            assert_eq!(resolver.said(), set);
            let output = resolver.run(&host, apply);
            assert!(output.status.success(), "{output:?}");
            assert_eq!(resolver.said(), "");
        },
    );
}
