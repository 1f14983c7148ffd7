//! The text of full tunnels, of DNS and of plans as data; nothing here needs a privilege.

#[path = "support/command.rs"]
mod command;

use command::{fps_route, text, words};

#[test]
fn prints_a_full_tunnel_as_the_shell_helper_did() {
    let options = "--tun fpsc0 --full-tunnel --table 100 --priority 10000 --fwmark 0x465053 \
                   --bypass 203.0.113.10/32,192.0.2.1,eth0";
    let output = fps_route(&words(&format!("plan {options}")));
    let expected = "\
# fps_linux_route action=plan tun=fpsc0 execute=false
+ ip link set dev fpsc0 up
+ ip route replace 203.0.113.10/32 via 192.0.2.1 dev eth0 table 100
+ ip route replace default dev fpsc0 table 100
+ ip rule del priority 10000 fwmark 0x465053 table 100
+ ip rule add priority 10000 fwmark 0x465053 table 100
+ ip route flush cache
";
    assert_eq!(text(&output.stdout), expected);
    let output = fps_route(&words(&format!("cleanup {options} --dry-run --down")));
    let expected = "\
# fps_linux_route action=cleanup tun=fpsc0 execute=false
+ resolvectl revert fpsc0
+ ip rule del priority 10000 fwmark 0x465053 table 100
+ ip route del 203.0.113.10/32 via 192.0.2.1 dev eth0 table 100
+ ip route del default dev fpsc0 table 100
+ ip route flush cache
+ ip link set dev fpsc0 down
";
    assert_eq!(text(&output.stdout), expected);
}

#[test]
fn prints_all_but_the_carrier_for_both_families() {
    let line = "plan --tun fpsc0 --full-tunnel --except-fwmark 17";
    let output = fps_route(&words(line));
    let expected = "\
# fps_linux_route action=plan tun=fpsc0 execute=false
+ ip link set dev fpsc0 up
+ ip route replace default dev fpsc0 table 100
+ ip -6 route replace default dev fpsc0 table 100
+ ip rule del priority 10000 not from all fwmark 0x11 table 100
+ ip rule add priority 10000 not from all fwmark 0x11 table 100
+ ip -6 rule del priority 10000 not from all fwmark 0x11 table 100
+ ip -6 rule add priority 10000 not from all fwmark 0x11 table 100
+ ip route flush cache
";
    assert_eq!(text(&output.stdout), expected);
}

#[test]
fn prints_dns_last() {
    let options = "--tun fpsc0 --dns 10.66.0.1 --dns 10.66.0.9 --dns-domain ~fps.test";
    let output = fps_route(&words(&format!("plan {options}")));
    let expected = "\
# fps_linux_route action=plan tun=fpsc0 execute=false
+ ip link set dev fpsc0 up
+ resolvectl dns fpsc0 10.66.0.1 10.66.0.9
+ resolvectl domain fpsc0 \\~fps.test
";
    assert_eq!(text(&output.stdout), expected);
    let output = fps_route(&words(&format!("plan {options} --no-dns")));
    assert!(!text(&output.stdout).contains("resolvectl"), "{output:?}");
}

#[test]
fn a_guard_against_leaks_has_all_names_asked_through_the_tunnel() {
    let line = "plan --tun fpsc0 --full-tunnel --fwmark 1 --dns-leak-guard";
    for (options, domains) in [
        ("--dns 10.66.0.1", Some("\\~.")),
        (
            "--dns 10.66.0.1 --dns-domain fps.test",
            Some("fps.test \\~."),
        ),
        ("--dns 10.66.0.1 --dns-domain ~.", Some("\\~.")),
        ("--no-dns --dns 10.66.0.1", None),
        ("--mtu 1280", None),
    ] {
        let output = fps_route(&words(&format!("{line} {options}")));
        let plan = text(&output.stdout);
        let said = plan
            .lines()
            .find_map(|line| line.strip_prefix("+ resolvectl domain fpsc0 "));
        assert_eq!(said, domains, "{options}: {plan}");
        assert!(!plan.contains("default-route"), "{plan}");
        assert!(plan.contains("priority 10003 from all ipproto udp dport 53 unreachable"));
    }
}

#[test]
fn prints_the_same_plan_as_data() {
    let line = "apply --tun fpsc0 --dry-run --json --route fd66:1::/48";
    let output = fps_route(&words(line));
    let data: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let expected = serde_json::json!({
        "action": "apply",
        "tun": "fpsc0",
        "execute": false,
        "operations": [
            {"operation": "set-up", "command": ["ip", "link", "set", "dev", "fpsc0", "up"]},
            {
                "operation": "replace-route",
                "command": ["ip", "-6", "route", "replace", "fd66:1::/48", "dev", "fpsc0"],
            },
        ],
    });
    assert_eq!(data, expected);
}

#[test]
fn reads_routes_from_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("routes");
    let write = |text: &str| std::fs::write(&file, text).expect("write");
    let name = file.to_str().expect("UTF-8");
    let plan = || fps_route(&["plan", "--tun", "fpsc0", "--routes-file", name]);
    write("# ours\n10.66.1.0/24\n\n  fd66:1::/48\r\n10.66.1.0/24\n");
    let output = plan();
    let expected = "\
# fps_linux_route action=plan tun=fpsc0 execute=false
+ ip link set dev fpsc0 up
+ ip route replace 10.66.1.0/24 dev fpsc0
+ ip -6 route replace fd66:1::/48 dev fpsc0
";
    assert_eq!(text(&output.stdout), expected);
    write("10.66.1.0/24\n10.66.1.5/24\n");
    let output = plan();
    let expected = format!(
        "fps-route: --routes-file {name}, line 2: `10.66.1.5/24`: it has host bits set; the \
         network is 10.66.1.0/24\n"
    );
    assert_eq!(text(&output.stderr), expected);
    assert_eq!(output.status.code(), Some(2));
    std::fs::remove_file(&file).expect("remove");
    let output = plan();
    let expected = format!(
        "fps-route: cannot read --routes-file {name}: No such file or directory (os error 2)\n"
    );
    assert_eq!(text(&output.stderr), expected);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn refuses_what_could_lead_the_carrier_into_the_tunnel() {
    for (options, complaint) in [
        (
            "--full-tunnel",
            "--full-tunnel needs a selector, --fwmark MARK, --from CIDR or --except-fwmark MARK: \
             without one the carrier itself could be routed into the tunnel",
        ),
        ("--full-tunnel --fwmark 0", "packets without a mark"),
        (
            "--full-tunnel --table 254 --fwmark 1",
            "the machine's own tables",
        ),
        ("--full-tunnel --priority 0 --fwmark 1", "from 1 to 32765"),
        ("--fwmark 1", "--full-tunnel"),
        ("--dns-leak-guard", "--full-tunnel"),
        (
            "--full-tunnel --fwmark 1 --dns-leak-guard --priority 32761",
            "3 tables and 6 priorities",
        ),
        (
            "--full-tunnel --fwmark 1 --except-fwmark 2",
            "cannot be used with",
        ),
        (
            "--full-tunnel --fwmark 1 --bypass 203.0.113.10/32,192.0.2.1",
            "CIDR,VIA,DEV",
        ),
        (
            "--full-tunnel --fwmark 1 --bypass 203.0.113.10/32,192.0.2.1,fpsc0",
            "leads into the tunnel",
        ),
        (
            "--full-tunnel --fwmark 1 --bypass 2001:db8::1/128,fe80::1,eth0",
            "of which the selector chooses no packet",
        ),
        ("--full-tunnel --except-fwmark 1 --mtu 1000", "below 1280"),
    ] {
        let output = fps_route(&words(&format!("apply --tun fpsc0 {options}")));
        let said = text(&output.stderr);
        assert!(said.contains(complaint), "{options}: {said}");
        assert_eq!(said.lines().count(), 1, "{options}: {said}");
        assert_eq!(text(&output.stdout), "", "{options}");
        assert_eq!(output.status.code(), Some(2), "{options}");
    }
}
